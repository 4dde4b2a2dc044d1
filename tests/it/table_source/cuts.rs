//! Which way a table is cut: keys of all kinds, blocks, NULL, partitions, queries.

use super::{assert_same, columns_of, copy, whole};
use crate::support::fake::until;
use crate::support::{Home, on_both};
use rowmill::{
    Bounds, Consistency, CutLimits, ErrorKind, Feed, Ident, Mode, Partitions, Stateful,
    Surroundings, TableColumns,
};
use std::sync::Arc;

/// The batches into which a feed is cut for four workers, and what it says of that.
pub(super) fn plan(home: &Home, feed: &TableColumns, limits: CutLimits) -> (Vec<Bounds>, String) {
    planned(home, feed, limits, true)
}

/// The same where nothing depends on the order of the rows.
fn unordered(home: &Home, feed: &TableColumns, limits: CutLimits) -> (Vec<Bounds>, String) {
    planned(home, feed, limits, false)
}

fn planned(
    home: &Home,
    feed: &TableColumns,
    limits: CutLimits,
    ordered: bool,
) -> (Vec<Bounds>, String) {
    let mut surroundings = Surroundings::new(Arc::new(home.engine().clone()), 4);
    surroundings.ordered = ordered;
    feed.begin(&surroundings).unwrap();
    let mut batches = Vec::new();
    feed.plan(limits, &mut |bounds| {
        batches.push(bounds);
        Ok(())
    })
    .unwrap();
    let explained = Stateful::explain(feed).join("; ");
    Stateful::end(feed, false);
    (batches, explained)
}

fn rows(count: u64) -> CutLimits {
    CutLimits::new(count, 4 << 20)
}

/// Copies `a`, cut as `change` says, and fails unless every row arrived once.
fn arrives(home: &Home, change: impl FnOnce(TableColumns) -> TableColumns) -> u64 {
    let feed = change(whole(home.engine(), "a"));
    home.engine().run("drop table if exists b").unwrap();
    let report = copy(home, feed, "b", Mode::Append, &[])
        .batch_rows(50)
        .workers(4)
        .run(home.engine())
        .unwrap();
    assert_same(home, "a", "b");
    report.batches
}

#[test]
fn keys_of_any_type_are_cut_exactly() {
    let home = Home::postgres();
    for (ty, key) in [
        ("int", "n - 300"),
        ("bigint", "n::bigint * 1000000007"),
        ("text", "'k''\\ ' || md5(n::text)"),
        ("text collate \"C\"", "chr(200 + n) || n"),
        ("varchar(40)", "repeat('x', n % 30) || n"),
        ("char(12)", "n::text"),
        ("uuid", "md5(n::text)::uuid"),
        ("numeric", "n / 7.0 - 40"),
        ("double precision", "n / 7.0 - 40"),
        ("timestamptz", "timestamptz '1999-12-31 23:00+00' + n * interval '1 hour 1 us'"),
        ("date", "date '2000-01-01' - n"),
        ("bytea", "sha256(n::text::bytea)"),
        ("inet", "inet '10.0.0.0' + n"),
    ] {
        home.engine().run("drop table if exists a").unwrap();
        home.sql(&format!(
            "create table a (k {ty} primary key, v text);
             insert into a select {key}, n::text from generate_series(1, 600) n"
        ));
        let batches = arrives(&home, |feed| feed);
        assert!(batches >= 6, "{ty}: {batches}");
    }
}

#[test]
fn a_key_of_several_columns_and_one_that_descends_are_cut() {
    on_both(|home| {
        home.sql("create table a (x bigint not null, y text not null, v text, primary key (x, y))");
        let rows: Vec<_> =
            (0..600).map(|n| format!("({}, 'y{}', '{n}')", n % 7, 600 - n)).collect();
        home.sql(&format!("insert into a values {}", rows.join(", ")));
        home.sql("create unique index down on a (y desc, x desc)");
        assert!(arrives(home, |feed| feed) >= 6);
        let name = |name: &str| Ident::new(name).unwrap();
        assert!(arrives(home, |feed| feed.key(vec![name("y"), name("x")])) >= 6);
    });
}

/// batch 3.6.2
#[test]
fn what_has_no_key_value_is_a_piece_of_its_own() {
    on_both(|home| {
        home.sql("create table a (k bigint, v text)");
        let rows: Vec<_> = (0..400)
            .map(|n| match n % 4 {
                0 => format!("(null, '{n}')"),
                _ => format!("({}, '{n}')", n / 8),
            })
            .collect();
        home.sql(&format!("insert into a values {}", rows.join(", ")));
        let by_k = |feed: TableColumns| feed.key(vec![Ident::new("k").unwrap()]);
        assert!(arrives(home, by_k) >= 3);
        home.sql("update a set k = null");
        arrives(home, |feed| feed.key(vec![Ident::new("k").unwrap()]));
    });
}

/// batch 3.6.1
#[test]
fn a_table_without_a_key_is_read_by_blocks_as_of_one_snapshot() {
    let home = Home::postgres();
    home.sql(
        "create table a (v text); insert into a select repeat('x', 200) || n \
         from generate_series(1, 3000) n; delete from a where v like '%7'",
    );
    let (batches, told) = plan(&home, &whole(home.engine(), "a"), rows(200));
    assert!(batches.len() >= 10 && told.contains("consistency snapshot"), "{told}");
    assert!(arrives(&home, |feed| feed) >= 10);
    home.sql("analyze a");
    assert!(arrives(&home, |feed| feed.partitions(Partitions::Blocks)) >= 10);
}

#[test]
fn a_table_that_was_never_counted_is_cut_by_what_a_few_of_its_blocks_have() {
    let home = Home::postgres();
    home.sql(
        "create table a (v text); alter table a set (autovacuum_enabled = off);
         insert into a select repeat('x', 200) || n from generate_series(1, 30000) n",
    );
    let (batches, told) = plan(&home, &whole(home.engine(), "a"), rows(1000));
    assert!(told.contains("by ranges of blocks of 1 table;"), "{told}");
    let planned: u64 = batches.iter().map(|bounds| bounds.rows).sum();
    assert!((24_000..36_000).contains(&planned) && batches.len() >= 30, "{planned}");
    arrives(&home, |feed| feed);
}

/// batch 3.6.1
#[test]
fn a_table_of_one_instant_is_read_by_blocks_where_no_order_counts() {
    let home = Home::postgres();
    home.sql(
        "create table a (id integer primary key, k integer, v integer);
         insert into a select n, n % 500, n from generate_series(3000, 1, -1) n; analyze a",
    );
    super::consistency::wait_until_counts(&home, "n_tup_ins", 3_000);
    for (how, by_blocks) in
        [(Consistency::Snapshot, true), (Consistency::Static, true), (Consistency::PerBatch, false)]
    {
        let feed = whole(home.engine(), "a").consistency(how);
        let (_, told) = unordered(&home, &feed, rows(100));
        assert_eq!(told.contains("by ranges of blocks"), by_blocks, "{told}");
        arrives(&home, |feed| feed.consistency(how));
        // The order of its key decides where several rows have one key of the target.
        home.sql("drop table if exists c; create table c (k int primary key, id int, v int)");
        let feed = whole(home.engine(), "a").consistency(how);
        home.run(&copy(&home, feed, "c", Mode::Upsert, &["k"]).batch_rows(100));
        let last =
            home.rows("select count(*) from c where id <> (select max(id) from a where a.k = c.k)");
        assert_eq!(last, ["0"], "{how}");
    }
}

#[test]
fn partitions_and_what_inherits_are_read_once() {
    let home = Home::postgres();
    home.sql(
        "create table a (k int, v text) partition by range (k);
         create table a1 partition of a for values from (0) to (500);
         create table \"A 2\" partition of a for values from (500) to (5000) partition by hash (k);
         create table a20 partition of \"A 2\" for values with (modulus 2, remainder 0);
         create table a21 partition of \"A 2\" for values with (modulus 2, remainder 1);
         create table a3 partition of a default;
         insert into a select n, n::text from generate_series(-10, 1500) n",
    );
    arrives(&home, |feed| feed);
    home.sql(
        "drop table a; create table a (k int primary key, v text);
         create table kid (primary key (k)) inherits (a);
         insert into a select n, 'a' from generate_series(1, 300) n;
         insert into kid select n, 'kid' from generate_series(200, 700) n",
    );
    // The key of the one says nothing of the other's.
    arrives(&home, |feed| feed);
    // Who may read all of it need not be allowed to read its parts one by one.
    let feed = whole(home.engine(), "a").consistency(Consistency::Snapshot);
    let (_, told) = unordered(&home, &feed, rows(100));
    assert!(told.contains("by exact ranges"), "{told}");
    arrives(&home, |feed| feed.partitions(Partitions::Blocks));
}

/// batch 3.6.1
#[test]
fn statistics_and_samples_part_a_table_and_their_ends_are_open() {
    let home = Home::postgres();
    home.sql(
        "create table a (k bigint primary key, v text);
         insert into a select n * n, n::text from generate_series(1, 20000) n; analyze a;
         insert into a values (-5, 'below'), (900000000000, 'above')",
    );
    for partitions in [Partitions::Histogram, Partitions::Sample, Partitions::Exact] {
        let feed = whole(home.engine(), "a").partitions(partitions);
        let (batches, told) = plan(&home, &feed, rows(1_000));
        assert!(batches.len() >= 20, "{} batches: {told}", batches.len());
        home.sql("drop table if exists b");
        let feed = whole(home.engine(), "a").partitions(partitions);
        let job = copy(&home, feed, "b", Mode::Append, &[]).batch_rows(1_000);
        assert_eq!(home.run(&job).inserted, 20_002);
    }
    assert_same(&home, "a", "b");
}

/// batch 3.6.1
#[test]
fn a_large_table_with_a_key_of_several_columns_is_sampled_and_not_counted() {
    let home = Home::postgres();
    home.sql(
        "create table a (s text, k int, v int, primary key (s, k));
         insert into a select chr(65 + n % 7), n, n from generate_series(1, 150000) n; analyze a",
    );
    let (batches, told) = plan(&home, &whole(home.engine(), "a"), rows(5_000));
    assert!(told.contains("by ranges of (s, k) from a sample") && batches.len() >= 30, "{told}");
    let job = copy(&home, whole(home.engine(), "a"), "b", Mode::Append, &[]).workers(2);
    assert_eq!(home.run(&job).inserted, 150_000);
    let most = home.rows("select max(read) < 15000 from rowmill.batch");
    assert_eq!(most, ["t"]);
    assert_eq!(home.rows("select count(*) from (select * from a except select * from b) x"), ["0"]);
}

/// A table that is large enough for statistics and has them; nobody else gathers any.
fn with_statistics() -> Home {
    let home = Home::postgres();
    home.sql(
        "create table a (k bigint primary key, v int) with (autovacuum_enabled = off);
         insert into a select n * 100000::bigint, n from generate_series(1, 150000) n",
    );
    // Not in one transaction with the rows: they would count as written since.
    home.sql("analyze a");
    home
}

#[test]
fn a_large_table_is_cut_by_its_statistics_without_being_asked() {
    let home = with_statistics();
    let (batches, told) = plan(&home, &whole(home.engine(), "a"), rows(5_000));
    assert!(told.contains("statistics of the database"), "{told}");
    assert!((32..=100).contains(&batches.len()), "{}", batches.len());
    let (_, told) = plan(&home, &whole(home.engine(), "a"), rows(500));
    assert!(told.contains("from a sample"), "{told}");
}

/// batch 3.6.3, 3.7.3: a night's rows came since the statistics were gathered, behind all others or among
/// them: no batch has them all.
#[test]
fn statistics_that_lack_the_rows_of_today_do_not_cut_a_table() {
    for (place, forgets) in [("15000000000 + n", true), ("-n", true), ("7000000000 + n", false)] {
        let home = with_statistics();
        home.sql(&format!("insert into a select {place}, n from generate_series(1, 60000) n"));
        if forgets {
            // As after a crash of the server: only the table itself tells of them.
            until("the changes are counted", || changed_rows(&home) >= 60_000);
            home.sql("select pg_stat_reset()");
        }
        until("the changes are known", || (changed_rows(&home) >= 60_000) != forgets);
        let (_, told) = plan(&home, &whole(home.engine(), "a"), rows(5_000));
        assert!(told.contains("from a sample"), "{place}: {told}");
        let job = copy(&home, whole(home.engine(), "a"), "b", Mode::Append, &[]).batch_rows(5_000);
        assert_eq!(home.run(&job).inserted, 210_000);
        let most: u64 = home.rows("select max(read) from rowmill.batch")[0].parse().unwrap();
        assert!(most < 10_000, "{place}: {most} rows in a batch of 5,000");
    }
}

/// How many rows were written since the statistics were gathered, as the server counts them: some
/// time after they were.
fn changed_rows(home: &Home) -> u64 {
    let sql = "select coalesce(n_mod_since_analyze, 0) from pg_stat_all_tables \
               where relid = 'a'::regclass";
    home.rows(sql)[0].parse().unwrap()
}

/// batch 3.6.3, 3.7.3: rows that lie in the order of their key, so that those of a block say little of the
/// others.
#[test]
fn parts_from_a_sample_have_about_the_rows_of_a_batch() {
    let home = Home::postgres();
    home.sql(
        "create table a (k bigint primary key, v int);
         insert into a select n, n from generate_series(1, 150000) n; analyze a",
    );
    let feed = whole(home.engine(), "a").partitions(Partitions::Sample);
    assert_eq!(
        home.run(&copy(&home, feed, "b", Mode::Append, &[]).batch_rows(500)).inserted,
        150_000
    );
    let most: u64 = home.rows("select max(read) from rowmill.batch")[0].parse().unwrap();
    assert!((500..1_250).contains(&most), "{most}");
}

/// batch 3.6.1: with no two rows of one number, a range has no more rows than it is long.
#[test]
fn a_key_with_few_gaps_is_cut_into_ranges_of_one_length_and_one_with_many_is_sampled() {
    let home = Home::postgres();
    home.sql(
        "create table a (k integer primary key, v int) with (autovacuum_enabled = off);
         insert into a select n, n from generate_series(-40000, 109999) n where n % 10 <> 0",
    );
    home.sql("analyze a");
    let (batches, told) = plan(&home, &whole(home.engine(), "a"), rows(500));
    assert!(told.contains("of the same length") && batches.len() == 300, "{told}");
    let job = copy(&home, whole(home.engine(), "a"), "b", Mode::Append, &[]).batch_rows(500);
    assert_eq!(home.run(&job).inserted, 135_000);
    let most: u64 = home.rows("select max(read) from rowmill.batch")[0].parse().unwrap();
    assert!((400..=500).contains(&most), "{most}");
    assert_same(&home, "a", "b");
    home.sql("insert into a values (2000000, 0)");
    let (_, told) = plan(&home, &whole(home.engine(), "a"), rows(500));
    assert!(told.contains("from a sample"), "{told}");
}

/// batch 3.6.1: nor is a table numbered row by row that is small enough to be counted.
#[test]
fn a_small_table_with_few_gaps_is_counted_and_cut_into_ranges_of_one_length() {
    let home = Home::postgres();
    home.sql(
        "create table a (k bigint primary key, v int) with (autovacuum_enabled = off);
         insert into a select n, n from generate_series(-4000, 15999) n where n % 10 <> 0",
    );
    for analyze in ["", "analyze a"] {
        home.sql(analyze);
        let (batches, told) = plan(&home, &whole(home.engine(), "a"), rows(500));
        assert!(told.contains("of the same length") && batches.len() == 40, "{told}");
        assert_eq!(batches.iter().map(|bounds| bounds.rows).sum::<u64>(), 18_000);
    }
    let job = copy(&home, whole(home.engine(), "a"), "b", Mode::Append, &[]).batch_rows(500);
    assert_eq!(home.run(&job).inserted, 18_000);
    assert_eq!(home.rows("select max(read) <= 500 from rowmill.batch"), ["t"]);
    assert_same(&home, "a", "b");
    let exact = whole(home.engine(), "a").partitions(Partitions::Exact);
    assert!(plan(&home, &exact, rows(500)).1.contains("by exact ranges"));
    home.sql("insert into a values (2000000, 0)");
    let (_, told) = plan(&home, &whole(home.engine(), "a"), rows(500));
    assert!(told.contains("by exact ranges"), "{told}");
}

#[test]
fn a_query_is_read_by_the_key_it_yields() {
    on_both(|home| {
        home.sql("create table a (id bigint primary key, v text)");
        let rows: Vec<_> = (0..500).map(|n| format!("({n}, 'v; -- {n}')")).collect();
        home.sql(&format!("insert into a values {}", rows.join(", ")));
        let sql = "with odd as (select id, v from a where id % 2 = 1)\nselect * from odd -- all;";
        let query = || TableColumns::query(sql, columns_of(home.engine(), "a")).unwrap();
        let feed = query().key(vec![Ident::new("id").unwrap()]);
        let job = copy(home, feed, "b", Mode::Append, &[]).batch_rows(50).workers(4);
        let report = job.run(home.engine()).unwrap();
        assert_eq!(report.inserted, 250);
        assert!(report.batches >= 3, "{}", report.batches);
        let left = home.rows("select count(*) from a join b on a.id = b.id and a.v = b.v");
        assert_eq!(left, ["250"]);
        let error = home.fails(&copy(home, query(), "c", Mode::Append, &[]));
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("name the columns of a key"), "{error}");
    });
}

#[test]
fn a_query_that_writes_is_refused_by_the_database_too() {
    let home = Home::postgres();
    home.sql(
        "create table a (id bigint primary key); insert into a values (1);
         create function gone() returns setof bigint language sql as 'delete from a returning id'",
    );
    let sql = "select id from gone() as gone (id)";
    let feed = TableColumns::query(sql, columns_of(home.engine(), "a")).unwrap();
    let feed = feed.key(vec![Ident::new("id").unwrap()]);
    let error = home.fails(&copy(&home, feed, "b", Mode::Append, &[]));
    assert_eq!(error.sqlstate().unwrap().code(), "25006", "{error}");
    assert_eq!(home.rows("select id from a"), ["1"]);
}

#[test]
fn what_cannot_be_promised_is_refused_with_the_reason() {
    let home = Home::postgres();
    home.sql("create table a (v text); create view w as select * from a");
    let per_batch = whole(home.engine(), "a").consistency(Consistency::PerBatch);
    let error = home.fails(&copy(&home, per_batch, "b", Mode::Append, &[])).to_string();
    assert!(error.contains("a row twice, or not at all"), "{error}");
    let error = home.fails(&copy(&home, whole(home.engine(), "w"), "b", Mode::Append, &[]));
    assert!(error.to_string().contains("name the columns of a key"), "{error}");
    let lite = Home::sqlite();
    lite.sql("create table a (id integer primary key)");
    for consistency in [Consistency::Snapshot, Consistency::Static] {
        let feed = whole(lite.engine(), "a").consistency(consistency);
        let error = lite.fails(&copy(&lite, feed, "b", Mode::Append, &[])).to_string();
        assert!(error.contains("take consistency per-batch"), "{error}");
    }
}

#[test]
fn one_value_of_a_key_that_does_not_fit_into_a_batch_is_refused() {
    let home = Home::postgres();
    home.sql(
        "create table a (k int, v int); insert into a select 1, n from generate_series(1, 3000) n",
    );
    let feed = whole(home.engine(), "a").key(vec![Ident::new("k").unwrap()]);
    let job = copy(&home, feed, "b", Mode::Append, &[]).batch_rows(100);
    let error = job.run(home.engine()).unwrap_err().to_string();
    assert!(error.contains("3000 rows have one value of the key"), "{error}");
}
