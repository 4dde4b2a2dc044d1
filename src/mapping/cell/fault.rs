//! What can be wrong with a value: kinds and types are named, values never.

use super::{CellRef, unexpected_null};
use crate::error::{Error, ErrorKind};
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;

/// The Rust type has no values of the column's type: no row is at fault, the declaration is.
#[cold]
pub(super) fn not_packable(rust: &str, column_type: &ColumnType) -> Error {
    Error::new(ErrorKind::Encode, format!("{rust} cannot be written as {column_type}"))
        .with_sqlstate(SqlState::DATATYPE_MISMATCH)
        .with_hint("change the type of the field or of the column")
}

/// The cell is NULL, or of a kind that the Rust type does not read.
#[cold]
pub(super) fn not_readable(rust: &str, cell: CellRef<'_>) -> Error {
    let kind = match cell {
        CellRef::Null => return unexpected_null(),
        CellRef::Packed(column_type, _) => column_type.sql(),
        CellRef::Integer(_) => "a whole number".to_owned(),
        CellRef::Real(_) => "a floating point number".to_owned(),
        CellRef::Text(_) => "a text".to_owned(),
        CellRef::Blob(_) => "bytes".to_owned(),
    };
    Error::new(ErrorKind::Decode, format!("{kind} cannot be read as {rust}"))
        .with_sqlstate(SqlState::DATATYPE_MISMATCH)
        .with_hint("change the type of the field or cast the column")
}

/// The value is outside the column's range.
#[cold]
pub(super) fn out_of_range(column_type: &ColumnType) -> Error {
    Error::new(ErrorKind::Encode, format!("a number is outside the range of {column_type}"))
        .with_sqlstate(SqlState::NUMERIC_OUT_OF_RANGE)
}

/// The value would be another one in the column.
#[cold]
pub(super) fn inexact(rust: &str, column_type: &ColumnType) -> Error {
    let message = format!("{rust} that {column_type} does not hold exactly");
    Error::new(ErrorKind::Encode, message).with_sqlstate(SqlState::NUMERIC_OUT_OF_RANGE)
}

/// The cell holds what the Rust type does not: `what` is a sentence without the value.
#[cold]
pub(super) fn unreadable(what: impl Into<String>, sqlstate: SqlState) -> Error {
    Error::new(ErrorKind::Decode, what).with_sqlstate(sqlstate)
}

/// The packed bytes are none of their type.
#[cold]
pub(super) fn damaged(column_type: &ColumnType) -> Error {
    unreadable(format!("the packed bytes are no {column_type}"), SqlState::BAD_COPY_FORMAT)
}

/// The text of an untyped database is none of the type.
#[cold]
pub(super) fn malformed(what: &str) -> Error {
    unreadable(format!("a text is no {what}"), SqlState::INVALID_TEXT)
}

/// The bytes as an array, if they have its length.
pub(super) fn exactly<const N: usize>(
    column_type: &ColumnType,
    bytes: &[u8],
) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| damaged(column_type))
}
