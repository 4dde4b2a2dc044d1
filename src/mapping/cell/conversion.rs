//! What `#[derive(Cell)]` calls: a type of the user that travels as another one.

use super::fault::unreadable;
use super::text::{pack_text, read_text};
use super::travel::pack_as;
use super::values::binary_of;
use super::{Cell, CellRef, sized};
use crate::error::{Error, Result};
use crate::mapping::binary::BinaryType;
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul::NulPolicy;
use crate::sqlstate::SqlState;
use std::fmt::Display;
use std::str::FromStr;

/// Packs the value that a type of the user travels as.
///
/// # Errors
/// `Encode` if it is no value of the column's type.
pub fn pack_inner<T: Cell>(inner: &T, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
    pack_as(inner, column_type, out)
}

/// Packs the value that a type of the user travels as, behind its length.
///
/// # Errors
/// `Encode` if it is no value of the column's type.
#[inline]
pub fn pack_inner_sized<T: Cell, V: Cell>(
    value: &T,
    inner: &V,
    column_type: &ColumnType,
    out: &mut Vec<u8>,
) -> Result<bool> {
    // As a text it is shown as its own column type says, which may be another one.
    if column_type.travels_as_text() {
        return sized::packed(value, column_type, out);
    }
    inner.pack_sized(column_type, out)
}

/// Reads the value that a type of the user travels as.
///
/// # Errors
/// `Decode` if the cell is none.
pub fn unpack_inner<T: Cell>(cell: CellRef<'_>) -> Result<T> {
    // Of a field of a composite type the server may say a number alone, that of a domain.
    if let Some((BinaryType::Unknown(_), bytes)) = binary_of(cell) {
        let own = T::column_type();
        if !own.travels_as_text() {
            return T::unpack(CellRef::Packed(&own, bytes));
        }
    }
    T::unpack(cell)
}

/// Reads the value that the type `rust` of the user travels as, and makes one of it.
///
/// # Errors
/// `Decode` if the cell is none, or the type refuses it. What it says stays with it: it can show
/// the value.
pub fn unpack_converted<V: Cell + TryInto<T>, T>(cell: CellRef<'_>, rust: &str) -> Result<T> {
    unpack_inner::<V>(cell)?.try_into().map_err(|_| refused(rust))
}

/// Packs what `Display` shows.
///
/// # Errors
/// `Encode` if the column is none of texts, or too short.
pub fn pack_display<T: Display>(
    value: &T,
    column_type: &ColumnType,
    out: &mut Vec<u8>,
) -> Result<bool> {
    pack_text(&value.to_string(), column_type, out)
}

/// Reads a text by the type's own `FromStr`.
///
/// # Errors
/// `Decode` if the cell is no text, or the type refuses it.
pub fn unpack_parsed<T: FromStr>(cell: CellRef<'_>, rust: &str) -> Result<T> {
    read_text(cell, rust)?.parse().map_err(|_| refused(rust))
}

/// Packs a text after what `nul` says of its NULs.
///
/// # Errors
/// `Encode` if the column is none of texts, or too short.
pub fn pack_sanitized(
    text: &str,
    nul: NulPolicy,
    column_type: &ColumnType,
    out: &mut Vec<u8>,
) -> Result<bool> {
    pack_text(&nul.apply(text), column_type, out)
}

#[cold]
fn refused(rust: &str) -> Error {
    unreadable(format!("a value that {rust} refuses"), SqlState::INVALID_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[derive(Debug)]
    struct Even;

    impl TryFrom<i64> for Even {
        type Error = String;

        fn try_from(number: i64) -> std::result::Result<Self, String> {
            if number % 2 == 0 { Ok(Self) } else { Err(format!("{number} is odd")) }
        }
    }

    #[test]
    fn what_a_type_refuses_is_told_without_the_value() {
        let odd = unpack_converted::<i64, Even>(CellRef::Integer(4711), "Even").unwrap_err();
        let none = unpack_parsed::<core::net::IpAddr>(CellRef::Text("secret"), "IpAddr");
        for error in [odd, none.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert_eq!(error.sqlstate(), Some(SqlState::INVALID_TEXT));
            assert!(error.message().starts_with("a value that "), "{error}");
        }
        assert!(unpack_converted::<i64, Even>(CellRef::Integer(2), "Even").is_ok());
    }
}
