//! What a source in a database promises of the instant at which its rows are read.

use std::fmt;

/// What a source in a database promises of the instant at which its rows are read, while others
/// write to it.
///
/// | | all rows as of | after a crash |
/// |---|---|---|
/// | `Snapshot` | one instant: the start of the run | goes on if nothing was read yet, or if the table is proven to be what it was; else it is refused, with the difference, and never mixed |
/// | `PerBatch` | one instant for each batch | goes on, always |
/// | `Static` | the table must not change | goes on if the table is proven to be what it was; else it is refused, with the difference |
///
/// Where the database is one with replicas, rows are read from those that show what was committed
/// when the run began: all of one server for `Snapshot`, each batch from any for the others.
///
/// The default is `PerBatch` where there is a unique key without NULL: then the same command
/// carries on after any crash, whatever happened meanwhile, and each row that is there all the time
/// is read exactly once. Its condition is that the key of a row does not change while the job runs:
/// a row whose key does may be missed or read twice. Where there is no such key, the default is
/// `Snapshot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Consistency {
    /// All rows as of one instant. The snapshot lives as long as the connection that holds it: it
    /// dies with the process.
    Snapshot,
    /// The rows of a batch as of one instant, each batch of its own.
    PerBatch,
    /// Nobody writes to the table while the job lasts; that is checked, at every start and at the
    /// end.
    Static,
}

impl Consistency {
    /// All of them, with their names.
    pub const NAMES: [(&'static str, Self); 3] =
        [("snapshot", Self::Snapshot), ("per-batch", Self::PerBatch), ("static", Self::Static)];

    /// Its name in a job file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::PerBatch => "per-batch",
            Self::Static => "static",
        }
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
