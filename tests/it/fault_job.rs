//! Faults 3.1, 3.3 and 3.4: what happens to a load when its server, its network or its disk goes.

use crate::support::cluster::Cluster;
use crate::support::island::Island;
#[cfg(feature = "cli")]
use crate::support::loading::{Input, JobText, Place};
use crate::support::subject::{Kind, timed};
use crate::support::tmpfs::Tmpfs;
use crate::support::trial::{Random, Sheet, is_full, measure, seed, sized};
use crate::support::{Gate, LIMIT, shared};
use rowmill::batch::observer::BatchDone;
use rowmill::{Append, Engine, Entity, Iter, Job, Observer, Report, Result, RetryPolicy, Status};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const BATCHES: u64 = 40;

/// So many rows of a kilobyte.
fn rows() -> i64 {
    sized(4_000, 20_000)
}

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
    filler: String,
}

/// A load that is met by a fault gets so many batches further at most until it has struck.
const AHEAD: u64 = 6;

/// How many batches are committed, and from which of them on the load waits for what strikes it.
#[derive(Debug)]
struct Progress {
    done: AtomicU64,
    waits_from: u64,
    has_struck: Gate,
}

impl Default for Progress {
    fn default() -> Self {
        Self { done: AtomicU64::new(0), waits_from: u64::MAX, has_struck: Gate::closed() }
    }
}

impl Observer for Progress {
    fn batch_done(&self, _: &BatchDone) {
        if self.done.fetch_add(1, Ordering::SeqCst) + 1 >= self.waits_from {
            self.has_struck.pass();
        }
    }
}

impl Progress {
    /// Waits until so many batches are done, or the load has ended without them.
    fn wait_for(&self, batches: u64, has_ended: impl Fn() -> bool) {
        let since = Instant::now();
        while self.done.load(Ordering::SeqCst) < batches && !has_ended() {
            assert!(since.elapsed() < LIMIT, "the load came no further");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn run(name: &str, url: &str, rows: i64, progress: &Arc<Progress>) -> Result<Report> {
    // Longer than the longest absence.
    let mut retry = RetryPolicy::default();
    retry.patience = Duration::from_mins(3);
    Job::named(name)
        .read(Iter::new("numbers", move || 0..rows))
        .map(|id| Ok(Number { id, filler: "x".repeat(1000) }))
        .write(Append::<Number>::new().create(true))
        .batch_rows(rows as u64 / BATCHES)
        .workers(2)
        .retry(retry)
        .observer(Arc::<Progress>::clone(progress) as Arc<dyn Observer>)
        .run(&Engine::open(url)?)
}

/// Runs a load, and `strike` once so many of its batches are done; it opens the gate once it has
/// struck, so that there is something left to strike.
fn struck(name: &str, url: &str, after: u64, strike: impl FnOnce(&Gate)) -> Result<Report> {
    let progress = Arc::new(Progress { waits_from: after + AHEAD, ..Progress::default() });
    thread::scope(|scope| {
        let running = scope.spawn(|| run(name, url, rows(), &progress));
        progress.wait_for(after, || running.is_finished());
        strike(&progress.has_struck);
        running.join().expect("the run panicked")
    })
}

const COUNT: &str = "select count(*) || ' ' || count(distinct id) from numbers";

fn check(there: &str, rows: i64, told: &str, sheet: &mut Sheet) {
    sheet.expect(there == format!("{rows} {rows}"), format!("{told}: lost or doubled: {there}"));
}

/// How the server goes away.
type Manner = (&'static str, fn(&Cluster));

const MANNERS: [Manner; 3] = [
    ("stop -m immediate", Cluster::stop_immediate),
    ("stop -m fast", Cluster::stop_fast),
    ("kill -9", Cluster::kill),
];

fn server_goes(seed: u64, sheet: &mut Sheet) {
    let cluster = if is_full() { Cluster::durable() } else { Cluster::start() };
    let mut random = Random(seed);
    let (mut absences, mut errors) = (0, 0);
    for (manner, go) in MANNERS {
        for _ in 0..sized(1, 20) {
            let db = cluster.database("away");
            let after = random.below(BATCHES * 3 / 4);
            let outcome = struck("away", &db.url(), after, |has_struck| {
                go(&cluster);
                has_struck.open();
                thread::sleep(Duration::from_millis(500));
                cluster.restart();
            });
            absences += 1;
            errors += usize::from(outcome.is_err());
            if let Err(error) = outcome {
                sheet.expect(false, format!("{manner} after {after} batches: {error}"));
            }
            check(&db.value(COUNT), rows(), manner, sheet);
        }
    }
    sheet.set("absences", absences);
    sheet.set("errors_to_user", errors);
}

/// F7 during a load: whatever ends the server, and whenever, the load waits for it and is exact.
#[test]
fn a_load_outlives_its_server() {
    let seed = seed();
    let work = move |sheet: &mut Sheet| server_goes(seed, sheet);
    measure("F7-job", Kind::Rowmill, seed, sized(2 * LIMIT, 30 * LIMIT), work).must_pass();
}

fn network_goes(seed: u64, sheet: &mut Sheet) {
    let Some(island) = Island::new() else { return };
    let cluster = Cluster::on_island(island);
    let island = cluster.island().expect("it is on one");
    // What is not acknowledged within a second is given up, long before the hole is over.
    let url = cluster.url();
    let join = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{join}tcp_user_timeout=1000&keepalives_idle=1&keepalives_interval=1");
    let (mut random, mut retries) = (Random(seed), 0);
    for (number, away) in [sized(4, 10), sized(6, 60)].into_iter().enumerate() {
        let name = format!("hole {number}");
        cluster.sql("drop table if exists numbers");
        let after = random.below(BATCHES * 3 / 4);
        let (outcome, time) = timed(|| {
            struck(&name, &url, after, |has_struck| {
                island.cut_off();
                has_struck.open();
                thread::sleep(Duration::from_secs(away));
                island.heal();
            })
        });
        sheet.set_ms(&format!("with_{away}s_away_ms"), time);
        let complete = outcome.as_ref().is_ok_and(|report| report.status == Status::Complete);
        sheet.expect(complete, format!("{outcome:?}"));
        retries += outcome.map_or(0, |report| report.retries);
        let there: String = cluster.connect("postgres").query_one(COUNT, &[]).unwrap().get(0);
        check(&there, rows(), "after a black hole", sheet);
    }
    sheet.set("retries", retries);
    sheet.expect(retries > 0, "no connection was lost: nothing is proven");
}

/// F21 during a load: the network swallows everything for a while, in the middle of whatever the
/// load does then, COMMITs among it; its connections are given up, and afterwards it completes, and
/// is exact.
#[test]
fn a_load_outlives_its_network() {
    let seed = seed();
    let work = move |sheet: &mut Sheet| network_goes(seed, sheet);
    measure("F21-job", Kind::Rowmill, seed, sized(4 * LIMIT, 10 * LIMIT), work).must_pass();
}

/// Fills a disk but for so many megabytes.
fn fill(disk: &Tmpfs, size: usize, but: usize) -> PathBuf {
    let used: u64 = std::fs::read_dir(disk.path().join("wal"))
        .unwrap()
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .map(|found| if found.is_file() { found.len() } else { 0 })
        .sum();
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; ((size - but) << 20) - used as usize]).unwrap();
    ballast
}

fn log_of_changes_is_full(sheet: &mut Sheet) {
    const SIZE: usize = 64;
    let Some(disk) = Tmpfs::new(SIZE as u32) else { return };
    let wal = disk.path().join("wal");
    let settings = ["max_wal_size=2GB", "checkpoint_timeout=1h", "wal_recycle=off"];
    let cluster = Cluster::start_with_wal_in(&wal, &settings);
    let db = cluster.database("wal");
    // A file of the log has 16 MB; there is no room for another, and the load needs 20 MB.
    let ballast = fill(&disk, SIZE, 6);
    let (progress, url, rows) = (Arc::new(Progress::default()), db.url(), 20_000);
    let (outcome, time) = thread::scope(|scope| {
        let running = scope.spawn(|| timed(|| run("wal", &url, rows, &progress)));
        let since = Instant::now();
        while !cluster.log().contains("PANIC") {
            assert!(since.elapsed() < LIMIT / 2, "the disk was not full");
            thread::sleep(Duration::from_millis(20));
        }
        std::fs::remove_file(&ballast).unwrap();
        disk.grow(1024);
        cluster.restart();
        running.join().expect("the run panicked")
    });
    sheet.set_ms("load_ms", time);
    sheet.set("error", outcome.as_ref().err().map(ToString::to_string));
    sheet.expect(outcome.is_ok(), "it ended with the server");
    if outcome.is_err() {
        run("wal", &url, rows, &progress).expect("there is room now");
    }
    check(&db.value(COUNT), rows, "a full log of changes", sheet);
    let rejects = db.value("select count(*) from rowmill.reject");
    sheet.expect(rejects == "0", "rows are rejected for a full disk");
}

/// F29: the server dies (PANIC) because the disk of its log of changes is full; with more room it
/// is started again, and the load is exact.
#[test]
fn a_load_outlives_a_full_log_of_changes() {
    measure("F29-wal", Kind::Rowmill, seed(), 2 * LIMIT, log_of_changes_is_full).must_pass();
}

#[cfg(feature = "cli")]
fn report_has_no_room(sheet: &mut Sheet) {
    let Some(disk) = Tmpfs::new(1) else { return };
    let input = Input::lineitem(2_000, 500, true);
    let place = Place::Postgres(shared().database("no_room"));
    place.create_lineitem(false);
    let text = JobText::of_mode("append", 200);
    let job = text.write_for(&input.path(), disk.path(), &place);
    // Whatever fits; the last byte does not.
    let _ = std::fs::write(disk.path().join("ballast"), vec![0; 2 << 20]);
    let run = job.start().wait();
    sheet.set("exit_code", run.code);
    sheet.set("said", run.stderr.trim());
    sheet.expect(run.code != Some(0), "a report that was asked for is not there, and it says 0");
    sheet.expect(run.stderr.contains("report"), "it does not say what is missing");
    let (rows, rejects) = (input.difference(&place), input.reject_difference(&place));
    sheet.set("rows", format!("{rows:?}"));
    sheet.set("rejects", format!("{rejects:?}"));
    // Refusing before the first row is loaded is fine too; half a load is not.
    std::fs::remove_file(disk.path().join("ballast")).unwrap();
    let again = job.start().wait();
    sheet.expect(again.code == Some(0), format!("the next start: {again}"));
    input.assert_exact(&place, "after a report that had no room");
}

/// F30: a disk of the client that is full when the report is to be written costs the report, says
/// so, and loses or doubles neither row nor reject.
#[cfg(feature = "cli")]
#[test]
fn a_report_without_room_costs_no_row() {
    measure("F30-report", Kind::Rowmill, seed(), 2 * LIMIT, report_has_no_room).must_pass();
}
