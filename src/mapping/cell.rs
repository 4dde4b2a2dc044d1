//! One value of one row: what a backend hands out, and what turns it into a Rust value.

use super::column_type::ColumnType;
use crate::error::{Error, ErrorKind, Result};

/// A value as a backend hands it out, borrowed from what the database sent.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum CellRef<'a> {
    /// NULL.
    Null,
    /// The packed bytes of a value of a type: PostgreSQL's binary format.
    Packed(&'a ColumnType, &'a [u8]),
    /// A whole number of an untyped database.
    Integer(i64),
    /// A floating point number of an untyped database.
    Real(f64),
    /// A text of an untyped database.
    Text(&'a str),
    /// Bytes of an untyped database.
    Blob(&'a [u8]),
}

/// A Rust type that columns can have.
///
/// Packing and unpacking are inverse: what [`Cell::pack`] writes as a type, [`Cell::unpack`] reads
/// back from that type.
pub trait Cell: Sized {
    /// The type of a column that is created for it.
    fn column_type() -> ColumnType;

    /// Whether a value can be NULL; only `Option` says yes.
    const NULLABLE: bool = false;

    /// Appends the packed value as `column_type` to `out`; returns `false` for NULL, and then
    /// appends nothing.
    ///
    /// # Errors
    /// `Encode` if the value is none of that type: too large, too long, not representable.
    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool>;

    /// Reads a value.
    ///
    /// # Errors
    /// `Decode` if the cell is NULL and the type is not an `Option`, or is no value of the type.
    fn unpack(cell: CellRef<'_>) -> Result<Self>;
}

/// The error for a NULL in a type that has none.
#[allow(dead_code)]
pub(crate) fn unexpected_null() -> Error {
    Error::new(ErrorKind::Decode, "NULL in a field that is not an Option")
}
