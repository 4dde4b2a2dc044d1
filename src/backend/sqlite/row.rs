//! A row of a result.

use super::errors;
use crate::backend::RowRef;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::cell::CellRef;
use rusqlite::Row;
use rusqlite::types::ValueRef;

/// A row as SQLite hands it out; its cells are borrowed from SQLite.
pub(super) struct SqliteRow<'a, 'stmt>(pub(super) &'a Row<'stmt>);

impl RowRef for SqliteRow<'_, '_> {
    fn len(&self) -> usize {
        self.0.as_ref().column_count()
    }

    fn name(&self, index: usize) -> &str {
        self.0.as_ref().column_name(index).unwrap_or_default()
    }

    fn cell(&self, index: usize) -> Result<CellRef<'_>> {
        let value = self.0.get_ref(index).map_err(|error| {
            let message = format!("the result has no cell {index}");
            Error::new(ErrorKind::Decode, message).with_source(errors::of(error))
        })?;
        Ok(match value {
            ValueRef::Null => CellRef::Null,
            ValueRef::Integer(value) => CellRef::Integer(value),
            ValueRef::Real(value) => CellRef::Real(value),
            ValueRef::Blob(bytes) => CellRef::Blob(bytes),
            ValueRef::Text(bytes) => CellRef::Text(self.utf8(index, bytes)?),
        })
    }
}

impl SqliteRow<'_, '_> {
    fn utf8<'b>(&self, index: usize, bytes: &'b [u8]) -> Result<&'b str> {
        std::str::from_utf8(bytes)
            .map_err(|error| {
                let message = format!("a text is not UTF-8 from byte {}", error.valid_up_to());
                Error::new(ErrorKind::Decode, message)
                    .with_hint("select cast(... as blob) to see its bytes")
            })
            .locate(|place| place.column = Some(self.name(index).to_owned()))
    }
}
