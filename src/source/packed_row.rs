//! One row of a file on its way to a value of an entity.

use super::prepared::Stage;
use super::rows::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::rows::Fields;
use crate::mapping::typed_fields::TypedFields;

/// The fields of one row, packed; the memory serves all rows of a batch.
pub(super) struct PackedRow {
    types: Vec<ColumnType>,
    /// The fields, each behind its length.
    bytes: Vec<u8>,
}

impl PackedRow {
    /// Room for rows of these columns.
    pub(super) fn of(columns: &[Column]) -> Self {
        let types = columns.iter().map(|column| column.column_type.clone()).collect();
        Self { types, bytes: Vec::new() }
    }

    /// Forgets the fields and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds the field of `column` with what `pack` writes; `pack` says `false` where it is NULL.
    #[inline]
    pub(super) fn push(
        &mut self,
        column: &Column,
        pack: impl FnOnce(&mut Vec<u8>) -> Result<bool>,
    ) -> Result<()> {
        let start = self.bytes.len() + 4;
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        if pack(&mut self.bytes).map_err(|error| in_column(error, column))? {
            let length = i32::try_from(self.bytes.len() - start)
                .map_err(|_| in_column(too_large(), column))?;
            self.bytes[start - 4..start].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// Makes a value of the fields.
    pub(super) fn value<T: Entity>(&self) -> Result<T> {
        T::unpack_fields(TypedFields::new(Fields::of_tuple(&self.bytes), &self.types))
    }
}

#[cold]
fn in_column(error: Error, column: &Column) -> Error {
    error.locate(|place| place.column = Some(column.name.as_str().to_owned()))
}

#[cold]
fn too_large() -> Error {
    Error::new(ErrorKind::Encode, "a field is larger than 2 GiB")
}

/// Refuses a row that could not be converted; an error that is no fault of the row stays one.
pub(super) fn converted<T>(made: Result<T>) -> Result<Result<T, Refusal>> {
    match made {
        Err(error) if !error.is_data() => Err(error),
        made => Ok(made.map_err(|error| Refusal::new(Stage::Convert, error))),
    }
}
