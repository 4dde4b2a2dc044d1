//! Watching a run.

use crate::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// What a run is going to do; known once its plan stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanTotals {
    /// All batches of the job.
    pub batches: u64,
    /// All rows of the source.
    pub rows: u64,
    /// All bytes of the source; 0 where it has none.
    pub bytes: u64,
    /// Batches that an earlier run has done.
    pub done_batches: u64,
    /// The rows of those.
    pub done_rows: u64,
    /// The bytes of those.
    pub done_bytes: u64,
}

/// A batch that was committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchDone {
    /// Rows that were read.
    pub rows: u64,
    /// Bytes of the source; 0 where it has none.
    pub bytes: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// How long it took on its worker, with all its attempts.
    pub time: Duration,
}

/// Watches a run: progress, metrics. It is told after the fact, from several threads at once, and
/// never while a connection or a lock is held; it must be quick, for the worker waits for it.
pub trait Observer: Send + Sync {
    /// The plan stands.
    fn planned(&self, _plan: &PlanTotals) {}

    /// A batch was committed.
    fn batch_done(&self, _done: &BatchDone) {}

    /// So many rows more were rejected, after the batch they came in was committed.
    fn rejected(&self, _rows: u64) {}

    /// Nothing was deleted from the target: a rejected record may hide any key.
    fn held_back(&self) {}

    /// Indexes that were to be rebuilt were kept up row by row, because the database refused to build one of
    /// them: where it is kept up, the row at fault is refused.
    fn indexes_kept(&self, _why: &Error) {}

    /// The run enters a phase: `plan`, `load`, `merge`, `finish`.
    fn phase(&self, _name: &str) {}

    /// At the rate of this run, its deadline will be missed by at least this. Told at most once in
    /// ten minutes.
    fn will_be_late(&self, _by: Duration) {}

    /// The run waits and will try again, because of an error that may pass.
    fn waiting(&self, _why: &Error) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// All who watch a run, in the order in which they came.
#[derive(Clone, Default)]
pub(super) struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    pub(super) fn add(&mut self, observer: Arc<dyn Observer>) {
        self.0.push(observer);
    }

    fn each(&self, tell: impl Fn(&dyn Observer)) {
        self.0.iter().for_each(|observer| tell(&**observer));
    }
}

impl Observer for Observers {
    fn planned(&self, plan: &PlanTotals) {
        self.each(|observer| observer.planned(plan));
    }

    fn batch_done(&self, done: &BatchDone) {
        self.each(|observer| observer.batch_done(done));
    }

    fn rejected(&self, rows: u64) {
        self.each(|observer| observer.rejected(rows));
    }

    fn held_back(&self) {
        self.each(|observer| observer.held_back());
    }

    fn indexes_kept(&self, why: &Error) {
        self.each(|observer| observer.indexes_kept(why));
    }

    fn phase(&self, name: &str) {
        self.each(|observer| observer.phase(name));
    }

    fn will_be_late(&self, by: Duration) {
        self.each(|observer| observer.will_be_late(by));
    }

    fn waiting(&self, why: &Error) {
        self.each(|observer| observer.waiting(why));
    }
}
