//! A row as it came over the wire.

use crate::backend::RowRef;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use postgres::Row;
use postgres::types::{FromSql, Type};
use std::error::Error as StdError;

/// A row and the types of its cells.
pub(crate) struct WireRow<'a> {
    pub(crate) row: &'a Row,
    pub(crate) columns: &'a [ColumnType],
}

impl RowRef for WireRow<'_> {
    fn len(&self) -> usize {
        self.columns.len()
    }

    fn name(&self, index: usize) -> &str {
        self.row.columns().get(index).map_or("", postgres::Column::name)
    }

    fn cell(&self, index: usize) -> Result<CellRef<'_>> {
        let cell = self.row.try_get::<_, Wire<'_>>(index).ok();
        match (cell, self.columns.get(index)) {
            (Some(Wire(Some(bytes))), Some(column)) => Ok(CellRef::Packed(column, bytes)),
            (Some(Wire(None)), Some(_)) => Ok(CellRef::Null),
            _ => {
                let message =
                    format!("there is no cell {index} in a row of {}", self.columns.len());
                Err(Error::new(ErrorKind::Decode, message))
            }
        }
    }
}

/// The bytes of a cell, of any type.
struct Wire<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Wire<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
