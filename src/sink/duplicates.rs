//! What becomes of rows of the input that have one key.

use std::fmt;

/// What becomes of rows of the input that have one key.
///
/// The order of the input decides, over the whole input: the number of the batch and of the row in
/// it, never which worker comes first. So a run in parallel, one that is carried on after a crash and
/// the serial one end alike. A row that could not be read, or that the catalog refused before it was
/// sent, is none of them; one that the database refuses is: it is not replaced by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDuplicate {
    /// The first counts; the others are counted as duplicates.
    First,
    /// The last counts; the others are counted as duplicates.
    Last,
    /// The job ends before it changes a row of the table, and says where the first of them is.
    Error,
    /// The first counts; the others are rejected, each with the place of the first.
    Reject,
}

impl OnDuplicate {
    /// All policies.
    pub const ALL: [Self; 4] = [Self::First, Self::Last, Self::Error, Self::Reject];

    /// Its name in a job file.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Error => "error",
            Self::Reject => "reject",
        }
    }
}

impl fmt::Display for OnDuplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
