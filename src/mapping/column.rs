//! A column of a table or an entity.

use super::column_type::ColumnType;
use crate::ident::Ident;

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
}

impl Column {
    /// A column that can be NULL and that every row carries.
    pub fn new(name: Ident, column_type: ColumnType) -> Self {
        Self { name, column_type, nullable: true, generated: false }
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
}
