//! A struct whose values are rows of a table.

use super::cell::CellRef;
use super::column::Column;
use super::column_type::ColumnType;
use super::rows::RowWriter;
use super::table_shape::Index;
use super::typed_fields::TypedFields;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;

/// A struct that is mapped to a table: `#[derive(Entity)]` writes it.
pub trait Entity: Sized + 'static {
    /// The table.
    ///
    /// # Errors
    /// `Config` if the declared name is none.
    fn table() -> Result<TableName>;

    /// Its columns in the order in which [`Entity::pack`] writes them; those that the database
    /// makes (`generated`) come last, and no row carries them.
    ///
    /// # Errors
    /// `Config` if a declared name or type is none.
    fn columns() -> Result<Vec<Column>>;

    /// The names of the key's columns, in order; empty if no key is declared.
    fn key() -> &'static [&'static str];

    /// The column that says on which shard a row is; `None` if none is declared. Default: none.
    fn shard_key() -> Option<&'static str> {
        None
    }

    /// Its indexes beside that of the key, where a table is created for it. Default: none.
    ///
    /// # Errors
    /// `Config` if a declared name is none.
    fn indexes() -> Result<Vec<Index>> {
        Ok(Vec::new())
    }

    /// Writes the row: one field for each column that is not generated, as the types of `columns`
    /// (the table's own, in the order of [`Entity::columns`]).
    ///
    /// # Errors
    /// `Encode` with the column, if a value is none of its type.
    fn pack(&self, columns: &[Column], row: &mut RowWriter<'_>) -> Result<()>;

    /// Appends the packed value of column `index` of [`Entity::columns`], generated or not, to
    /// `out`; `false` for NULL.
    ///
    /// # Errors
    /// `Encode` with the column, if it is no value of `column_type`; `Internal` if there is no such
    /// column.
    fn pack_field(&self, index: usize, column_type: &ColumnType, out: &mut Vec<u8>)
    -> Result<bool>;

    /// Gives the field of column `index` of [`Entity::columns`] the value of `cell`.
    ///
    /// # Errors
    /// `Decode` with the column, if it is no value of the field's type; `Internal` if there is no
    /// such column.
    fn fill_field(&mut self, index: usize, cell: CellRef<'_>) -> Result<()>;

    /// Reads a row: `cell(i)` is the value of column `i` of [`Entity::columns`].
    ///
    /// # Errors
    /// `Decode` with the column, if a cell is no value of the field's type.
    fn unpack<'a>(cell: &mut dyn FnMut(usize) -> Result<CellRef<'a>>) -> Result<Self>;

    /// As [`Entity::unpack`], of packed fields that stand in the order of [`Entity::columns`].
    /// Default: by [`Entity::unpack`].
    ///
    /// # Errors
    /// As [`Entity::unpack`].
    fn unpack_fields(fields: TypedFields<'_>) -> Result<Self> {
        let cells = fields.cells()?;
        Self::unpack(&mut |index| {
            let absent = || Error::new(ErrorKind::Internal, "an entity has no such column");
            cells.get(index).copied().ok_or_else(absent)
        })
    }
}
