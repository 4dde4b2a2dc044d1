//! What a run measures.

use super::report::PoolReport;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a run measures.
#[derive(Debug, Default)]
pub(super) struct Meter {
    seconds: Mutex<BTreeMap<&'static str, f64>>,
    retries: AtomicU64,
    rows: AtomicU64,
    pool: Mutex<PoolUse>,
}

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

    /// Counts a unit that is done again.
    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts rows that this run read.
    pub(super) fn read(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
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

    pub(super) fn phases(&self) -> BTreeMap<String, f64> {
        self.seconds.lock().iter().map(|(&name, &seconds)| (name.to_owned(), seconds)).collect()
    }

    pub(super) fn pool(&self) -> PoolReport {
        let pool = self.pool.lock();
        PoolReport { peak_in_use: pool.peak, longest_wait_seconds: pool.longest_wait.as_secs_f64() }
    }
}
