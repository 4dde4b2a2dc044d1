//! Values as the text that PostgreSQL prints.

use super::column_type::ColumnType;
use crate::error::{Error, ErrorKind, Result};

/// Appends the text of a packed value.
///
/// # Errors
/// `Unsupported` if there is none for the type.
pub fn output(column_type: &ColumnType, _bytes: &[u8], _out: &mut String) -> Result<()> {
    Err(Error::new(ErrorKind::Unsupported, format!("no text for {column_type}")))
}
