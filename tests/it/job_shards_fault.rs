//! One of three shards is killed, silent or on another map in the middle of a job: the others finish,
//! the next run does what is missing, and every row is there once.

use crate::support::fake::until;
use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::{Cluster, Gate, TestDb, shared};
use parking_lot::Mutex;
use rowmill::{
    Append, BatchDone, Entity, ErrorKind, Iter, Job, Observer, Report, RetryPolicy, ShardMap,
    ShardedEngine, Status, Table, Upsert,
};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Entity)]
#[entity(table = "sale")]
struct Sale {
    #[entity(key)]
    id: i64,
    #[entity(shard_key)]
    customer: i64,
}

const NAMES: [&str; 3] = ["a", "b", "c"];
const ROWS: i64 = 900;
const BATCHES: u64 = 30;

/// Long enough for a machine under load, short enough for a test.
const SOON: Duration = Duration::from_secs(5);

fn sales() -> impl Iterator<Item = Sale> + Clone {
    (0..ROWS).map(|id| Sale { id, customer: id })
}

const SALE: &str = "create table sale (id bigint primary key, customer bigint not null)";

fn create_sale(databases: &[TestDb<'_>]) {
    for database in databases {
        database.sql(SALE);
    }
}

fn job() -> Job {
    settled(Job::named("sales").read(Iter::new("sales", sales)).write(Append::<Sale>::new()))
}

fn settled(job: Job) -> Job {
    let mut retry = RetryPolicy::default();
    retry.patience = Duration::from_millis(500);
    job.batch_rows(ROWS as u64 / BATCHES).workers(3).retry(retry)
}

fn open(urls: impl IntoIterator<Item = String>, map: ShardMap) -> ShardedEngine {
    let builder = ShardedEngine::builder(map)
        .engines(|_, builder| builder.timeout(SOON).connect_timeout(SOON));
    let named = NAMES.iter().zip(urls);
    let builder = named.fold(builder, |builder, (name, url)| builder.shard(*name, &url));
    builder.build().unwrap()
}

fn map() -> ShardMap {
    ShardMap::hashed(NAMES).unwrap()
}

fn assert_exact(databases: &[TestDb<'_>]) {
    let map = map();
    for (shard, database) in map.ids().zip(databases) {
        let own = sales().filter(|sale| map.shard_of(sale.customer).unwrap() == shard);
        let own: Vec<_> = own.map(|sale| sale.id.to_string()).collect();
        let found = database.rows("select s.id::text from sale s order by s.id");
        let found: Vec<_> = found.into_iter().filter_map(|mut row| row.remove(0)).collect();
        assert_eq!(found, own, "{}", map.name_of(shard));
    }
}

/// Does something once, when so many batches were done on whatever shard; no shard gets on meanwhile.
struct After<F> {
    batches: u64,
    done: Mutex<u64>,
    what: F,
}

impl<F: Fn() + Send + Sync> Observer for After<F> {
    fn batch_done(&self, _: &BatchDone) {
        let mut done = self.done.lock();
        *done += 1;
        if *done == self.batches {
            (self.what)();
        }
    }
}

fn after(batches: u64, what: impl Fn() + Send + Sync + 'static) -> Arc<dyn Observer> {
    Arc::new(After { batches, done: Mutex::new(0), what })
}

/// Batches that are done on a shard, each with the run that did it.
fn done(database: &TestDb<'_>) -> Vec<Vec<Option<String>>> {
    database.rows(
        "select number::text, run_id::text from rowmill.batch where phase = 0 and done order by number",
    )
}

/// The others are through, `b` is not, and the error says so.
fn assert_only_b_lacks(report: &Report, error: Option<rowmill::Error>, kinds: &[ErrorKind]) {
    let error = error.unwrap();
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert_eq!(error.place().shard.as_deref(), Some("b"), "{error}");
    assert!(error.message().contains("the shard b lacks"), "{error}");
    for shard in &report.shards {
        let expected = if shard.shard == "b" { Status::Failed } else { Status::Complete };
        assert_eq!(shard.status, expected, "{report:?}");
    }
    let lacking = report.shards[1].batches_done.unwrap();
    assert!(lacking < BATCHES, "{lacking}");
    assert!(report.shards[1].error.is_some());
}

#[test]
fn a_shard_that_is_killed_in_the_middle_costs_the_others_nothing_and_is_completed_later() {
    let clusters: Arc<[Cluster; 3]> = Arc::new(std::array::from_fn(|_| Cluster::durable()));
    let databases: Vec<_> = clusters.iter().map(|cluster| cluster.database("shard")).collect();
    create_sale(&databases);
    let shards = open(databases.iter().map(TestDb::url), map());
    shards.check().unwrap();
    let victim = Arc::clone(&clusters);
    let (report, error) =
        job().observer(after(12, move || victim[1].stop_immediate())).report_on_shards(&shards);
    assert_only_b_lacks(&report, error, &[ErrorKind::Connect, ErrorKind::Disconnect]);

    // It is down at the start, too: told at once, and nothing is done again.
    let (report, error) = job().report_on_shards(&shards);
    assert_eq!(error.unwrap().kind(), ErrorKind::Connect);
    assert_eq!(report.shards[0].status, Status::AlreadyComplete);
    assert_eq!(report.shards[1].batches_done, None);

    clusters[1].restart();
    let before = done(&databases[1]);
    let report = job().run_on_shards(&shards).unwrap();
    assert_eq!((report.status, report.read), (Status::Complete, ROWS as u64));
    assert_eq!(report.batches_reused, 2 * BATCHES + before.len() as u64);
    let now = done(&databases[1]);
    assert!(before.iter().all(|batch| now.contains(batch)), "a batch was done again");
    assert_exact(&databases);
}

#[test]
fn a_shard_that_is_silent_for_a_while_does_not_keep_the_others_from_finishing() {
    let clusters: [Cluster; 3] = std::array::from_fn(|_| Cluster::start());
    let databases: Vec<_> = clusters.iter().map(|cluster| cluster.database("shard")).collect();
    create_sale(&databases);
    let shards = open(databases.iter().map(TestDb::url), map());
    shards.check().unwrap();
    let gate = Gate::closed();
    let report = thread::scope(|scope| {
        let at = gate.clone();
        let run =
            scope.spawn(|| job().observer(after(9, move || at.pass())).run_on_shards(&shards));
        gate.wait_until_reached();
        let frozen = clusters[1].freeze();
        gate.open();
        let begun = "select (to_regclass('rowmill.job') is not null)::text";
        let complete = "select exists (select from rowmill.job where status = 'complete')::text";
        for other in [0, 2] {
            until("a shard that has begun", || databases[other].watch(begun) == "true");
            until("a shard that is complete", || databases[other].watch(complete) == "true");
        }
        drop(frozen);
        run.join().unwrap()
    });
    assert_eq!(report.unwrap().status, Status::Complete);
    assert_exact(&databases);
}

#[test]
fn a_shard_that_gets_another_map_in_the_middle_is_not_written_to_and_the_others_finish() {
    let databases: Vec<_> = (0..3).map(|_| shared().database("shard")).collect();
    create_sale(&databases);
    let shards = open(databases.iter().map(TestDb::url), map());
    shards.check().unwrap();
    let b = map().shard_named("b").unwrap();
    let (ours, other) = (map().to_json().unwrap(), map().with_buckets_on([0], b).unwrap());
    let other = other.to_json().unwrap();
    let change = |version: u32, map: &str| {
        format!("update rowmill.shard_map set version = {version}, map = '{map}'")
    };
    let (url, sql) = (databases[1].url(), change(2, &other));
    let (report, error) = job()
        .observer(after(9, move || {
            postgres::Client::connect(&url, postgres::NoTls).unwrap().batch_execute(&sql).unwrap();
        }))
        .report_on_shards(&shards);
    assert_only_b_lacks(&report, error, &[ErrorKind::Shard]);
    let before = done(&databases[1]);

    // Refused at the start, too, until the map is the one by which the job began.
    let error = job().run_on_shards(&shards).unwrap_err();
    assert_eq!((error.kind(), error.place().shard.as_deref()), (ErrorKind::Shard, Some("b")));
    assert!(error.message().contains("1 buckets are elsewhere"), "{error}");
    assert_eq!(done(&databases[1]), before);
    databases[1].sql(&change(1, &ours));
    job().run_on_shards(&shards).unwrap();
    assert!(before.iter().all(|batch| done(&databases[1]).contains(batch)));
    assert_exact(&databases);
}

#[test]
fn a_lost_answer_to_a_commit_is_resolved_by_the_ledger_of_its_shard() {
    for at in [Moment::BeforeCommit, Moment::AfterCommit, Moment::InReplyToCommit] {
        let databases: Vec<_> = (0..3).map(|_| shared().database("shard")).collect();
        create_sale(&databases);
        let proxy = Proxy::to(shared().port());
        let url = |database: &TestDb<'_>| database.url();
        let urls = [url(&databases[0]), proxy.instead_of(&url(&databases[1])), url(&databases[2])];
        let shards = open(urls, map());
        shards.check().unwrap();
        proxy.set_after_commits(7, Fault::Cut { at, end: End::Rst });
        let report = job().retry(RetryPolicy::default()).run_on_shards(&shards).unwrap();
        assert_eq!((report.status, report.inserted), (Status::Complete, ROWS as u64));
        assert_eq!(proxy.fault(), Fault::Pass, "nothing was cut");
        assert_exact(&databases);
    }
}

#[test]
fn a_table_is_spread_from_one_instant_and_a_shard_that_is_late_gets_the_same_plan() {
    let from = shared().database("source");
    from.sql(SALE);
    from.sql(&format!("insert into sale select id, id from generate_series(0, {}) id", ROWS - 1));
    let databases: Vec<_> = (0..3).map(|_| shared().database("shard")).collect();
    // The shard b has no table yet.
    for place in [0, 2] {
        databases[place].sql(SALE);
    }
    let shards = open(databases.iter().map(TestDb::url), map());
    shards.check().unwrap();
    let source = rowmill::Engine::open(&from.url()).unwrap();
    let job = || {
        let table = Table::<Sale>::all().on(&source);
        settled(Job::named("copy").read(table).write(Upsert::<Sale>::new()))
    };
    let (report, error) = job().report_on_shards(&shards);
    assert_eq!(error.unwrap().place().shard.as_deref(), Some("b"));
    assert_eq!(report.shards[2].status, Status::Complete);
    databases[1].sql(SALE);
    // The plan stands: how large batches may become counts no more.
    let report = job().batch_rows(11).run_on_shards(&shards).unwrap();
    assert_eq!((report.status, report.read), (Status::Complete, ROWS as u64));
    assert_exact(&databases);
    let plan = "select count(*)::text || ' ' || md5(string_agg(b::text, ',' order by number)) from \
        (select number, start_at, end_at, row_count from rowmill.batch where phase = 0) b";
    let plans: Vec<_> = databases.iter().map(|database| database.value(plan)).collect();
    assert!(plans.iter().all(|other| *other == plans[0]), "{plans:?}");
}

#[test]
fn a_source_that_names_no_database_is_not_sought_on_a_shard() {
    let databases: Vec<_> = (0..2).map(|_| shared().database("shard")).collect();
    let map = ShardMap::hashed(["a", "b"]).unwrap();
    let shards = open(databases.iter().map(TestDb::url), map);
    shards.check().unwrap();
    let job = Job::named("copy").read(Table::<Sale>::all()).write(Upsert::<Sale>::new());
    let error = job.run_on_shards(&shards).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.message().contains("the source names no database"), "{error}");
}

/// One that has begun on whatever shard keeps the others away from all of them.
#[test]
fn a_second_run_is_told_that_the_job_is_running_and_touches_no_shard() {
    let databases: Vec<_> = (0..3).map(|_| shared().database("shard")).collect();
    create_sale(&databases);
    let shards = open(databases.iter().map(TestDb::url), map());
    shards.check().unwrap();
    let gate = Gate::closed();
    thread::scope(|scope| {
        let at = gate.clone();
        let first =
            scope.spawn(|| job().observer(after(5, move || at.pass())).run_on_shards(&shards));
        gate.wait_until_reached();
        let other = open(databases.iter().map(TestDb::url), map());
        let (report, error) = job().report_on_shards(&other);
        let error = error.unwrap();
        gate.open();
        assert_eq!(error.kind(), ErrorKind::AlreadyRunning, "{error}");
        assert_eq!(report.status, Status::AlreadyRunning);
        assert!(report.shards.is_empty(), "{report:?}");
        first.join().unwrap().unwrap();
    });
    assert_exact(&databases);
    let runs = "select string_agg(status, ' ') from rowmill.run";
    assert!(databases.iter().all(|database| database.value(runs) == "complete"));
}
