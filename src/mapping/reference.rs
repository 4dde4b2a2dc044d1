//! What a foreign key refers to.

use crate::ident::{Ident, TableName};

/// What a foreign key refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The table.
    pub table: TableName,
    /// Its column.
    pub column: Ident,
    /// What becomes of a row when the row it refers to is deleted.
    pub on_delete: OnDelete,
}

/// What becomes of a row when the row it refers to is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDelete {
    /// Nothing: the other row cannot be deleted, at the end of the statement.
    #[default]
    NoAction,
    /// Nothing: the other row cannot be deleted, at once.
    Restrict,
    /// It is deleted too.
    Cascade,
    /// It refers to nothing.
    SetNull,
}

impl OnDelete {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
        }
    }
}

impl Reference {
    /// A reference to `column` of `table`, whose rows cannot be deleted as long as they are
    /// referred to.
    pub fn new(table: TableName, column: Ident) -> Self {
        Self { table, column, on_delete: OnDelete::NoAction }
    }

    /// The same reference, with what becomes of a row when the row it refers to is deleted.
    #[must_use]
    pub fn on_delete(mut self, action: OnDelete) -> Self {
        self.on_delete = action;
        self
    }
}
