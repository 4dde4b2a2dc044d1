//! What the code that the derives write calls; not for people.

pub use super::cell::conversion::{
    pack_display, pack_inner, pack_inner_sized, pack_sanitized, unpack_converted, unpack_inner,
    unpack_parsed,
};
pub use super::cell::label::{enum_type, pack_label, read_label, unknown_label, unknown_number};
pub use super::cell::record::{RecordReader, RecordWriter};

use super::cell::{Cell, CellRef};
use super::column::Column;
use super::column_type::ColumnType;
use super::entity::Entity;
use super::field::Field;
use super::reference::Reference;
use super::rows::RowWriter;
use super::table_shape::Index;
use super::typed_fields::TypedFields;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::{Ident, TableName};

/// The column of a field of the type `T`.
///
/// # Errors
/// `Config` if `name` is no name.
pub fn column<T: Cell>(name: &str) -> Result<Column> {
    let mut column = Column::new(Ident::new(name)?, T::column_type());
    column.labels = T::labels().iter().map(|label| (*label).to_owned()).collect();
    Ok(if T::NULLABLE { column } else { column.not_null() })
}

/// The same column, made by the database in its own way: a whole number is an identity.
pub fn generated(column: Column) -> Column {
    match column.column_type {
        ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => column.identity(),
        _ => column.generated(),
    }
}

/// An index.
///
/// # Errors
/// `Config` if a name is none.
pub fn index(columns: &[&str], unique: bool) -> Result<Index> {
    let columns = columns.iter().map(|name| Ident::new(*name)).collect::<Result<_>>()?;
    let index = Index::new(columns);
    Ok(if unique { index.unique() } else { index })
}

/// A type whose values have a length that a column can limit.
#[diagnostic::on_unimplemented(
    message = "`length` is for texts, and `{Self}` is none",
    label = "the field is no text",
    note = "a type of your own that is kept as a text says column_type = \"varchar(n)\""
)]
pub trait HasLength {}

impl HasLength for String {}
impl<T: HasLength> HasLength for Option<T> {}

/// Compiles for a type whose values have a length.
pub const fn has_length<T: HasLength>() {}

/// The constant for a field.
pub const fn field<E, T, R>(
    name: &'static str,
    index: usize,
    declared: Option<&'static str>,
) -> Field<E, T, R> {
    Field::declare(name, index, declared)
}

/// What a foreign key to the entity `E` refers to.
///
/// # Errors
/// `Config` if the key of `E` is not one column.
pub fn reference<E: Entity>() -> Result<Reference> {
    let table = E::table()?;
    match E::key() {
        [column] => Ok(Reference::new(table, Ident::new(*column)?)),
        key => {
            let message = format!(
                "a field refers to {}, whose key has {} columns instead of one",
                table.plain(),
                key.len()
            );
            Err(Error::new(ErrorKind::Config, message)
                .with_hint("name the column: #[entity(references = \"table.column\")]"))
        }
    }
}

/// What a foreign key to `target`, which is `table.column` or `schema.table.column`, refers to.
///
/// # Errors
/// `Config` if a part is no name.
pub fn reference_to(target: &str) -> Result<Reference> {
    let (table, column) = target.rsplit_once('.').unwrap_or(("", target));
    Ok(Reference::new(TableName::parse(table)?, Ident::new(column)?))
}

/// Packs the field of one column.
///
/// # Errors
/// `Encode` with the column.
pub fn pack_value<T: Cell>(
    value: &T,
    name: &str,
    column_type: &ColumnType,
    out: &mut Vec<u8>,
) -> Result<bool> {
    pack_inner(value, column_type, out).locate(|place| place.column = Some(name.to_owned()))
}

/// Reads the field of one column.
///
/// # Errors
/// `Decode` with the column.
pub fn unpack_value<T: Cell>(cell: CellRef<'_>, name: &str) -> Result<T> {
    T::unpack(cell).locate(|place| place.column = Some(name.to_owned()))
}

/// The error for a column that an entity does not have.
pub fn no_column(index: usize) -> Error {
    Error::new(ErrorKind::Internal, format!("an entity has no column {index}"))
}

/// Writes a field as the type of column `index`.
///
/// # Errors
/// `Encode` with the column; `Internal` if there is no such column.
#[inline]
pub fn pack_field<T: Cell>(
    value: &T,
    columns: &[Column],
    index: usize,
    row: &mut RowWriter<'_>,
) -> Result<()> {
    let Some(column) = columns.get(index) else { return Err(too_few(columns)) };
    row.cell(value, &column.column_type).map_err(|error| in_column(error, column.name.as_str()))
}

#[cold]
fn too_few(columns: &[Column]) -> Error {
    let message = format!("{} columns for a struct that has more fields", columns.len());
    Error::new(ErrorKind::Internal, message)
}

#[cold]
fn in_column(error: Error, name: &str) -> Error {
    error.locate(|place| place.column = Some(name.to_owned()))
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

/// Reads the next field, which is that of the column `name`.
///
/// # Errors
/// `Decode` with the column.
#[inline]
pub fn unpack_next<T: Cell>(fields: &mut TypedFields<'_>, name: &str) -> Result<T> {
    fields.next_cell().and_then(T::unpack).map_err(|error| in_column(error, name))
}
