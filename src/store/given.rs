//! Rows as the parameters of one statement.

use super::entity_map::EntityMap;
use super::record::{Record, params};
use crate::backend::capabilities::Capabilities;
use crate::error::{Locate, Result};
use crate::mapping::column_array::ColumnArray;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::sql::bulk::Form;

/// Rows in an array at most: what one message carries, and one error takes back.
pub(crate) const ARRAY_ROWS: usize = 10_000;

/// Rows in a list of values at most; its text has a place for each of them.
const VALUE_ROWS: usize = 500;

/// Rows as the parameters of one statement.
#[derive(Debug)]
pub(crate) struct Given<'m> {
    arrays: Vec<(ColumnType, Vec<u8>)>,
    values: Vec<Param<'m>>,
}

/// How many rows of so many columns go into one statement.
pub(crate) fn rows_per_statement(capabilities: Capabilities, columns: usize) -> usize {
    if capabilities.unnest {
        return ARRAY_ROWS;
    }
    (capabilities.dialect.max_parameters() / columns.max(1)).clamp(1, VALUE_ROWS)
}

/// The form in which so many rows are given.
pub(crate) fn form(capabilities: Capabilities, rows: usize) -> Form {
    if capabilities.unnest { Form::Arrays } else { Form::Values(rows) }
}

impl<'m> Given<'m> {
    /// The `columns` of records; `first` is the number of the first record, from 0, for errors.
    pub(crate) fn new<'r>(
        form: Form,
        map: &'m EntityMap,
        columns: &[usize],
        records: impl Iterator<Item = &'r dyn Record>,
        first: usize,
    ) -> Result<Self> {
        let types = columns.iter().map(|&index| &map.columns[index].column_type);
        let mut arrays: Vec<_> = types.map(ColumnArray::new).collect();
        let mut values = Vec::new();
        for (number, record) in records.enumerate() {
            let packed = if form == Form::Arrays {
                columns.iter().zip(&mut arrays).try_for_each(|(&index, array)| {
                    array.push(|out| record.pack(index, &map.columns[index].column_type, out))
                })
            } else {
                params(record, map, columns.iter().copied(), &mut values)
            };
            packed.locate(|place| place.row = Some((first + number) as u64 + 1))?;
        }
        let arrays = match form {
            Form::Arrays => arrays.into_iter().map(ColumnArray::finish).collect(),
            Form::Values(_) => Vec::new(),
        };
        Ok(Self { arrays, values })
    }

    /// Values of one column, packed already.
    pub(crate) fn of_column<'v>(
        form: Form,
        column_type: &'m ColumnType,
        values: &mut dyn Iterator<Item = &'v [u8]>,
    ) -> Result<Self> {
        if form != Form::Arrays {
            let values = values.map(|value| Param::Packed(column_type, value.to_vec().into()));
            return Ok(Self { arrays: Vec::new(), values: values.collect() });
        }
        let mut array = ColumnArray::new(column_type);
        for value in values {
            array.push(|out| {
                out.extend_from_slice(value);
                Ok(true)
            })?;
        }
        Ok(Self { arrays: vec![array.finish()], values: Vec::new() })
    }

    /// The parameters, in their order.
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        let arrays =
            self.arrays.iter().map(|(of, bytes)| Param::Packed(of, bytes.as_slice().into()));
        arrays.chain(self.values.iter().cloned()).collect()
    }
}
