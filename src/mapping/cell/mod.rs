//! One value of one row: what a backend hands out, and what turns it into a Rust value.
//!
//! - `boolean`, `integer`, `float`, `text`, `bytes`, `json`, `array`, `option`: Rust's own types
//! - `decimal`, `jiff`, `chrono`, `uuid`: types of other crates, each behind its feature
//! - `label`:    what `#[derive(SqlEnum)]` calls; `conversion`: what `#[derive(Cell)]` calls;
//!   `record`: what `#[derive(Composite)]` calls
//! - `convert`:  cells as values of another type
//! - `values`:   types of our own for what Rust has none for
//! - `travel`:   values for types that only the database knows
//! - `text_copy`: copies of texts, checked
//! - `sized`:    values behind their lengths, as the fields of a row
//! - `numeric`:  PostgreSQL's decimal numbers, as far as cells need them
//! - `calendar`: days, times and timestamps as numbers, and their ISO texts
//! - `fault`:    the errors, none of which shows a value
//!
//! Nothing is lost on the way: a value that is none of the column's type is refused when it is
//! packed, and a cell that the Rust type cannot hold exactly is refused when it is read.

pub(crate) mod array;
mod boolean;
mod bytes;
#[cfg(any(feature = "jiff", feature = "chrono"))]
mod calendar;
#[cfg(feature = "chrono")]
mod chrono;
pub(crate) mod conversion;
pub mod convert;
#[cfg(feature = "rust_decimal")]
mod decimal;
mod fault;
mod float;
mod integer;
#[cfg(feature = "jiff")]
mod jiff;
mod json;
pub(crate) mod label;
mod numeric;
mod option;
pub(crate) mod record;
pub(in crate::mapping) mod sized;
mod text;
mod text_copy;
pub(crate) mod travel;
#[cfg(feature = "uuid")]
mod uuid;
pub mod values;

pub use array::Element;

use super::column_type::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use std::fmt;

/// A value as a backend hands it out, borrowed from what the database sent.
///
/// `Debug` shows the kind of the value, never the value.
#[derive(Clone, Copy, PartialEq)]
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

impl fmt::Debug for CellRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Packed(column_type, bytes) => {
                write!(f, "Packed({column_type}, {} bytes)", bytes.len())
            }
            Self::Integer(_) => f.write_str("Integer(..)"),
            Self::Real(_) => f.write_str("Real(..)"),
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Blob(_) => f.write_str("Blob(..)"),
        }
    }
}

/// A Rust type that columns can have.
///
/// Packing and unpacking are inverse: what [`Cell::pack`] writes as a type, [`Cell::unpack`] reads
/// back from that type. Only what the column itself rounds or pads comes back rounded or padded:
/// a `numeric(p,s)` to its scale, a `char(n)` to its length, a time to microseconds.
///
/// ```
/// use rowmill::{Cell, CellRef, ColumnType};
/// let mut packed = Vec::new();
/// assert!(7_i32.pack(&ColumnType::Int8, &mut packed)?);
/// assert_eq!(i32::unpack(CellRef::Packed(&ColumnType::Int8, &packed))?, 7);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type that a column can have",
    note = "bool, i16, i32, i64, f32, f64, String, Vec<u8>, serde_json::Value, IpAddr, rowmill's own \
            Numeric, Moment, Interval, Range, Inet and Hstore, Option and Vec of them are; the \
            features `chrono`, `jiff`, `rust_decimal` and `uuid` add theirs",
    note = "an enum without fields becomes one with #[derive(rowmill::SqlEnum)], a type around \
            another one with #[derive(rowmill::Cell)]"
)]
pub trait Cell: Sized {
    /// The type of a column that is created for it.
    fn column_type() -> ColumnType;

    /// Whether a value can be NULL; only `Option` says yes.
    const NULLABLE: bool = false;

    /// The labels of the enum of the database that its values or their elements are, in their order;
    /// none for all other types.
    fn labels() -> &'static [&'static str] {
        &[]
    }

    /// Appends the packed value as `column_type` to `out`; returns `false` for NULL, and then
    /// appends nothing.
    ///
    /// # Errors
    /// `Encode` if the value is none of that type: too large, too long, not representable. What
    /// was appended before it was found is to be thrown away.
    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool>;

    /// As [`Cell::pack`], as a field of a row: behind its length, which is 4 bytes, and -1 for NULL.
    ///
    /// Default: by [`Cell::pack`]; types that can write both at once do. The bytes are the same.
    ///
    /// # Errors
    /// As [`Cell::pack`]; `Encode` if it is larger than 1 GiB.
    fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        sized::packed(self, column_type, out)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// `Decode` if the cell is NULL and the type is not an `Option`, or is no value of the type.
    fn unpack(cell: CellRef<'_>) -> Result<Self>;
}

/// The error for a NULL in a type that has none.
pub(crate) fn unexpected_null() -> Error {
    Error::new(ErrorKind::Decode, "NULL in a field that is not an Option")
}
