//! Which indexes are built anew, that they are what they were, and that no dead row is left.

use super::*;
use parking_lot::Mutex;
use rowmill::Error;

/// Indexes of all sorts that are built anew.
const SORTS: [&str; 6] = [
    "create index a_plain on items (name collate \"C\" text_pattern_ops desc nulls last)",
    "create index a_some on items (price) where name is not null and not (price is null)",
    "create index a_more on items (price) include (name) with (fillfactor = 70)",
    "create index a_hash on items using hash (name)",
    "create index a_brin on items using brin (id int8_minmax_multi_ops (values_per_range = 16)) \
     with (pages_per_range = 8, autosummarize = on)",
    "create index \"a \"\"Quoted\"\" one\" on items (id, price)",
];

/// Those that are not, for what they do or for what hangs on them.
const STAYING: [&str; 8] = [
    "create index b_expression on items (lower(name))",
    "create index b_gist on items using gist (point(price, price))",
    "create index b_computes on items (price) where price > 0",
    "create unique index b_unique on items (name)",
    "create index b_comment on items (name); comment on index b_comment is 'for the report'",
    "create index b_cluster on items (price); alter table items cluster on b_cluster",
    "create unique index b_identity on items (id); alter table items replica identity using index b_identity",
    "alter table items add constraint b_excluded exclude using btree (id with =)",
];

/// batch 3.8.5
#[test]
fn what_only_serves_reading_is_built_anew_and_everything_is_as_it_was() {
    let database = database();
    let space = format!("space_{}", database.name());
    let mut client = database.connect();
    client.batch_execute("set allow_in_place_tablespaces = on").unwrap();
    client.batch_execute(&format!("create tablespace {space} location ''")).unwrap();
    SORTS.iter().chain(&STAYING).for_each(|sql| database.sql(sql));
    database.sql(&format!("create index a_space on items (price) tablespace {space}"));
    let (before, numbers_before) = (catalog(&database), numbers(&database));
    let report = run(&database, &job(Indexes::Rebuild));
    assert_eq!((report.inserted, report.deleted), (ROWS as u64, OLD_ROWS));
    assert_new(&database, "behind it");
    assert_eq!(catalog(&database), before);
    let behind = numbers(&database);
    assert_eq!(behind.len(), 18);
    for (before, behind) in numbers_before.iter().zip(&behind) {
        let name = before.0.trim_start_matches('"');
        let is_anew = name.starts_with('a') || name == "by_name" || name == "by_price";
        assert_eq!(before.1 != behind.1, is_anew, "{name}");
    }
    database.sql("drop table items");
    client.batch_execute(&format!("drop tablespace {space}")).unwrap();
}

#[test]
fn the_indexes_of_the_session_go_where_they_were_whatever_its_default_tablespace_is() {
    let database = database();
    let space = format!("space_{}", database.name());
    let mut client = database.connect();
    client.batch_execute("set allow_in_place_tablespaces = on").unwrap();
    client.batch_execute(&format!("create tablespace {space} location ''")).unwrap();
    let name = database.name();
    database.sql(&format!("alter database \"{name}\" set default_tablespace = '{space}'"));
    let before = catalog(&database);
    run(&database, &job(Indexes::Rebuild));
    assert_eq!(catalog(&database), before);
    database.sql(&format!("alter database \"{name}\" reset default_tablespace"));
    database.sql("drop schema rowmill cascade");
    client.batch_execute(&format!("drop tablespace {space}")).unwrap();
}

#[test]
fn no_dead_row_is_left() {
    let first_place = |indexes| {
        let database = database();
        run(&database, &job(indexes));
        let pages = database.value("select pg_relation_size('items') / 8192");
        (database.value("select min(ctid) from items"), pages.parse::<u64>().unwrap())
    };
    let (kept, rebuilt) = (first_place(Indexes::Keep), first_place(Indexes::Rebuild));
    assert_eq!(rebuilt.0, "(0,1)");
    assert!(kept.0 != "(0,1)" && kept.1 > rebuilt.1, "{kept:?}, {rebuilt:?}");
}

/// Notes why indexes were kept.
#[derive(Default)]
struct Kept(Mutex<Option<String>>);

impl Observer for Kept {
    fn indexes_kept(&self, why: &Error) {
        *self.0.lock() = Some(format!("{} {why}", why.sqlstate().unwrap()));
    }
}

/// A text that no compression makes smaller by much.
fn noise(bytes: usize) -> String {
    let mut state = 7_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (state >> 33) as u8 % 90)
    };
    (0..bytes).map(|_| next()).collect()
}

#[test]
fn a_row_that_is_too_large_for_an_index_is_rejected_as_ever_and_the_run_says_why() {
    let database = database();
    let before = (catalog(&database), numbers(&database));
    let kept = Arc::new(Kept::default());
    let items = || {
        let mut items: Vec<_> = (0..ROWS).map(item).collect();
        items[77].name = Some(noise(8_000));
        items
    };
    let report = run(&database, &watched(job_of(Indexes::Rebuild, items), &kept));
    let counts = (report.inserted, report.deleted, report.rejected);
    assert_eq!(counts, (ROWS as u64 - 1, OLD_ROWS, 1));
    assert!(report.balances());
    let reject = "select sqlstate || ' ' || input_row from rowmill.reject";
    assert_eq!(database.value(reject), "54000 78");
    assert_eq!(database.value("select count(*) from items where id = 77"), "0");
    assert_eq!((catalog(&database), numbers(&database)), before);
    let why = kept.0.lock().take().expect("the run says so");
    assert!(why.starts_with("54000") && why.contains("by_name") && !why.contains('!'), "{why}");
}
