//! One pool for both ends, few connections; and skew between the workers.

use super::{assert_same, copy, whole};
use crate::support::Home;
use parking_lot::{Condvar, Mutex};
use rowmill::{
    BatchDone, Consistency, Engine, Ident, Job, Mode, Observer, PlanTotals, Report, TableColumns,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Who shares the pieces where it is measured how evenly.
const WORKERS: usize = 4;

fn narrow(home: &Home, connections: u32) -> Engine {
    Engine::builder(home.url())
        .pool_size(connections)
        .max_overflow(0)
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap()
}

/// batch 3.7.1
#[test]
fn more_workers_than_connections_neither_wait_for_each_other_nor_fail() {
    let home = Home::postgres();
    home.sql(
        "create table a (id bigint primary key, v text);
         insert into a select n, 'v' || n from generate_series(1, 4000) n",
    );
    for (read, write, consistency) in [
        (0, 1, Consistency::PerBatch),
        (0, 1, Consistency::Snapshot),
        (0, 2, Consistency::Snapshot),
        (1, 8, Consistency::PerBatch),
        (8, 1, Consistency::Snapshot),
    ] {
        home.sql("drop table if exists b");
        let target = narrow(&home, write);
        // 0: one engine for both.
        let source = if read == 0 { target.clone() } else { narrow(&home, read) };
        let feed = whole(&source, "a").consistency(consistency);
        let job = copy(&home, feed, "b", Mode::Append, &[]).workers(8).batch_rows(100);
        let report = job.run(&target).unwrap();
        assert!(report.pool.peak_in_use <= write, "{}", report.pool.peak_in_use);
        assert_same(&home, "a", "b");
        assert_eq!(target.stats().in_use + source.stats().in_use, 0);
    }
}

#[test]
fn who_waits_for_a_connection_of_a_slow_source_is_not_turned_away() {
    let home = Home::postgres();
    home.sql(
        "create table a (id bigint primary key);
         insert into a select n from generate_series(1, 800) n",
    );
    let source = Engine::builder(home.url())
        .pool_size(1)
        .max_overflow(0)
        .timeout(Duration::from_millis(400))
        .build()
        .unwrap();
    let columns = super::columns_of(home.engine(), "a");
    // Each piece takes a while, and all workers want one at once.
    let feed = TableColumns::query("select id from a, pg_sleep(0.2)", columns)
        .unwrap()
        .key(vec![Ident::new("id").unwrap()])
        .on(&source);
    let job = copy(&home, feed, "b", Mode::Append, &[]).workers(8).batch_rows(100);
    let report = job.run(home.engine()).unwrap();
    assert_eq!((report.inserted, report.retries), (800, 0));
}

#[test]
fn the_serial_twin_reads_the_same() {
    let home = Home::postgres();
    home.sql(
        "create table a (id bigint primary key, v text);
         insert into a select n, 'v' || n from generate_series(1, 1000) n",
    );
    for (table, consistency) in [("b", Consistency::Snapshot), ("c", Consistency::PerBatch)] {
        let feed = whole(home.engine(), "a").consistency(consistency);
        let job = copy(&home, feed, table, Mode::Upsert, &["id"]).batch_rows(100);
        assert_eq!(job.run_serial(home.engine()).unwrap().inserted, 1_000);
        assert_same(&home, "a", table);
    }
}

#[test]
fn no_key_is_told_to_who_listens_to_statements() {
    let home = Home::postgres();
    home.sql(
        "create table a (id text primary key);
         insert into a select 'secret' || n from generate_series(1, 500) n",
    );
    let told = Arc::new(Mutex::new(Vec::new()));
    let listening = Arc::clone(&told);
    let engine = Engine::builder(home.url())
        .echo(move |event| listening.lock().push(event.to_string()))
        .build()
        .unwrap();
    copy(&home, whole(&engine, "a"), "b", Mode::Append, &[]).run(&engine).unwrap();
    let told = told.lock().join("\n");
    assert!(told.contains("UNLOAD SELECT t.\"id\" FROM \"a\" AS t"), "{told}");
    assert!(!told.contains("secret"), "{told}");
}

/// Workers that are equally fast, whatever the machine gives them: a batch takes as long as it is large.
///
/// Who has done a batch waits until all the others have done theirs too; then the one who was first by
/// that time goes on. So what each of them did is decided by the pieces and by how they are handed out.
#[derive(Debug)]
struct Paced {
    /// What a batch takes.
    weight: fn(&BatchDone) -> u64,
    state: Mutex<Pace>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pace {
    batches: u64,
    begun: u64,
    /// By worker: how much it has done, and whether it waits.
    workers: BTreeMap<String, (u64, bool)>,
}

impl Pace {
    fn may_go(&self, worker: &str) -> bool {
        let first = || self.workers.iter().min_by_key(|(_, (done, _))| *done);
        self.begun >= self.batches
            || (self.workers.len() == WORKERS
                && self.workers.values().all(|(_, waits)| *waits)
                && first().is_some_and(|(name, _)| name == worker))
    }
}

impl Observer for Paced {
    fn planned(&self, plan: &PlanTotals) {
        let mut pace = self.state.lock();
        (pace.batches, pace.begun) = (plan.batches, WORKERS as u64);
    }

    fn batch_done(&self, batch: &BatchDone) {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let mut pace = self.state.lock();
        let (done, waits) = pace.workers.entry(name.clone()).or_default();
        (*done, *waits) = (*done + (self.weight)(batch), true);
        self.changed.notify_all();
        while !pace.may_go(&name) {
            let late = self.changed.wait_for(&mut pace, Duration::from_mins(1)).timed_out();
            assert!(!late, "whose turn it is got no batch: {pace:?}");
        }
        pace.begun += 1;
        pace.workers.entry(name).or_default().1 = false;
        self.changed.notify_all();
    }
}

impl Paced {
    /// What the busiest worker did, in shares of the mean.
    fn busiest(&self) -> f64 {
        let pace = self.state.lock();
        let most = pace.workers.values().map(|(done, _)| *done).max().unwrap_or(0) as f64;
        most * WORKERS as f64 / pace.workers.values().map(|(done, _)| done).sum::<u64>() as f64
    }
}

fn paced(job: Job, home: &Home, weight: fn(&BatchDone) -> u64) -> (Arc<Paced>, Report) {
    let (state, changed) = (Mutex::default(), Condvar::new());
    let paced = Arc::new(Paced { weight, state, changed });
    // A batch of a group is nobody else's to take.
    let job = job.workers(WORKERS).batches_a_transaction(1).in_flight_bytes(4 << 30);
    let job = job.observer(Arc::clone(&paced) as _);
    let report = job.run(home.engine()).unwrap();
    (paced, report)
}

/// batch 3.6.3
#[test]
fn rows_that_crowd_in_a_corner_of_the_key_are_shared_evenly() {
    let home = Home::postgres();
    home.sql(
        "create table a (id bigint primary key, v text);
         insert into a select n, 'v' from generate_series(1, 198000) n;
         insert into a select 198000 + n * 9900, 'v' from generate_series(1, 2000) n; analyze a;
         create table b (id bigint, v text)",
    );
    let crowd = home.rows("select count(*) from a where id <= (select max(id) from a) / 100");
    assert_eq!(crowd, ["198000"], "99 % of the rows in 1 % of the range");
    let job = copy(&home, whole(home.engine(), "a"), "b", Mode::Append, &[]);
    let (paced, report) = paced(job, &home, |batch| batch.rows);
    assert_eq!(report.inserted, 200_000);
    let batches = home.rows("select read from rowmill.batch where phase = 0");
    let largest: u64 = batches.iter().map(|rows| rows.parse().unwrap()).max().unwrap();
    let mean = 200_000 / batches.len() as u64;
    assert!(batches.len() >= 32 && largest <= 2 * mean, "{largest} of {mean}");
    let busiest = paced.busiest();
    eprintln!(
        "SKEW rows: busiest / mean = {busiest:.2}, largest batch / mean = {:.2}",
        largest as f64 / mean as f64
    );
    assert!(busiest <= 1.3, "{busiest}: {paced:?}");
}

/// batch 3.6.3.
/// `ROWMILL_FAT_ROW` sets the size of the row (`tests/faults fat_row`); 1 GB needs some 6 GB of disk
/// and as much memory: the server holds such a value several times.
#[test]
fn one_row_of_enormous_size_does_not_leave_the_others_idle() {
    let fat: u64 = std::env::var("ROWMILL_FAT_ROW").map_or(100_000_000, |n| n.parse().unwrap());
    let home = Home::postgres();
    home.sql(&format!(
        "create unlogged table a (id bigint primary key, v text);
         alter table a alter v set storage external;
         insert into a select n, repeat('x', {}) from generate_series(1, 400) n;
         update a set v = repeat('y', {fat}) where id = 399; analyze a;
         create unlogged table b (id bigint, v text)",
        fat / 100
    ));
    let job = copy(&home, whole(home.engine(), "a"), "b", Mode::Append, &[]);
    let (paced, report) = paced(job, &home, |batch| batch.bytes);
    assert_eq!(report.inserted, 400);
    assert_eq!(home.rows("select sum(length(v)) from b"), [(fat / 100 * 399 + fat).to_string()]);
    let busiest = paced.busiest();
    eprintln!("SKEW bytes: busiest / mean = {busiest:.2}, one row of {fat} bytes");
    assert!(busiest <= 1.3, "{busiest}: {paced:?}");
}
