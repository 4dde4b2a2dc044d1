//! Several runs, as one who watches sees them.

use crate::batch::observer::{BatchDone, Observer, PlanTotals};
use crate::error::Error;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is told of the runs of all shards together. Each reads all batches and has a part of their
/// rows: so a batch counts once for each shard, and its rows once for all of them.
pub(super) struct Progress<'a> {
    observer: &'a dyn Observer,
    runs: u64,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    seen_rows: u64,
    seen_bytes: u64,
    rows: u64,
    bytes: u64,
    phase: usize,
    is_late: bool,
}

const PHASES: [&str; 4] = ["plan", "load", "merge", "finish"];

impl<'a> Progress<'a> {
    /// That of `runs` runs.
    pub(super) fn of(observer: &'a dyn Observer, runs: usize) -> Self {
        Self { observer, runs: (runs as u64).max(1), told: Mutex::default() }
    }

    /// Tells the plan of all runs: of `totals` batches, rows and bytes, where `open` are those that
    /// are left on each.
    pub(super) fn planned(&self, totals: [u64; 3], open: &[[u64; 3]]) {
        let [batches, rows, bytes] = totals;
        let left = |which: usize| open.iter().map(|open| open[which]).sum::<u64>();
        self.observer.planned(&PlanTotals {
            batches: batches * self.runs,
            rows,
            bytes,
            done_batches: (batches * self.runs).saturating_sub(left(0)),
            done_rows: rows.saturating_sub(left(1) / self.runs),
            done_bytes: bytes.saturating_sub(left(2) / self.runs),
        });
    }
}

/// What is told of the run of one shard.
pub(super) struct OneOf<'a> {
    pub(super) all: &'a Progress<'a>,
    /// Batches that it has done.
    pub(super) batches: AtomicU64,
}

impl Observer for OneOf<'_> {
    fn batch_done(&self, done: &BatchDone) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        let share = {
            let mut told = self.all.told.lock();
            told.seen_rows += done.rows;
            told.seen_bytes += done.bytes;
            let rows = told.seen_rows / self.all.runs - told.rows;
            let bytes = told.seen_bytes / self.all.runs - told.bytes;
            told.rows += rows;
            told.bytes += bytes;
            BatchDone { rows, bytes, ..*done }
        };
        self.all.observer.batch_done(&share);
    }

    fn rejected(&self, rows: u64) {
        self.all.observer.rejected(rows);
    }

    fn held_back(&self) {
        self.all.observer.held_back();
    }

    fn indexes_kept(&self, why: &Error) {
        self.all.observer.indexes_kept(why);
    }

    fn phase(&self, name: &str) {
        let number = PHASES.iter().position(|phase| *phase == name).unwrap_or_default() + 1;
        let is_next = {
            let mut told = self.all.told.lock();
            let is_next = told.phase < number;
            told.phase = told.phase.max(number);
            is_next
        };
        if is_next {
            self.all.observer.phase(name);
        }
    }

    fn will_be_late(&self, by: Duration) {
        if !std::mem::replace(&mut self.all.told.lock().is_late, true) {
            self.all.observer.will_be_late(by);
        }
    }

    fn waiting(&self, why: &Error) {
        self.all.observer.waiting(why);
    }
}
