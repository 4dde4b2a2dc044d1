//! A job whose rows go to several databases: each row is on its shard, once.

use crate::support::shards::{Shards, on_both_shards};
use rowmill::{
    Append, Cell, ColumnType, Csv, CsvColumn, CsvColumns, CsvFormat, Engine, Entity, Error,
    ErrorKind, Feed, Ident, Iter, Job, MaxRejects, Mirror, Mode, RejectClass, Report, ShardMap,
    ShardedEngine, Status, TableName, Target, Upsert,
};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Debug, PartialEq, Eq, Entity)]
#[entity(table = "sale")]
struct Sale {
    #[entity(key)]
    id: i64,
    #[entity(shard_key)]
    customer: i64,
    note: Option<String>,
}

const ROWS: i64 = 1_000;

fn sale(id: i64) -> Sale {
    Sale { id, customer: id / 3, note: (id % 7 > 0).then(|| format!("note {id}")) }
}

/// Appends all sales, and counts how often a row was read.
fn append(read: &Arc<AtomicU64>) -> Job {
    let read = Arc::clone(read);
    Job::named("sales")
        .read(Iter::new("sales", || (0..ROWS).map(sale)))
        .map(move |sale| {
            read.fetch_add(1, Ordering::Relaxed);
            Ok(sale)
        })
        .write(Append::<Sale>::new().create(true))
        .batch_rows(70)
        .workers(3)
}

fn texts(engine: &Engine, sql: &str) -> Vec<String> {
    let mut rows = Vec::new();
    let read = engine.query(sql, &[], |row| {
        rows.push(String::unpack(row.cell(0)?)?);
        Ok(())
    });
    read.unwrap();
    rows
}

const SALES: &str =
    "SELECT id || '|' || customer || '|' || coalesce(note, '-') FROM sale ORDER BY id";

/// Each shard has the rows that the map places there, in their order, and no other.
#[expect(clippy::needless_pass_by_value, reason = "it is read once for each shard")]
fn assert_exact(shards: &ShardedEngine, sales: impl Iterator<Item = Sale> + Clone) {
    for shard in shards.ids() {
        let own = sales.clone().filter(|sale| shards.shard_of_entity(sale).unwrap() == shard);
        let expected: Vec<_> = own
            .map(|Sale { id, customer, note }| {
                format!("{id}|{customer}|{}", note.unwrap_or_else(|| "-".to_owned()))
            })
            .collect();
        let name = shards.map().name_of(shard);
        assert_eq!(texts(shards.engine(shard), SALES), expected, "{name}");
    }
}

/// Every row of every shard went somewhere, and the shards together are the whole.
fn assert_balanced(report: &Report) {
    assert!(report.balances(), "{report:?}");
    let sum = |of: fn(&rowmill::ShardReport) -> u64| report.shards.iter().map(of).sum::<u64>();
    assert_eq!(sum(|shard| shard.read), report.read);
    assert_eq!(sum(|shard| shard.inserted), report.inserted);
    assert_eq!(sum(|shard| shard.rejected), report.rejected);
    for shard in &report.shards {
        let kept = shard.inserted + shard.updated + shard.unchanged;
        assert_eq!(kept + shard.left_out + shard.rejected, shard.read, "{shard:?}");
    }
}

#[test]
fn each_row_is_on_its_shard_and_the_source_was_read_once_for_all() {
    on_both_shards(3, |databases| {
        let shards = databases.open();
        let read = Arc::default();
        let report = append(&read).run_on_shards(&shards).unwrap();
        assert_eq!((report.status, report.inserted), (Status::Complete, ROWS as u64));
        assert_balanced(&report);
        assert_eq!(report.batches, 3 * 15);
        assert!(report.shards.iter().all(|shard| shard.batches_done == Some(15)), "{report:?}");
        assert_exact(&shards, (0..ROWS).map(sale));
        assert_eq!(read.load(Ordering::Relaxed), ROWS as u64);

        let again = append(&read).run_on_shards(&shards).unwrap();
        assert_eq!((again.status, again.inserted), (Status::AlreadyComplete, ROWS as u64));
        assert_eq!(again.batches_reused, again.batches);
        assert_exact(&shards, (0..ROWS).map(sale));
        assert_eq!(read.load(Ordering::Relaxed), ROWS as u64);
    });
}

#[test]
fn shard_by_shard_on_one_thread_is_the_same() {
    on_both_shards(3, |databases| {
        let shards = databases.open();
        let serial = append(&Arc::default()).run_serial_on_shards(&shards).unwrap();
        assert_balanced(&serial);
        assert_exact(&shards, (0..ROWS).map(sale));
        let twins = Shards::sqlite(3);
        let parallel = append(&Arc::default()).run_on_shards(&twins.open()).unwrap();
        assert_eq!(serial.shards, parallel.shards);
    });
}

/// Sales that were there already, some of them otherwise; a third of the input names a key twice.
#[test]
fn an_upsert_counts_on_each_shard_what_it_did_there() {
    on_both_shards(3, |databases| {
        let shards = databases.open();
        append(&Arc::default()).run_on_shards(&shards).unwrap();
        let newer = |id: i64| match id % 5 {
            0 => Sale { note: Some("newer".to_owned()), ..sale(id) },
            _ => sale(id),
        };
        let sales = || (0..ROWS + 50).map(newer);
        let input = move || (0..ROWS + 50).map(newer).chain((0..30).map(newer));
        let job = |name: &str| {
            let read = Iter::new("sales", input);
            Job::named(name).read(read).write(Upsert::<Sale>::new()).batch_rows(90).workers(4)
        };
        let report = job("newer").run_on_shards(&shards).unwrap();
        assert_balanced(&report);
        assert_eq!((report.inserted, report.updated, report.duplicates), (50, 200, 30));
        assert_exact(&shards, sales());
        let again = job("again").run_serial_on_shards(&shards).unwrap();
        assert_eq!((again.written, again.unchanged), (0, ROWS as u64 + 50));
        assert_balanced(&again);
        assert_exact(&shards, sales());
    });
}

/// A load of a CSV file into `item`, whose shard key may be missing or be no number.
fn items(folder: &std::path::Path, mode: Mode, text: &str) -> Job {
    let path = folder.join("items.csv");
    std::fs::write(&path, text).unwrap();
    let column = |name, of_type| CsvColumn::new(Ident::new(name).unwrap(), of_type);
    let columns = vec![
        column("id", ColumnType::Int8),
        column("owner", ColumnType::Int4),
        column("size", ColumnType::Int2),
    ];
    let feed = CsvColumns::open(path, CsvFormat::new(), columns).unwrap();
    let key = if mode == Mode::Append { Vec::new() } else { vec!["id".to_owned()] };
    let table = TableName::parse("item").unwrap();
    let mut target = Target::new(table, feed.columns().to_vec(), key, mode).unwrap();
    target.create = true;
    Job::named("items").feed(Arc::new(feed), target).shard_key("owner").batch_rows(3).workers(3)
}

/// Of 24 items, in batches of three: every fifth has no owner, one an owner that is none, the others
/// sizes that are none, with owners whose shards can be told.
fn broken_items() -> String {
    let mut text = "id,owner,size\n".to_owned();
    for id in 0..24 {
        let owner = match id {
            7 => "x".to_owned(),
            _ if id % 5 == 0 => String::new(),
            _ => id.to_string(),
        };
        let size = if id % 4 == 2 && id % 5 > 0 { "99999" } else { "1" };
        writeln!(text, "{id},{owner},{size}").unwrap();
    }
    text
}

fn shard_name(shards: &ShardedEngine, key: i32) -> String {
    let shard = shards.shard_of(key).unwrap();
    shards.map().name_of(shard).to_owned()
}

/// The rejects of each shard, in input order: `shard|input row|stage|code|column`.
fn rejects(databases: &Shards, shards: &ShardedEngine) -> Vec<String> {
    let table = if databases.is_postgres() { "rowmill.reject" } else { "rowmill_reject" };
    let sql = format!(
        "SELECT input_row || '|' || stage || '|' || sqlstate || '|' || column_name FROM {table} \
         ORDER BY input_row"
    );
    let of_shard = |shard| {
        let name = shards.map().name_of(shard).to_owned();
        texts(shards.engine(shard), &sql).into_iter().map(move |reject| format!("{name}|{reject}"))
    };
    shards.ids().flat_map(of_shard).collect()
}

#[test]
fn a_reject_is_on_the_shard_of_its_row_and_one_without_a_shard_on_the_first() {
    for mode in [Mode::Append, Mode::Upsert] {
        on_both_shards(3, |databases| {
            let shards = databases.open();
            let folder = tempfile::tempdir().unwrap();
            let job = items(folder.path(), mode, &broken_items());
            let report = job.run_on_shards(&shards).unwrap();
            assert_balanced(&report);
            let mut expected = Vec::new();
            let mut kept: Vec<(String, i32)> = Vec::new();
            for id in 0..24 {
                let row = id + 1;
                match id {
                    7 => expected.push(("a".to_owned(), row, "convert|22P02|owner")),
                    _ if id % 5 == 0 => {
                        expected.push(("a".to_owned(), row, "precheck|23502|owner"));
                    }
                    _ if id % 4 == 2 => {
                        expected.push((shard_name(&shards, id), row, "precheck|22003|size"));
                    }
                    _ => kept.push((shard_name(&shards, id), id)),
                }
            }
            expected.sort();
            let expected: Vec<_> =
                expected.iter().map(|(shard, row, why)| format!("{shard}|{row}|{why}")).collect();
            assert_eq!(rejects(databases, &shards), expected, "{mode}");
            for shard in shards.ids() {
                let name = shards.map().name_of(shard);
                let own = kept.iter().filter(|(of, _)| of == name).map(|(_, id)| id.to_string());
                let found = texts(
                    shards.engine(shard),
                    "SELECT CAST(i.id AS text) FROM item AS i ORDER BY i.id",
                );
                assert_eq!(found, own.collect::<Vec<_>>(), "{name}, {mode}");
            }
        });
    }
}

#[test]
fn a_key_that_the_map_does_not_list_is_rejected_and_never_guessed() {
    let databases = Shards::sqlite(2);
    let map = ShardMap::lookup([(1_i32, "a"), (2, "b")], None).unwrap();
    let shards = ShardedEngine::open(map, databases.urls().iter().cloned()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let job = items(folder.path(), Mode::Append, "id,owner,size\n1,1,1\n2,2,1\n3,3,1\n");
    let report = job.run_on_shards(&shards).unwrap();
    assert_eq!((report.inserted, report.rejected), (2, 1));
    assert_balanced(&report);
    assert_eq!(rejects(&databases, &shards), ["a|3|precheck|23514|owner"]);
}

#[test]
fn the_limits_of_rejects_are_of_all_shards_together() {
    on_both_shards(3, |databases| {
        let shards = databases.open();
        let folder = tempfile::tempdir().unwrap();
        let text = broken_items();
        let all = text.lines().skip(1).count() as u64;
        let job = |limit| items(folder.path(), Mode::Append, &text).max_rejects(limit);
        // Five without an owner, one whose owner is none, and five sizes: on several shards.
        let (report, error) = job(MaxRejects::Count(10)).report_on_shards(&shards);
        let error = error.unwrap();
        assert_eq!((error.kind(), report.status), (ErrorKind::RejectLimit, Status::RejectLimit));
        assert!(error.to_string().contains("max_rejects"), "{error:?}");
        assert!(rejects(databases, &shards).len() <= 10);
        // What was rejected before counts in the next run, too.
        let error = job(MaxRejects::Count(10)).run_on_shards(&shards).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RejectLimit);
        let of_size = RejectClass::parse("22003").unwrap();
        let limited = job(MaxRejects::Count(11)).max_rejects_of(of_size, MaxRejects::Count(4));
        assert_eq!(limited.run_on_shards(&shards).unwrap_err().kind(), ErrorKind::RejectLimit);
        let report = job(MaxRejects::Count(11)).run_on_shards(&shards).unwrap();
        assert_eq!((report.read, report.rejected), (all, 11));
        assert_balanced(&report);
        assert_eq!(rejects(databases, &shards).len(), 11);
    });
}

#[test]
fn a_map_that_changed_between_a_run_and_its_restart_is_refused_with_the_difference() {
    on_both_shards(3, |databases| {
        let shards = databases.open();
        // The shard c has no room for it: the others are through, and it is not.
        shards
            .engine(shards.map().shard_named("c").unwrap())
            .run("create table sale (x text)")
            .unwrap();
        let (report, error) = append(&Arc::default()).report_on_shards(&shards);
        let error = error.unwrap();
        assert_eq!((error.kind(), error.place().shard.as_deref()), (ErrorKind::Schema, Some("c")));
        let statuses: Vec<_> = report.shards.iter().map(|shard| shard.status).collect();
        assert_eq!(statuses, [Status::Complete, Status::Complete, Status::Failed]);
        let before: Vec<_> =
            shards.ids().map(|shard| report.shards[shard.index()].inserted).collect();
        shards.engine(shards.map().shard_named("c").unwrap()).run("drop table sale").unwrap();

        let b = shards.map().shard_named("b").unwrap();
        let newer = shards.map().with_buckets_on([0], b).unwrap();
        let moved = ShardedEngine::builder(newer);
        let moved =
            databases.urls().iter().fold(moved, |moved, (name, url)| moved.shard(name, url));
        let moved = moved.build().unwrap();
        moved.publish().unwrap();
        let error = append(&Arc::default()).run_on_shards(&moved).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error.message().contains(
                "the shard map is version 2 here, and was version 1 there, when it began: \
                 1 buckets are elsewhere, bucket 0 on b here and on a there"
            ),
            "{error}"
        );
        // Who has the map of the job is refused by the shards, and nothing was written by either.
        let error = append(&Arc::default()).run_on_shards(&databases_of(databases)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Shard);
        for shard in shards.ids().filter(|shard| shards.map().name_of(*shard) != "c") {
            let count = texts(shards.engine(shard), "SELECT CAST(count(*) AS text) FROM sale");
            assert_eq!(count, [before[shard.index()].to_string()]);
        }
    });
}

/// An engine by the first map that asked nobody yet.
fn databases_of(databases: &Shards) -> ShardedEngine {
    let builder = ShardedEngine::builder(databases.map());
    let urls = databases.urls().iter();
    urls.fold(builder, |builder, (name, url)| builder.shard(name, url)).build().unwrap()
}

#[test]
fn what_cannot_be_spread_is_refused_before_anything_is_done() {
    let databases = Shards::sqlite(2);
    let shards = databases.open();
    let mirror = Job::named("sales")
        .read(Iter::new("sales", || (0..9).map(sale)))
        .write(Mirror::<Sale>::new().create(true));
    let error = mirror.run_on_shards(&shards).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("mode mirror is not for shards"), "{error}");
    let error = append(&Arc::default()).shard_key("custmer").run_on_shards(&shards).unwrap_err();
    assert!(error.hint().unwrap().contains("did you mean customer?"), "{error:?}");
    let joined = append(&Arc::default()).join(None).run_on_shards(&shards).unwrap_err();
    assert_eq!(joined.kind(), ErrorKind::Unsupported);
    let none = shards.ids().map(|shard| shards.engine(shard).get().unwrap());
    let table = TableName::parse("sale").unwrap();
    assert!(none.into_iter().all(|mut one| one.table_info(&table).unwrap().is_none()));
}

#[test]
fn shards_share_a_budget_of_connections_that_is_smaller_than_they_are_many() {
    let databases = Shards::postgres(3);
    let builder = ShardedEngine::builder(databases.map()).connections(2);
    let urls = databases.urls().iter();
    let shards =
        urls.fold(builder, |builder, (name, url)| builder.shard(name, url)).build().unwrap();
    shards.check().unwrap();
    let report = append(&Arc::default()).workers(9).run_on_shards(&shards).unwrap();
    assert_balanced(&report);
    assert_exact(&shards, (0..ROWS).map(sale));
    assert!(shards.budget().unwrap().open() <= 2);
}

#[test]
fn a_closure_that_panics_ends_the_runs_of_all_shards_and_the_next_one_carries_on() {
    let databases = Shards::sqlite(3);
    let shards = databases.open();
    let job = |panics: bool| {
        Job::named("sales")
            .read(Iter::new("sales", || (0..ROWS).map(sale)))
            .map(move |sale| {
                assert!(!panics || sale.id != 500, "as the test wants it");
                Ok(sale)
            })
            .write(Append::<Sale>::new().create(true))
            .batch_rows(70)
            .workers(6)
    };
    let error = job(true).run_on_shards(&shards).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panic);
    let report = job(false).run_on_shards(&shards).unwrap();
    assert_balanced(&report);
    assert_exact(&shards, (0..ROWS).map(sale));
}

/// Rows that a closure refuses are on the first shard, wherever they belong.
#[test]
fn a_replay_writes_to_the_shard_of_the_reject_and_leaves_what_belongs_to_another_one() {
    on_both_shards(2, |databases| {
        let shards = databases.open();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sales.csv");
        let mut text = "id,customer,note\n".to_owned();
        (0..20).for_each(|id| writeln!(text, "{id},{id},").unwrap());
        std::fs::write(&path, text).unwrap();
        let job = |refuses: bool| {
            Job::named("sales")
                .read(Csv::<Sale>::open(&path).unwrap())
                .map(move |sale| match refuses && sale.id < 8 {
                    true => Err(Error::new(ErrorKind::Decode, "refused")),
                    false => Ok(sale),
                })
                .write(Append::<Sale>::new().create(true))
                .batch_rows(6)
        };
        let report = job(true).run_on_shards(&shards).unwrap();
        assert_eq!((report.rejected, report.shards[0].rejected), (8, 8));
        let a = shards.map().shard_named("a").unwrap();
        let here = (0..8_i64).filter(|id| shards.shard_of(*id).unwrap() == a).count() as u64;
        assert!((1..8).contains(&here), "{here}");
        let replayed = job(false).replay_on_shards(&shards, false).unwrap();
        let told = replayed[0].1.as_ref().unwrap();
        assert_eq!((told.open, told.resolved, told.refused), (8, here, 8 - here));
        assert_eq!(replayed[1].1.as_ref().unwrap().open, 0);
        let table = if databases.is_postgres() { "rowmill.reject" } else { "rowmill_reject" };
        let open = format!("SELECT message FROM {table} WHERE resolved_at IS NULL");
        let why = "the row belongs to the shard b: export it, and load it as a job";
        assert!(texts(shards.engine(a), &open).iter().all(|message| message == why));
        let own = (0..20).map(|id| Sale { id, customer: id, note: None });
        let is_there = |sale: &Sale| sale.id >= 8 || shards.shard_of(sale.customer).unwrap() == a;
        assert_exact(&shards, own.filter(|sale| is_there(sale)));
    });
}
