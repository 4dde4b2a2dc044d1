//! How texts become packed values: a stand-in until the real one is merged.

use super::column_type::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::SqlState;

/// Reads `text` as a value of `column_type` and appends it, packed, to `out`.
///
/// # Errors
/// `Decode` with the SQLSTATE that PostgreSQL's input function gives; nothing is appended then.
pub fn input(column_type: &ColumnType, text: &str, out: &mut Vec<u8>) -> Result<()> {
    let refused = || {
        Error::new(ErrorKind::Decode, format!("not a value of type {column_type}"))
            .with_sqlstate(SqlState::INVALID_TEXT)
    };
    match column_type {
        ColumnType::Int4 => {
            let value: i32 = text.trim().parse().map_err(|_| refused())?;
            out.extend_from_slice(&value.to_be_bytes());
        }
        ColumnType::Int8 => {
            let value: i64 = text.trim().parse().map_err(|_| refused())?;
            out.extend_from_slice(&value.to_be_bytes());
        }
        ColumnType::Text => out.extend_from_slice(text.as_bytes()),
        _ => return Err(refused()),
    }
    Ok(())
}

/// Appends the text of a packed value.
///
/// # Errors
/// `Unsupported` if there is none for the type.
pub fn output(column_type: &ColumnType, _bytes: &[u8], _out: &mut String) -> Result<()> {
    Err(Error::new(ErrorKind::Unsupported, format!("no text for {column_type}")))
}
