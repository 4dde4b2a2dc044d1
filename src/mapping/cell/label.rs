//! What `#[derive(SqlEnum)]` calls: an enum travels as its label.

use super::CellRef;
use super::text::{pack_text, read_text};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;

/// The enum of the database that is called `name`, which may have a schema before a dot.
pub fn enum_type(name: &str) -> ColumnType {
    let parts: Vec<_> = name.split('.').map(quoted).collect();
    ColumnType::Enum(parts.join("."))
}

/// A name as SQL reads it: without quotes where it needs none.
fn quoted(name: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.bytes().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Packs a label as an enum of the database or as a text.
///
/// # Errors
/// `Encode` if the column is neither, or too short.
pub fn pack_label(label: &str, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
    pack_text(label, column_type, out)
}

/// Reads the label.
///
/// # Errors
/// `Decode` if the cell is no text.
pub fn read_label<'a>(cell: CellRef<'a>, rust: &str) -> Result<&'a str> {
    let padded = matches!(cell, CellRef::Packed(ColumnType::Char(_), _));
    let label = read_text(cell, rust)?;
    Ok(if padded { label.trim_end_matches(' ') } else { label })
}

/// The error for a label that the Rust enum does not have.
#[cold]
pub fn unknown_label(name: &str, labels: &[&str]) -> Error {
    Error::new(ErrorKind::Decode, format!("a label that the enum {name} does not have"))
        .with_sqlstate(SqlState::INVALID_TEXT)
        .with_hint(format!("expected {}", labels.join(", ")))
}

/// The error for a number that no variant of the Rust enum has.
#[cold]
pub fn unknown_number(name: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("a number that the enum {name} does not have"))
        .with_sqlstate(SqlState::NUMERIC_OUT_OF_RANGE)
}
