//! What came of an attempt at a unit.

use super::ledger::Counts;

/// What a transaction did.
pub(super) enum Outcome {
    Committed {
        counts: Counts,
        held_back: bool,
        /// Of the whole job, at its end.
        totals: Option<Counts>,
    },
    /// An earlier attempt, whose answer was lost, or another process had done it.
    AlreadyDone,
    /// Something that has to come before it is open again: the server had forgotten it.
    TooEarly,
    /// Another process has it.
    PassedOver,
    /// Rows were refused, and nobody noted where they stand.
    LacksPositions,
}
