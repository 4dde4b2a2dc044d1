//! How many batches were in flight at once, and why.

use serde::Serialize;

/// How many batches a run has in flight at once, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WorkerChoice {
    /// So many.
    pub count: usize,
    /// The most that it could have been.
    pub most: usize,
    /// Why it is `count`.
    pub reason: WorkerReason,
    /// What was tried, in the order of the trials; none unless the reason is `Measured`.
    pub trials: Vec<WorkerTrial>,
}

/// Why a run has as many batches in flight as it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WorkerReason {
    /// The job says so.
    Set,
    /// More were tried.
    Measured,
    /// There were too few batches to measure anything.
    TooFewBatches,
    /// The processors were busy: more would have waited for these.
    Busy,
    /// Batches differed too much, or failed too often, to compare anything.
    Unsteady,
    /// The pool has no more connections.
    Pool,
    /// The server has no room for more connections.
    Server,
    /// The database has one writer at a time.
    OneWriter,
    /// Other processes work on the job, too.
    Joined,
    /// All shards have their share of the workers.
    Shards,
    /// It was asked to do one batch after the other.
    Serial,
}

/// A trial of more batches in flight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WorkerTrial {
    /// So many there were before.
    pub from: usize,
    /// So many were tried.
    pub to: usize,
    /// How many more rows came in by second: 0.5 is half as many again, negative is fewer. `None`
    /// if the trial came to no end: a batch had to be tried again, or there were no more of them.
    pub gain: Option<f64>,
    /// Whether it stayed at what was tried.
    pub kept: bool,
}

impl WorkerChoice {
    /// A number that nothing was tried for.
    pub(crate) fn of(count: usize, most: usize, reason: WorkerReason) -> Self {
        Self { count, most, reason, trials: Vec::new() }
    }
}
