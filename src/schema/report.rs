//! All differences between entities and a database.

use super::difference::Difference;
use crate::error::{Error, ErrorKind, Result};
use std::fmt;

/// All differences between entities and a database, in the order of the entities and their columns.
///
/// `Display` has one line for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaReport {
    differences: Vec<Difference>,
}

impl SchemaReport {
    pub(super) fn new(differences: Vec<Difference>) -> Self {
        Self { differences }
    }

    /// The differences.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Whether there are none.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }

    /// Nothing if there are no differences, else an error that lists them and has this report as
    /// its [`source`](std::error::Error::source).
    ///
    /// # Errors
    /// `Schema` if there are differences.
    pub fn into_result(self) -> Result<()> {
        if self.is_clean() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Schema, self.to_string()).with_source(self))
    }
}

impl fmt::Display for SchemaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.differences.len() {
            0 => return f.write_str("the database is as the entities say"),
            1 => f.write_str("the database is not as the entities say:")?,
            count => {
                write!(f, "the database is not as the entities say, in {count} ways:")?;
            }
        }
        self.differences.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

impl std::error::Error for SchemaReport {}
