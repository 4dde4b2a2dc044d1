//! Where the rows of a table lie.

use crate::ident::TableName;

/// Where the rows of a table lie, and how they are spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableStorage {
    /// The tables that have its rows: itself, or its partitions and what inherits from it. None
    /// for a view.
    pub parts: Vec<StoragePart>,
    /// Whether other tables than itself have rows of it.
    pub is_tree: bool,
    /// Values that part the values of the key evenly, as texts, the smallest and the largest
    /// included; none where nothing is known.
    pub quantiles: Vec<String>,
}

/// A table that has rows of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoragePart {
    /// Its name.
    pub table: TableName,
    /// What it is for the database, whatever its name becomes.
    pub number: u64,
    /// The file it is kept in: another one once it was rewritten or emptied; `None` where that
    /// cannot be told.
    pub file: Option<u64>,
    /// How many rows it has, as far as is known; `None` if nothing is.
    pub rows: Option<u64>,
    /// How many rows were written or deleted since it was last looked at for its statistics; `None`
    /// where that is not counted.
    pub changed_rows: Option<u64>,
    /// Its bytes, without what is kept outside of its rows.
    pub bytes: u64,
    /// The bytes of large values, which are kept outside.
    pub outside_bytes: u64,
    /// How many blocks it has; `None` where it cannot be read by blocks.
    pub blocks: Option<u64>,
    /// A text that differs once a row of it was changed; `None` where that cannot be told.
    pub changes: Option<String>,
}

impl StoragePart {
    /// A table of which nothing is known.
    pub fn new(table: TableName) -> Self {
        Self {
            table,
            number: 0,
            file: None,
            rows: None,
            changed_rows: None,
            bytes: 0,
            outside_bytes: 0,
            blocks: None,
            changes: None,
        }
    }
}
