//! The table of an entity, as it is declared.

use super::column::Column;
use super::entity::Entity;
use crate::error::Result;
use crate::ident::{Ident, TableName};

/// An index over columns of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Index {
    /// Its columns in their order.
    pub columns: Vec<Ident>,
    /// Whether no two rows have the same values in them.
    pub unique: bool,
}

impl Index {
    /// An index over `columns`.
    pub fn new(columns: Vec<Ident>) -> Self {
        Self { columns, unique: false }
    }

    /// The same index, of which no two rows have the same values.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
}

/// The table of an entity, as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableShape {
    /// Its name.
    pub table: TableName,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The columns of its key, in order; none if no key is declared.
    pub key: Vec<Ident>,
    /// Its indexes beside that of the key.
    pub indexes: Vec<Index>,
}

impl TableShape {
    /// The table of the entity `E`. Columns of the key are never NULL.
    ///
    /// # Errors
    /// `Config` if a declared name or type is none.
    pub fn of<E: Entity>() -> Result<Self> {
        let key: Vec<_> = E::key().iter().map(|name| Ident::new(*name)).collect::<Result<_>>()?;
        let mut columns = E::columns()?;
        for column in columns.iter_mut().filter(|column| key.contains(&column.name)) {
            column.nullable = false;
        }
        let mut indexes = E::indexes()?;
        // The index of the key is there already.
        indexes.retain(|index| index.columns != key);
        Ok(Self { table: E::table()?, columns, key, indexes })
    }

    /// The column of that name.
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }
}
