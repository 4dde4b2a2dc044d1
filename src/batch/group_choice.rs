//! How many batches shared a transaction, and why no more did.

use serde::Serialize;

/// How many batches shared a transaction of a run, and why no more did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupChoice {
    /// So many, at most.
    pub count: usize,
    /// The most that were allowed.
    pub most: usize,
    /// Why it was not more than `count`.
    pub reason: GroupReason,
}

/// Why no more batches of a run shared a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroupReason {
    /// No more may.
    Most,
    /// More would have had more bytes than a transaction may have.
    Bytes,
    /// A transaction took so long that what is lost with one would be much.
    Time,
    /// Rows were refused: batches behind them were done one by one.
    Refused,
    /// There were too few batches.
    TooFewBatches,
    /// What comes of each batch decides what is done next: each has its own.
    Alone,
}
