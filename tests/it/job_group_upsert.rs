//! Batches of an upsert that are apart share a transaction, and nothing else is different: the same rows,
//! the same ledger, the same rejects, each row written once.

use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::trial::{Random, seed};
use crate::support::{Running, TestDb, rowmill, shared};
use rowmill::{
    Consistency, Engine, Entity, Job, MaxRejects, Mirror, Pipeline, Report, Table, Upsert,
};
use std::sync::Once;

const BATCHES: i64 = 60;
const BATCH_ROWS: i64 = 20;
const ROWS: i64 = BATCHES * BATCH_ROWS;

#[derive(Clone, Debug, Entity)]
#[entity(table = "a")]
struct Item {
    #[entity(key)]
    id: i64,
    value: i64,
}

#[derive(Clone, Debug, Entity)]
#[entity(table = "t")]
struct Row {
    #[entity(key)]
    id: i32,
    value: i64,
}

/// Tables `a`, with numbers and their doubles, and `t`, which has some of them already.
fn scene() -> TestDb<'static> {
    let db = shared().database("group");
    db.sql(&format!(
        "create table t (id integer primary key, value bigint not null); \
         create table a (id bigint primary key, value bigint not null); \
         insert into a select n, 2 * n from generate_series(1, {ROWS}) n; analyze a"
    ));
    db
}

/// Has `t` rows of all kinds: those up to 400 will be others, those up to 500 are there as they will be,
/// and of the last 400 every third is another.
fn fill(db: &TestDb<'_>) {
    db.sql(
        "insert into t select n, 0 from generate_series(1, 400) n; \
         insert into t select n, 2 * n from generate_series(401, 500) n; \
         insert into t select n, 0 from generate_series(801, 1200, 3) n",
    );
}

fn read(change: impl Fn(Item) -> (i64, i64) + Send + Sync + 'static) -> Pipeline<Row> {
    let items = Table::<Item>::all().consistency(Consistency::PerBatch);
    Job::named("night").read(items).map(move |item| {
        let (id, value) = change(item);
        Ok(Row { id: id as i32, value })
    })
}

fn upsert(change: impl Fn(Item) -> (i64, i64) + Send + Sync + 'static) -> Job {
    sized(read(change).write(Upsert::<Row>::new()))
}

fn sized(job: Job) -> Job {
    job.batch_rows(BATCH_ROWS as u64).max_rejects(MaxRejects::Count(10)).workers(2)
}

const AS_IT_IS: fn(Item) -> (i64, i64) = |item| (item.id, item.value);

fn run(db: &TestDb<'_>, job: &Job) -> Report {
    job.run(&Engine::open(&db.url()).unwrap()).unwrap()
}

fn counts(report: &Report) -> [u64; 6] {
    let Report { read, inserted, updated, unchanged, duplicates, rejected, .. } = report;
    [*read, *inserted, *updated, *unchanged, *duplicates, *rejected]
}

/// How many transactions marked the batches of the source.
fn transactions(db: &TestDb<'_>) -> u64 {
    let sql = "select count(distinct xmin::text) from rowmill.batch where phase = 0";
    db.value(sql).parse().unwrap()
}

/// What the ledger says of each batch.
fn ledger(db: &TestDb<'_>) -> String {
    db.value(
        "select string_agg(concat_ws(' ', number, done, read, inserted, updated, unchanged, rejected), \
         ', ' order by number) from rowmill.batch where phase = 0",
    )
}

fn rows(db: &TestDb<'_>) -> String {
    db.value("select string_agg(id || ' ' || value, ', ' order by id) from t")
}

/// Runs a job with groups and one without; both have the same rows and the same ledger.
fn twins(prepare: impl Fn(&TestDb<'_>), job: impl Fn() -> Job) -> (TestDb<'static>, Report) {
    let (grouped, alone) = (scene(), scene());
    prepare(&grouped);
    prepare(&alone);
    let report = run(&grouped, &job());
    let other = run(&alone, &job().batches_a_transaction(1));
    assert_eq!(counts(&report), counts(&other));
    assert_eq!(report.deleted, other.deleted);
    assert_eq!(rows(&grouped), rows(&alone));
    assert_eq!(ledger(&grouped), ledger(&alone));
    assert_eq!(transactions(&alone), other.batches);
    (grouped, report)
}

#[test]
fn batches_that_are_apart_share_a_transaction_and_each_has_its_own_counts() {
    let (db, report) = twins(fill, || upsert(AS_IT_IS));
    assert_eq!(counts(&report), [1_200, 566, 534, 100, 0, 0]);
    assert!(transactions(&db) < report.batches, "{} transactions", transactions(&db));
    let wrong = "select count(*) from a full join t on t.id = a.id and t.value = a.value \
                 where a.id is null or t.id is null";
    assert_eq!(db.value(wrong), "0");
    let seconds =
        "select count(*) from rowmill.batch where phase = 0 and seconds > 0 and run_id > 0";
    assert_eq!(db.value(seconds), report.batches.to_string());
}

#[test]
fn rows_that_are_all_new_or_all_there_are_counted_as_such() {
    let (new, report) = twins(|_| (), || upsert(AS_IT_IS));
    assert_eq!(counts(&report), [1_200, 1_200, 0, 0, 0, 0]);
    assert!(transactions(&new) < report.batches);
    let there = |db: &TestDb<'_>| db.sql("insert into t select id, 0 from a");
    let (there, report) = twins(there, || upsert(AS_IT_IS));
    assert_eq!(counts(&report), [1_200, 0, 1_200, 0, 0, 0]);
    assert!(transactions(&there) < report.batches);
}

#[test]
fn a_group_that_has_filtered_rows_and_whole_batches_of_them_is_counted_all_the_same() {
    let job = || {
        let rows = read(AS_IT_IS).filter(|row| row.id % 7 != 0 && !(300..400).contains(&row.id));
        sized(rows.write(Upsert::<Row>::new()))
    };
    let (db, report) = twins(fill, job);
    assert!(report.filtered > 250);
    assert_eq!(report.read, report.filtered + report.written + report.unchanged);
    assert!(transactions(&db) < report.batches);
}

#[test]
fn a_batch_that_is_not_apart_is_staged_alone_and_its_row_counts_where_it_is_the_last() {
    // Rows of a late batch get keys of early ones, one that is there and one that is new; and one of a
    // batch between gets a key of the next ones.
    let moved = |item: Item| match item.id {
        777 => (205, 999),
        778 => (505, 998),
        733 => (790, 997),
        id => (id, item.value),
    };
    let (db, report) = twins(fill, move || upsert(moved));
    // Which batch is the first to be stored makes no difference.
    let moved = "select string_agg(id || ' ' || value, ',' order by id) from t \
                 where id in (205, 505, 790)";
    assert_eq!(db.value(moved), "205 999,505 998,790 1580");
    assert_eq!(report.duplicates + report.written + report.unchanged, 1_200);
    assert!(transactions(&db) < report.batches);
    let staged = "select count(*) from rowmill.batch where phase = 0 \
                  and inserted + updated + unchanged = 0";
    assert_eq!(db.value(staged), "2");
    let merges = "select count(*) from rowmill.batch where phase = 1 and not done";
    assert_eq!(db.value(merges), "0");
}

#[test]
fn a_mirror_keeps_what_groups_have_stored_and_deletes_what_no_batch_has_named() {
    let before = |db: &TestDb<'_>| {
        fill(db);
        db.sql("insert into t select n, 1 from generate_series(2001, 2030) n");
    };
    let job = || sized(read(AS_IT_IS).write(Mirror::<Row>::new()));
    let (db, report) = twins(before, job);
    assert_eq!((counts(&report), report.deleted), ([1_200, 566, 534, 100, 0, 0], 30));
    assert!(transactions(&db) < report.batches);
}

/// batch R2: a row that the database refuses costs one row, whoever it shared a transaction with.
#[test]
fn a_row_that_is_refused_within_a_group_costs_one_row() {
    let db = scene();
    fill(&db);
    let (url, once) = (db.url(), Once::new());
    let job = upsert(move |item| {
        // A table that has such a check from the start is not written directly.
        once.call_once(|| {
            let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            client.batch_execute("alter table t add check (id <> 777)").unwrap();
        });
        (item.id, item.value)
    });
    let report = run(&db, &job.workers(1));
    assert_eq!(counts(&report), [1_200, 565, 534, 100, 0, 1]);
    assert!(transactions(&db) < report.batches);
    let reject = "select string_agg(sqlstate || ' ' || stage, ',') from rowmill.reject";
    assert_eq!(db.value(reject), "23514 store");
    assert_eq!(db.value("select count(*) from a left join t using (id) where t.id is null"), "1");
}

/// Cuts the connection at a COMMIT of a load that adds one to every row, and nothing else would be as
/// plain: a batch that is done twice, or not at all, shows in its rows.
fn cuts(at: Moment) {
    let (seed, proxy) = (seed(), Proxy::to(shared().port()));
    let mut random = Random(seed);
    let db = scene();
    let url = proxy.instead_of(&db.url());
    for number in 0..10 {
        db.sql("update a set value = 2 * id; drop schema if exists rowmill cascade");
        let items = Table::<Item>::all().consistency(Consistency::PerBatch);
        let job = Job::named("night").read(items);
        let job = job.map(|item| Ok(Item { value: item.value + 1, ..item }));
        let job = sized(job.write(Upsert::<Item>::new()));
        // The first is that of the plan, and others than those of groups are hit, too.
        let spared = 1 + random.below(8);
        proxy.set_after_commits(spared, Fault::Cut { at, end: End::Rst });
        let report = job.run(&Engine::open(&url).unwrap()).unwrap();
        assert_eq!(proxy.fault(), Fault::Pass, "{number}: nothing was cut, seed {seed}");
        assert_eq!(counts(&report), [1_200, 0, 1_200, 0, 0, 0], "{number}: seed {seed}");
        let wrong = db.value("select count(*) from a where value <> 2 * id + 1");
        assert_eq!(wrong, "0", "{number}: seed {seed}");
        assert!(ledger(&db).split(", ").all(|batch| batch.contains(" t ")), "seed {seed}");
    }
}

/// batch R6, F13
#[test]
fn an_upserted_group_whose_commit_held_and_whose_answer_is_lost_is_not_done_again() {
    cuts(Moment::AfterCommit);
}

/// batch R6, F12
#[test]
fn an_upserted_group_that_was_cut_before_its_commit_is_done_again() {
    cuts(Moment::BeforeCommit);
}

const JOB: &str = r#"
name = "night"
[source]
kind = "table"
url = "${ROWMILL_TARGET}"
table = "a"
key = ["id"]
consistency = "per-batch"
[target]
url = "${ROWMILL_TARGET}"
table = "t"
mode = "upsert"
key = ["id"]
[columns]
id = "integer"
value = "bigint"
[limits]
batch_rows = 20
workers = 2
"#;

/// batch R2: the process is killed at any message that it was about to send, and started again.
#[test]
fn a_process_that_is_killed_between_groups_or_within_one_is_carried_on() {
    let (seed, proxy) = (seed(), Proxy::to(shared().port()));
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let (job, report) = (folder.path().join("job.toml"), folder.path().join("report.json"));
    std::fs::write(&job, JOB).unwrap();
    let start = |url: &str| -> Running {
        let run = rowmill(["run"]).arg(&job).arg("--report").arg(&report);
        run.env("ROWMILL_TARGET", url).spawn()
    };
    let undisturbed = scene();
    fill(&undisturbed);
    proxy.set(Fault::Pass);
    let before = proxy.client_messages();
    assert_eq!(start(&proxy.instead_of(&undisturbed.url())).wait().code, Some(0));
    // A machine that has other things to do makes smaller groups, and so more messages.
    let mut messages = proxy.client_messages() - before;
    let mut met = 0;
    for _ in 0..20 {
        if met == 5 {
            break;
        }
        let db = scene();
        fill(&db);
        let url = proxy.instead_of(&db.url());
        let message = 1 + random.below(messages);
        proxy.set(Fault::Cut { at: Moment::ClientMessage(message), end: End::Silence });
        let mut run = start(&url);
        let is_there = run.wait_until(|_| proxy.fault() == Fault::Pass);
        let run = if is_there { run.kill() } else { run.wait() };
        let told = format!("message {message} of {messages}, seed {seed}");
        assert!(matches!(run.code, None | Some(0)), "{told}: {run}");
        met += u64::from(run.code.is_none());
        if run.code.is_some() {
            messages = messages.min(proxy.client_messages());
        }
        proxy.set(Fault::Pass);
        let run = start(&url).wait();
        assert_eq!(run.code, Some(0), "{told}: {run}");
        assert_eq!(rows(&db), rows(&undisturbed), "{told}");
        // A batch that was stored twice would find its rows unchanged.
        assert_eq!(ledger(&db), ledger(&undisturbed), "{told}");
    }
    assert_eq!(met, 5, "deaths, seed {seed}");
}
