//! What becomes of rows with the same key, and what became of rows that were stored.

use std::fmt;

/// Which of several rows of the input with the same key counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Duplicates {
    /// The first.
    First,
    /// The last.
    #[default]
    Last,
    /// None: they are an error, and nothing is written.
    Error,
}

/// What became of rows that were inserted or updated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upserted {
    /// Rows that are new in the table.
    pub inserted: u64,
    /// Rows that were changed.
    pub updated: u64,
    /// Rows that were there already as they are.
    pub unchanged: u64,
    /// Rows of the input that another one with the same key superseded.
    pub duplicates: u64,
}

impl fmt::Display for Upserted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inserted, updated, unchanged, duplicates } = self;
        write!(
            f,
            "{inserted} inserted, {updated} updated, {unchanged} unchanged, {duplicates} duplicates"
        )
    }
}
