//! A column of a table or an entity.

use super::column_type::ColumnType;
use crate::ident::{Ident, TableName};

/// A column: its name, its type and what the database promises about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// Its name in the table.
    pub name: Ident,
    /// Its type.
    pub column_type: ColumnType,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// Whether the database makes its values (an identity, a default, a generated column), so
    /// that no row carries one.
    pub generated: bool,
    /// Whether it counts the versions of its row, so that no update overwrites another one
    /// unseen.
    pub version: bool,
    /// The column of another table that it refers to.
    pub references: Option<Reference>,
}

/// What a foreign key refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The table.
    pub table: TableName,
    /// Its column.
    pub column: Ident,
}

impl Reference {
    /// A reference to `column` of `table`.
    pub fn new(table: TableName, column: Ident) -> Self {
        Self { table, column }
    }
}

impl Column {
    /// A column that can be NULL and that every row carries.
    pub fn new(name: Ident, column_type: ColumnType) -> Self {
        Self {
            name,
            column_type,
            nullable: true,
            generated: false,
            version: false,
            references: None,
        }
    }

    /// The same column without NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// The same column, made by the database.
    #[must_use]
    pub fn generated(mut self) -> Self {
        self.generated = true;
        self
    }

    /// The same column, as the counter of the versions of its row.
    #[must_use]
    pub fn version(mut self) -> Self {
        self.version = true;
        self
    }

    /// The same column, as a foreign key.
    #[must_use]
    pub fn references(mut self, reference: Reference) -> Self {
        self.references = Some(reference);
        self
    }
}
