//! One row of a file on its way to a value of an entity.

use super::prepared::Stage;
use super::rows::Refusal;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column::Column;
use crate::mapping::entity::Entity;
use std::ops::Range;

/// The fields of one row, packed; the memory serves all rows of a batch.
#[derive(Default)]
pub(super) struct PackedRow {
    bytes: Vec<u8>,
    fields: Vec<Option<Range<usize>>>,
}

impl PackedRow {
    /// Forgets the fields and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
    }

    /// Adds the field of `column` with what `pack` writes; `pack` says `false` where it is NULL.
    pub(super) fn push(
        &mut self,
        column: &Column,
        pack: impl FnOnce(&mut Vec<u8>) -> Result<bool>,
    ) -> Result<()> {
        let start = self.bytes.len();
        let is_there = pack(&mut self.bytes)
            .locate(|place| place.column = Some(column.name.as_str().to_owned()))?;
        self.fields.push(is_there.then_some(start..self.bytes.len()));
        Ok(())
    }

    fn field(&self, index: usize) -> Option<&[u8]> {
        self.bytes.get(self.fields.get(index)?.clone()?)
    }

    /// Makes a value of the fields, which are those of `columns`.
    pub(super) fn value<T: Entity>(&self, columns: &[Column]) -> Result<T> {
        T::unpack(&mut |index| {
            let absent = || Error::new(ErrorKind::Internal, "an entity has no such column");
            let column = columns.get(index).ok_or_else(absent)?;
            Ok(match self.field(index) {
                Some(bytes) => CellRef::Packed(&column.column_type, bytes),
                None => CellRef::Null,
            })
        })
    }
}

/// Refuses a row that could not be converted; an error that is no fault of the row stays one.
pub(super) fn converted<T>(made: Result<T>) -> Result<Result<T, Refusal>> {
    match made {
        Err(error) if !error.is_data() => Err(error),
        made => Ok(made.map_err(|error| Refusal::new(Stage::Convert, error))),
    }
}
