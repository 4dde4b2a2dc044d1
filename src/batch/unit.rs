//! A piece of work that is done in one transaction.

use crate::source::bounds::Bounds;

/// The phases of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Batches of the source are stored, in the table or in the stage.
    Load,
    /// The stage is made fit for merging, once, when every batch is in it.
    Seal,
    /// Buckets of the stage are merged.
    Merge,
    /// What is done once, at the end.
    Finish,
}

impl Phase {
    /// All of them, in their order.
    pub(super) const IN_ORDER: [Self; 4] = [Self::Load, Self::Seal, Self::Merge, Self::Finish];

    /// Its number in the ledger. The ledgers of the first version know no seal.
    pub(super) fn number(self) -> i16 {
        match self {
            Self::Load => 0,
            Self::Merge => 1,
            Self::Finish => 2,
            Self::Seal => 3,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Seal => "seal",
            Self::Merge => "merge",
            Self::Finish => "finish",
        }
    }
}

/// A piece of work: a batch of the source, the seal, a bucket of the stage, or the end. Its number is
/// `bounds.number`; only a batch of the source has more bounds than that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub(super) phase: Phase,
    pub(super) bounds: Bounds,
}

impl Unit {
    /// A unit that is not a batch of the source.
    pub(super) fn numbered(phase: Phase, number: u32) -> Self {
        Self { phase, bounds: Bounds::of_rows(number, 1, 0) }
    }

    pub(super) fn number(&self) -> u32 {
        self.bounds.number
    }

    /// What it takes of the bytes in flight.
    pub(super) fn bytes(&self) -> u64 {
        self.bounds.end - self.bounds.start
    }
}
