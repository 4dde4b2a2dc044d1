//! What became of a transaction whose end nobody saw.

/// The number that a database gave a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId(pub u64);

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was committed.
    Committed,
    /// It was rolled back.
    RolledBack,
    /// It is not over: its session may still be committing.
    InProgress,
    /// The database does not know: it was long ago, or on a server that is no more.
    Unknown,
}
