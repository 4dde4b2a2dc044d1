//! What the catalog says of a table.

use crate::mapping::column::Column;

/// What the catalog says of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableInfo {
    /// Its columns in their order, without dropped ones. `generated` is set for those no statement
    /// may write: generated columns and identities `ALWAYS`. References are those of foreign keys
    /// of one column.
    pub columns: Vec<Column>,
    /// The names of the columns that have a default (an identity, a sequence, an expression).
    pub defaults: Vec<String>,
    /// The columns of the primary key in their order; none if there is none.
    pub key: Vec<String>,
    /// The columns of each unique index that holds for all rows, the primary key first: valid, not
    /// partial, without expressions.
    pub unique: Vec<Vec<String>>,
    /// The columns of each other index that holds for all rows, without expressions.
    pub indexes: Vec<Vec<String>>,
    /// How many characters the texts of a column are meant to have at most, where the database does
    /// not hold them to it.
    pub lengths: Vec<(String, u32)>,
    /// The names of foreign keys of other tables that point here.
    pub referenced_by: Vec<String>,
    /// Whether it is a table that rows can be loaded into, and not a view.
    pub is_table: bool,
}

impl TableInfo {
    /// An ordinary table with these columns and nothing else.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            defaults: Vec::new(),
            key: Vec::new(),
            unique: Vec::new(),
            indexes: Vec::new(),
            lengths: Vec::new(),
            referenced_by: Vec::new(),
            is_table: true,
        }
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// The column of that name, to add to what is known of it.
    pub fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name.as_str() == name)
    }

    /// Whether exactly these columns, in any order, are unique.
    pub fn has_unique(&self, key: &[String]) -> bool {
        self.unique.iter().any(|unique| {
            unique.len() == key.len() && key.iter().all(|column| unique.contains(column))
        })
    }
}
