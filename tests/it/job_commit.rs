//! A COMMIT whose answer is lost is resolved by the ledger: what held is not repeated, what did not
//! is.
//!
//! `ROWMILL_FAULT_POOL=full` (`tests/faults pool job_commit`) makes 500 cuts of each kind.

use crate::support::fake::until;
use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::trial::{Random, seed, sized};
use crate::support::trio::one;
use crate::support::{Cluster, TestDb, shared};
use parking_lot::Mutex;
use rowmill::{Append, Engine, Entity, Iter, Job, MaxRejects, Observer, Report, Result, Status};
use std::sync::Arc;
use std::thread;

const ROWS: i64 = 60;
const BATCHES: i64 = 3;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
}

fn job(name: &str) -> Job {
    Job::named(name)
        .read(Iter::new("numbers", || 0..ROWS))
        .map(|id| Ok(Number { id }))
        .write(Append::<Number>::new())
        .batch_rows((ROWS / BATCHES) as u64)
        .workers(2)
}

fn load(name: &str, url: &str) -> Result<Report> {
    job(name).run(&Engine::open(url)?)
}

/// A database that counts the batches that were begun, also those that were rolled back.
fn scene() -> (TestDb<'static>, Proxy) {
    let db = shared().database("commit");
    db.sql(
        "create table numbers (id bigint); create sequence begun; \
         create function begin_batch() returns trigger language plpgsql as $$ \
         begin perform nextval('public.begun'); return null; end $$; \
         create trigger begin_batch before insert on numbers for each statement \
         execute function begin_batch()",
    );
    (db, Proxy::to(shared().port()))
}

fn cuts(at: Moment) {
    let seed = seed();
    let (db, proxy) = scene();
    let url = proxy.instead_of(&db.url());
    load("first", &url).unwrap();
    proxy.set(Fault::Pass);
    load("undisturbed", &url).unwrap();
    let commits = proxy.commits();
    let mut random = Random(seed);
    let (mut wrong, mut hit, mut repeated) = (0, 0, 0);
    let count = |sql: &str| db.watch(sql).parse::<i64>().unwrap();
    let total = sized(20, 500);
    for number in 0..total {
        db.watch("with gone as (delete from numbers) select 1");
        let before = count("select last_value from begun");
        let spared = random.below(commits);
        let end = if random.below(2) == 0 { End::Fin } else { End::Rst };
        proxy.set_after_commits(spared, Fault::Cut { at, end });
        let outcome = load(&format!("load {number}"), &url);
        let was_cut = proxy.fault() == Fault::Pass;
        let rows = db.watch("select count(*) || ' ' || count(distinct id) from numbers");
        let begun = count("select last_value from begun") - before;
        hit += i64::from(was_cut);
        repeated += begun - BATCHES;
        // What held is never begun again; what did not is begun again once.
        let most = if at == Moment::BeforeCommit { BATCHES + 1 } else { BATCHES };
        let complete = outcome.as_ref().is_ok_and(|report| report.status == Status::Complete);
        if !complete || rows != "60 60" || !(BATCHES..=most).contains(&begun) {
            eprintln!("{at:?} {spared} {end:?}: {rows}, {begun} begun, {outcome:?}");
            wrong += 1;
        }
    }
    eprintln!(
        "FAULTS commit {at:?} seed={seed} cuts={hit} of {total} repeated={repeated} wrong={wrong}"
    );
    assert!(hit >= total * 9 / 10, "the cuts found nothing to cut: {hit}, seed {seed}");
    assert_eq!(wrong, 0, "seed {seed}");
    if at == Moment::BeforeCommit {
        assert!(repeated > 0, "no batch was ever cut, seed {seed}");
    }
}

/// batch R6, F12
#[test]
fn what_was_cut_before_its_commit_is_done_again() {
    cuts(Moment::BeforeCommit);
}

/// batch R6, F13
#[test]
fn what_was_cut_after_its_commit_is_not_done_again() {
    cuts(Moment::AfterCommit);
}

/// The runs of a job, in order: how each of them ended.
fn runs(db: &TestDb<'_>, name: &str) -> String {
    db.watch(&format!(
        "select string_agg(status, ' ' order by number) from rowmill.run \
         where job_id in (select id from rowmill.job where name = '{name}')"
    ))
}

/// batch R6, F13
#[test]
fn a_run_whose_plan_was_cut_after_its_commit_goes_on_as_the_same_run() {
    let (db, proxy) = scene();
    let url = proxy.instead_of(&db.url());
    load("first", &url).unwrap();
    proxy.set(Fault::Cut { at: Moment::AfterCommit, end: End::Rst });
    load("planned", &url).unwrap();
    assert_eq!(proxy.fault(), Fault::Pass, "nothing was cut");
    assert_eq!(runs(&db, "planned"), "complete");
}

/// batch R6, F13
#[test]
fn a_run_whose_beginning_was_cut_after_its_commit_goes_on_as_the_same_run() {
    let (db, proxy) = scene();
    let url = proxy.instead_of(&db.url());
    db.sql("alter table numbers add constraint small check (id < 50)");
    let strict = job("carried on").max_rejects(MaxRejects::Count(0));
    strict.run(&Engine::open(&url).unwrap()).unwrap_err();
    db.sql("alter table numbers drop constraint small");
    proxy.set(Fault::Cut { at: Moment::AfterCommit, end: End::Rst });
    load("carried on", &url).unwrap();
    assert_eq!(proxy.fault(), Fault::Pass, "nothing was cut");
    assert_eq!(runs(&db, "carried on"), "failed complete");
}

/// Has the server wait for a standby that stands still from the last phase on; cuts the client off
/// that waits for its COMMIT, and lets the standby go on once the next attempt waits for the server.
struct Frozen {
    primary: Arc<Cluster>,
    standby: Arc<Cluster>,
    proxy: Arc<Proxy>,
    over: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Observer for Frozen {
    fn phase(&self, name: &str) {
        if name != "finish" {
            return;
        }
        let frozen = self.standby.freeze();
        self.primary.commits_wait_for("*");
        let (primary, proxy) = (Arc::clone(&self.primary), Arc::clone(&self.proxy));
        *self.over.lock() = Some(thread::spawn(move || {
            let asks = |sql: &str| one(&primary, sql) == "t";
            until("a commit waits for its standby", || {
                asks("select count(*) > 0 from pg_stat_activity where wait_event = 'SyncRep'")
            });
            proxy.cut(End::Rst);
            until("the next attempt waits for the one before", || {
                asks("select count(*) > 0 from pg_stat_activity where wait_event_type = 'Lock'")
            });
            assert!(asks("select count(*) > 0 from pg_stat_activity where wait_event = 'SyncRep'"));
            drop(frozen);
        }));
    }
}

/// F18, batch R6, exactly-once 3b: a standby that is real, and stopped.
#[test]
fn an_end_that_waits_for_a_frozen_standby_and_loses_its_client_is_resolved() {
    let primary = Arc::new(Cluster::start());
    // ORDER: before the database, which is dropped by a commit that waits for the standby, too.
    let standby = Arc::new(Cluster::replica_of(&primary, &[]));
    let database = primary.database("frozen");
    database.sql("create table numbers (id bigint)");
    let follows = "select count(*) = 1 from pg_stat_replication where state = 'streaming'";
    until("the standby follows", || one(&primary, follows) == "t");
    let proxy = Arc::new(Proxy::to(primary.port()));
    let url = proxy.instead_of(&database.url());
    let over = Mutex::default();
    let (one_of_two, other) = (Arc::clone(&primary), Arc::clone(&standby));
    let frozen = Arc::new(Frozen { primary: one_of_two, standby: other, proxy, over });
    let report = job("frozen")
        .observer(Arc::<Frozen>::clone(&frozen) as Arc<dyn Observer>)
        .run(&Engine::open(&url).unwrap())
        .unwrap();
    frozen.over.lock().take().unwrap().join().unwrap();
    assert_eq!((report.status, report.inserted), (Status::Complete, ROWS as u64));
    assert!(report.retries > 0, "nothing was lost");
    let rows = "select count(*) || ' ' || count(distinct id) from numbers";
    assert_eq!(database.value(rows), "60 60");
    assert_eq!(database.value("select count(*) from rowmill.run"), "1");
    assert_eq!(database.value("select status from rowmill.job"), "complete");
}

/// Has the server wait for a standby that is not there from the last phase on, ends the session
/// that waits, and lets the others go.
struct Standby {
    cluster: Arc<Cluster>,
    ended: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Observer for Standby {
    fn phase(&self, name: &str) {
        if name != "finish" {
            return;
        }
        self.cluster.commits_wait_for("nobody");
        let admin = self.cluster.connect("postgres");
        *self.ended.lock() = Some(thread::spawn(move || {
            let waits = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
            let admin = Mutex::new(admin);
            until("a commit waits for its standby", || {
                admin.lock().query_one(waits, &[]).unwrap().get::<_, i64>(0) > 0
            });
            let end = "select pg_terminate_backend(pid) from pg_stat_activity \
                       where wait_event = 'SyncRep'";
            let mut admin = admin.into_inner();
            admin.batch_execute(end).unwrap();
            admin.batch_execute("set synchronous_commit = local").unwrap();
            admin.batch_execute("alter system reset synchronous_standby_names").unwrap();
            admin.batch_execute("select pg_reload_conf()").unwrap();
        }));
    }
}

/// F18, exactly-once 3b
#[test]
fn an_end_that_waits_for_a_stopped_standby_and_loses_its_session_is_resolved() {
    let cluster = Arc::new(Cluster::start());
    let database = cluster.database("standby");
    database.sql("create table numbers (id bigint)");
    let standby = Arc::new(Standby { cluster: Arc::clone(&cluster), ended: Mutex::default() });
    let report = job("standby")
        .observer(Arc::<Standby>::clone(&standby) as Arc<dyn Observer>)
        .run(&Engine::open(&database.url()).unwrap())
        .unwrap();
    standby.ended.lock().take().unwrap().join().unwrap();
    assert_eq!((report.status, report.inserted), (Status::Complete, ROWS as u64));
    assert!(report.retries > 0, "nothing was lost");
    assert_eq!(
        database.value("select count(*) || ' ' || count(distinct id) from numbers"),
        "60 60"
    );
    assert_eq!(database.value("select status from rowmill.job"), "complete");
}
