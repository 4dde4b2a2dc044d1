//! Where it happened.

use super::{Error, Result};
use std::fmt;

/// Where an error happened; every part is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The name of the job.
    pub job: Option<String>,
    /// The file that was read.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<u64>,
    /// The name of the shard.
    pub shard: Option<String>,
    /// The table.
    pub table: Option<String>,
    /// The number of the batch, from 0.
    pub batch: Option<u64>,
    /// The row of the input or of the statement, from 1.
    pub row: Option<u64>,
    /// The column.
    pub column: Option<String>,
}

impl Place {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn fill_from(&mut self, other: Self) {
        fn fill<T>(mine: &mut Option<T>, other: Option<T>) {
            if mine.is_none() {
                *mine = other;
            }
        }
        fill(&mut self.job, other.job);
        fill(&mut self.file, other.file);
        fill(&mut self.line, other.line);
        fill(&mut self.shard, other.shard);
        fill(&mut self.table, other.table);
        fill(&mut self.batch, other.batch);
        fill(&mut self.row, other.row);
        fill(&mut self.column, other.column);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |n: &Option<u64>| n.map(|n| n.to_string());
        let parts = [
            ("job", self.job.clone()),
            ("file", self.file.clone()),
            ("line", number(&self.line)),
            ("shard", self.shard.clone()),
            ("table", self.table.clone()),
            ("batch", number(&self.batch)),
            ("row", number(&self.row)),
            ("column", self.column.clone()),
        ];
        let mut separator = "";
        for (name, value) in parts {
            if let Some(value) = value {
                write!(f, "{separator}{name} {value}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// Adds a part of the place to the error of a `Result` on its way up.
pub trait Locate<T> {
    /// Lets `fill` add what it knows of the place; what is filled already stays.
    ///
    /// # Errors
    /// The error it was called on, with its place.
    fn locate(self, fill: impl FnOnce(&mut Place)) -> Result<T>;
}

impl<T> Locate<T> for Result<T> {
    #[inline]
    fn locate(self, fill: impl FnOnce(&mut Place)) -> Result<T> {
        self.map_err(|error: Error| error.locate(fill))
    }
}
