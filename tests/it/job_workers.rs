//! How many batches are in flight is found by measuring, unless the job says it.

use crate::support::both::on_both;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{TestDb, shared};
use rowmill::{Append, Engine, Entity, Iter, Job, MaxRejects, Report, WorkerChoice, WorkerReason};
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

const BATCH_ROWS: u64 = 10;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
}

/// A job begins with so many workers.
fn first() -> usize {
    available_parallelism().map_or(2, NonZeroUsize::get).max(2)
}

/// So many batches, each a transaction; some rows are refused.
fn job(batches: usize) -> Job {
    let rows = batches as i64 * BATCH_ROWS as i64;
    Job::named("numbers")
        .read(Iter::new("numbers", move || 0..rows))
        .map(|id| Ok(Number { id }))
        .write(Append::<Number>::new())
        .batch_rows(BATCH_ROWS)
        .batches_a_transaction(1)
        .max_rejects(MaxRejects::Count(100))
}

fn scene() -> TestDb<'static> {
    let db = shared().database("workers");
    db.sql("create table numbers (id bigint primary key check (id not in (7, 777, 1000)))");
    db
}

/// A server for which everything takes so many milliseconds, each way.
fn far(millis: u64) -> Proxy {
    let proxy = Proxy::to(shared().port());
    proxy.set(Fault::Delay { least: Duration::from_millis(millis), jitter: Duration::ZERO });
    proxy
}

fn run(job: &Job, url: &str) -> (Report, WorkerChoice) {
    let report = job.run(&Engine::open(url).unwrap()).unwrap();
    let choice = report.receipt.workers.clone().unwrap();
    (report, choice)
}

/// The rows, the ledger and the rejects.
fn left(db: &TestDb<'_>) -> [String; 3] {
    [
        "select string_agg(id::text, ',' order by id) from numbers",
        "select string_agg(concat_ws(' ', number, done, read, inserted, rejected), ',' order by number) \
         from rowmill.batch where phase = 0",
        "select string_agg(concat_ws(' ', batch, position, sqlstate), ',' order by batch, position) \
         from rowmill.reject",
    ]
    .map(|sql| db.value(sql))
}

/// And the rows are those of one batch after the other.
#[test]
fn a_server_that_is_far_gets_more_batches_at_once_and_the_report_says_why() {
    assert!(first() < 32, "this machine begins with the most there may be");
    let (there, here, proxy) = (scene(), scene(), far(25));
    let url = format!("{}?max_overflow=-1", proxy.instead_of(&there.url()));
    let batches = 60 * first();
    let (report, choice) = run(&job(batches), &url);
    eprintln!("WORKERS {choice:?}");
    assert_eq!(choice.reason, WorkerReason::Measured, "{choice:?}");
    assert!(choice.count > first() && choice.trials[0].kept, "{choice:?}");
    assert_eq!((choice.trials[0].from, choice.trials[0].to), (first(), 2 * first()));
    assert!(choice.trials[0].gain.is_some_and(|gain| gain >= 0.1), "{choice:?}");
    let most = report.receipt.peak_in_flight;
    assert!(most > first() && most <= choice.most, "{most} in flight, {choice:?}");
    assert!(report.pool.peak_in_use as usize <= most, "{report:?}");
    job(batches).run_serial(&Engine::open(&here.url()).unwrap()).unwrap();
    assert_eq!(left(&there), left(&here));
}

#[test]
fn a_number_that_is_set_stays_however_far_the_server_is() {
    let (db, proxy) = (scene(), far(5));
    let (report, choice) = run(&job(40).workers(2), &proxy.instead_of(&db.url()));
    assert_eq!((choice.count, choice.most, choice.reason), (2, 2, WorkerReason::Set));
    assert_eq!((report.receipt.peak_in_flight, choice.trials), (2, vec![]));
}

/// batch 4.7
#[test]
fn measuring_never_comes_to_more_than_the_pool_has_connections() {
    let (db, proxy) = (scene(), far(5));
    let pool = first() + 1;
    let url = format!("{}?pool_size={pool}&max_overflow=0", proxy.instead_of(&db.url()));
    let (report, choice) = run(&job(30 * first()), &url);
    assert_eq!(choice.most, pool);
    assert!(report.receipt.peak_in_flight <= pool, "{report:?}");
    let db = scene();
    let url = format!("{}?pool_size={}&max_overflow=0", db.url(), first());
    let (_, choice) = run(&job(60), &url);
    assert_eq!((choice.count, choice.reason), (first(), WorkerReason::Pool));
}

#[test]
fn a_server_that_has_no_room_is_not_asked_for_more() {
    let db = scene();
    let limit = format!("alter database {} connection limit {}", db.name(), 2 * first());
    db.sql(&limit);
    let (_, choice) = run(&job(40), &db.url());
    assert_eq!((choice.count, choice.reason), (first(), WorkerReason::Server));
}

/// Keeps a processor busy.
fn work_for(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[test]
fn while_the_processors_are_busy_nothing_is_tried_and_nobody_else_has_a_connection() {
    let db = scene();
    let batches = 40 * first() as i64;
    let job = Job::named("busy")
        .read(Iter::new("numbers", move || 2_000..2_000 + batches))
        .map(|id| {
            work_for(Duration::from_millis(25));
            Ok(Number { id })
        })
        .write(Append::<Number>::new())
        .batch_rows(1)
        .batches_a_transaction(1);
    let (report, choice) = run(&job, &db.url());
    assert_eq!((choice.count, choice.reason), (first(), WorkerReason::Busy), "{choice:?}");
    assert_eq!(choice.trials, []);
    assert!(report.receipt.peak_in_flight <= first(), "{report:?}");
    assert!(report.pool.peak_in_use as usize <= first(), "{report:?}");
}

#[test]
fn a_few_batches_and_one_writer_are_reasons() {
    on_both(|home| {
        home.sql("create table numbers (id bigint not null primary key)");
        let few = job(10).run(home.engine()).unwrap().receipt.workers.unwrap();
        assert_eq!((few.count, few.reason), (first(), WorkerReason::TooFewBatches));
        home.sql("delete from numbers");
        let rows = 1_000_i64;
        let many = Job::named("many")
            .read(Iter::new("numbers", move || 0..rows))
            .map(|id| Ok(Number { id }))
            .write(Append::<Number>::new())
            .batch_rows(BATCH_ROWS);
        let report = many.run(home.engine()).unwrap();
        let choice = report.receipt.workers.unwrap();
        if !home.is_postgres() {
            assert_eq!((choice.count, choice.reason), (first(), WorkerReason::OneWriter));
            assert!(report.receipt.peak_in_flight <= first());
        }
        let serial = many.run_serial(home.engine()).unwrap();
        assert_eq!(serial.receipt.workers, None, "it is complete");
    });
}
