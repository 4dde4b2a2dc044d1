//! What a run measures.

use super::ledger::Counts;
use super::receipt::SlowBatch;
use super::report::PoolReport;
use crate::spent::{Spent, Step};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a run measures.
#[derive(Debug, Default)]
pub(super) struct Meter {
    seconds: Mutex<BTreeMap<&'static str, f64>>,
    stages: Mutex<BTreeMap<&'static str, f64>>,
    slowest: Mutex<Vec<SlowBatch>>,
    retries: AtomicU64,
    rows: AtomicU64,
    in_flight: AtomicUsize,
    settled: AtomicU64,
    finished: Mutex<Option<Counts>>,
    pool: Mutex<PoolUse>,
    least_commit: Mutex<Option<Duration>>,
}

/// So many of the slowest batches are told.
const SLOWEST: usize = 3;

#[derive(Debug, Default)]
struct PoolUse {
    in_use: u32,
    peak: u32,
    longest_wait: Duration,
}

impl Meter {
    /// Adds the time since `start` to a phase.
    pub(super) fn spent(&self, phase: &'static str, start: Instant) {
        *self.seconds.lock().entry(phase).or_default() += start.elapsed().as_secs_f64();
    }

    /// Adds what a worker spent on a unit.
    pub(super) fn worked(&self, spent: &Spent) {
        let mut seconds = self.seconds.lock();
        for step in Step::ALL {
            *seconds.entry(step.name()).or_default() += spent.of(step).as_secs_f64();
        }
        let commit = spent.of(Step::Commit);
        if !commit.is_zero() {
            let mut least = self.least_commit.lock();
            *least = Some(least.map_or(commit, |least| least.min(commit)));
        }
    }

    /// The shortest time for which a unit waited for its commits; zero before there was one.
    pub(super) fn least_commit(&self) -> Duration {
        self.least_commit.lock().unwrap_or_default()
    }

    /// Adds the time since `start`, as the clock on the wall has it, to a stage of the run.
    pub(super) fn passed(&self, stage: &'static str, start: Instant) {
        *self.stages.lock().entry(stage).or_default() += start.elapsed().as_secs_f64();
    }

    /// Notes a batch that is done, if it is one of the slowest.
    pub(super) fn done(&self, batch: SlowBatch) {
        let mut slowest = self.slowest.lock();
        let place = slowest.partition_point(|other| other.seconds >= batch.seconds);
        if place < SLOWEST {
            slowest.insert(place, batch);
            slowest.truncate(SLOWEST);
        }
    }

    /// Notes how many units were in flight at once.
    pub(super) fn in_flight(&self, units: usize) {
        self.in_flight.fetch_max(units, Ordering::Relaxed);
    }

    /// Counts a unit that is done again.
    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts rows that this run read.
    pub(super) fn read(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Counts a unit that is done now, whoever did it.
    pub(super) fn settle(&self) {
        self.settled.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that it was this run that did the end of the job, and what came of all of it.
    pub(super) fn finish(&self, totals: Counts) {
        *self.finished.lock() = Some(totals);
    }

    pub(super) fn finished(&self) -> Option<Counts> {
        *self.finished.lock()
    }

    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    /// Notes that a connection was taken after `wait`.
    pub(super) fn taken(&self, wait: Duration) {
        let mut pool = self.pool.lock();
        pool.in_use += 1;
        pool.peak = pool.peak.max(pool.in_use);
        pool.longest_wait = pool.longest_wait.max(wait);
    }

    /// Notes that a connection was given back.
    pub(super) fn given_back(&self) {
        self.pool.lock().in_use -= 1;
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(super) fn peak_in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn slowest(&self) -> Vec<SlowBatch> {
        self.slowest.lock().clone()
    }

    pub(super) fn stages(&self) -> BTreeMap<String, f64> {
        named(&self.stages)
    }

    pub(super) fn phases(&self) -> BTreeMap<String, f64> {
        named(&self.seconds)
    }

    pub(super) fn pool(&self) -> PoolReport {
        let pool = self.pool.lock();
        PoolReport { peak_in_use: pool.peak, longest_wait_seconds: pool.longest_wait.as_secs_f64() }
    }
}

fn named(seconds: &Mutex<BTreeMap<&'static str, f64>>) -> BTreeMap<String, f64> {
    seconds.lock().iter().map(|(&name, &seconds)| (name.to_owned(), seconds)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_batches_are_kept_the_slowest_first() {
        let meter = Meter::default();
        for (number, seconds) in [(0, 2.0), (1, 9.0), (2, 1.0), (3, 5.0), (4, 5.0)] {
            let first_row = 1;
            meter.done(SlowBatch { phase: "load", number, first_row, rows: 1, seconds });
        }
        let kept: Vec<_> = meter.slowest().iter().map(|batch| batch.number).collect();
        assert_eq!(kept, [1, 3, 4]);
    }
}
