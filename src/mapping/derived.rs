//! What the code that `#[derive(Entity)]` and `#[derive(SqlEnum)]` write calls; not for people.

pub use super::cell::label::{pack_label, read_label, unknown_label};

use super::cell::{Cell, CellRef};
use super::column::Column;
use super::rows::RowWriter;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::Ident;

/// The column of a field of the type `T`.
///
/// # Errors
/// `Config` if `name` is no name.
pub fn column<T: Cell>(name: &str) -> Result<Column> {
    let column = Column::new(Ident::new(name)?, T::column_type());
    Ok(if T::NULLABLE { column } else { column.not_null() })
}

/// Writes a field as the type of column `index`.
///
/// # Errors
/// `Encode` with the column; `Internal` if there is no such column.
pub fn pack_field<T: Cell>(
    value: &T,
    columns: &[Column],
    index: usize,
    row: &mut RowWriter<'_>,
) -> Result<()> {
    let Some(column) = columns.get(index) else {
        let message = format!("{} columns for a struct that has more fields", columns.len());
        return Err(Error::new(ErrorKind::Internal, message));
    };
    row.cell(value, &column.column_type)
        .locate(|place| place.column = Some(column.name.as_str().to_owned()))
}

/// Reads the field of column `index`, which is called `name`.
///
/// # Errors
/// `Decode` with the column.
pub fn unpack_field<'a, T: Cell>(
    cell: &mut dyn FnMut(usize) -> Result<CellRef<'a>>,
    index: usize,
    name: &str,
) -> Result<T> {
    cell(index).and_then(T::unpack).locate(|place| place.column = Some(name.to_owned()))
}
