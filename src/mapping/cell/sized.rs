//! Fields of a row: values behind their lengths.
//!
//! A value of a fixed size is one store together with its length: what a row costs is mostly how often
//! it asks for room and calls for a copy.

use super::Cell;
use super::travel::pack_as;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::plain;

/// PostgreSQL's limit for a field.
pub(in crate::mapping) const MAX_FIELD_BYTES: usize = 1 << 30;
/// The length of NULL.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// The longest of the values that have a fixed size.
const FIXED: usize = 16;

/// Appends NULL.
#[inline]
pub(in crate::mapping) fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(&NULL);
}

/// Appends a value of a fixed size, 16 bytes at most.
#[inline]
pub(super) fn fixed<const N: usize>(value: [u8; N], out: &mut Vec<u8>) {
    let mut field = [0; 4 + FIXED];
    field[..4].copy_from_slice(&(N as u32).to_be_bytes());
    field[4..4 + N].copy_from_slice(&value);
    out.extend_from_slice(&field[..4 + N]);
}

/// Appends the first `length` of 16 bytes.
#[cfg(feature = "rust_decimal")]
#[inline]
pub(super) fn first_of((value, length): ([u8; 16], usize), out: &mut Vec<u8>) {
    let end = out.len() + 4 + length;
    let mut field = [0; 4 + 16];
    field[..4].copy_from_slice(&(length as u32).to_be_bytes());
    field[4..].copy_from_slice(&value);
    out.extend_from_slice(&field);
    out.truncate(end);
}

/// Appends a text and as many blanks behind it; together they must not be larger than a field.
#[inline]
pub(super) fn text(text: &[u8], blanks: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&((text.len() + blanks) as u32).to_be_bytes());
    plain::append(text, out);
    plain::append_blanks(blanks, out);
}

/// Appends what [`Cell::pack`] writes, behind its length, whatever the type of the column.
pub(super) fn packed<T: Cell>(
    value: &T,
    column_type: &ColumnType,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let at = out.len();
    null(out);
    if !pack_as(value, column_type, out)? {
        return Ok(false);
    }
    let length = out.len() - at - 4;
    if length > MAX_FIELD_BYTES {
        return Err(too_large());
    }
    out[at..at + 4].copy_from_slice(&(length as u32).to_be_bytes());
    Ok(true)
}

#[cold]
pub(in crate::mapping) fn too_large() -> Error {
    Error::new(ErrorKind::Encode, "a field is larger than 1 GiB")
}

#[cfg(test)]
mod tests;
