//! What becomes of the indexes of a table whose content is replaced.

use std::fmt;

/// What becomes of the indexes of a table whose content is replaced ([`Mode::Replace`]), at the end,
/// when all rows are staged. What the table has in the end is the same.
///
/// [`Mode::Replace`]: super::mode::Mode::Replace
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Indexes {
    /// They are kept up row by row. Nobody waits: who reads the table sees the old rows until the new
    /// ones are all in.
    #[default]
    Keep,
    /// Those that only serve reading are dropped before the rows go in and built anew behind them, in the
    /// same transaction, and the table is emptied at once (`TRUNCATE`), so that it has no dead rows. It costs
    /// less, and who reads the table waits as long as that transaction takes; one that took its snapshot
    /// before and reads the table for the first time after it finds it empty (`REPEATABLE READ`). It takes
    /// the rights of the owner of the table. Behind it the rows are frozen (`VACUUM (FREEZE, ANALYZE)`), which waits
    /// for nobody and holds nobody up.
    Rebuild,
}

impl Indexes {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Keep, Self::Rebuild];

    /// Its name in a job file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Rebuild => "rebuild",
        }
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
