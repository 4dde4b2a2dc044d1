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

/// Appends a text and as many blanks behind it; together they must not be larger than a field. `false`, and
/// nothing is appended, where it is not all ASCII without NUL.
///
/// What is looked at is what is copied, so that it is decided once by the length: what a length will be
/// is what a processor guesses worst.
#[inline]
pub(super) fn text(text: &[u8], blanks: usize, out: &mut Vec<u8>) -> bool {
    if let [byte @ 1..0x80] = text
        && blanks == 0
    {
        fixed([*byte], out);
        return true;
    }
    let is_plain = match text.len() {
        33..=64 => two::<32>(text, blanks, out),
        17..=32 => two::<16>(text, blanks, out),
        8..=16 => two::<8>(text, blanks, out),
        4..=7 => two::<4>(text, blanks, out),
        2..=3 => two::<2>(text, blanks, out),
        _ => any(text, blanks, out),
    };
    if is_plain {
        plain::append_blanks(blanks, out);
    }
    is_plain
}

/// A text of `N` to 2 `N` bytes, as its beginning and its end, which overlap: two copies of a known size.
#[inline]
fn two<const N: usize>(text: &[u8], blanks: usize, out: &mut Vec<u8>) -> bool {
    let (Some(head), Some(tail)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) else {
        return any(text, blanks, out);
    };
    if !plain::is_ascii_all(head) | !plain::is_ascii_all(tail) {
        return false;
    }
    let tail_at = out.len() + 4 + text.len() - N;
    out.extend_from_slice(&((text.len() + blanks) as u32).to_be_bytes());
    out.extend_from_slice(head);
    out.truncate(tail_at);
    out.extend_from_slice(tail);
    true
}

#[inline]
fn any(text: &[u8], blanks: usize, out: &mut Vec<u8>) -> bool {
    let is_plain = plain::is_ascii(text);
    if is_plain {
        out.extend_from_slice(&((text.len() + blanks) as u32).to_be_bytes());
        plain::append(text, out);
    }
    is_plain
}

/// Appends bytes, which must not be more than a field holds.
#[inline]
pub(super) fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    plain::append(bytes, out);
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
