//! The rows of a query, packed.

use super::errors;
use super::row::SqliteRow;
use crate::backend::RowRef;
use crate::backend::unloaded::{Misfit, Unloaded};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::cell::convert::Converter;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Rows;
use rusqlite::Statement;

/// Hands out each row; a value that is none of its type is NULL there, and told.
pub(super) fn unload(
    statement: &mut Statement<'_>,
    types: &[ColumnType],
    each: &mut dyn FnMut(Unloaded<'_>) -> Result<()>,
) -> Result<u64> {
    if !statement.readonly() {
        return Err(errors::database("what is read in bulk must not write"));
    }
    if statement.column_count() != types.len() {
        let message =
            format!("a query of {} columns is read as {}", statement.column_count(), types.len());
        return Err(Error::new(ErrorKind::Internal, message));
    }
    let converters: Vec<_> = types.iter().map(Converter::to).collect();
    let mut packed = Rows::new(types.len() as u16);
    let mut count = 0;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(errors::of)? {
        packed.clear();
        let fault = pack(&SqliteRow(row), &converters, &mut packed)?;
        each(Unloaded { fields: packed.row(0), fault })?;
        count += 1;
    }
    Ok(count)
}

fn pack(
    row: &SqliteRow<'_, '_>,
    converters: &[Converter],
    packed: &mut Rows,
) -> Result<Option<Misfit>> {
    let mut fault = None;
    let mut writer = packed.begin();
    let mut value = Vec::new();
    for (index, converter) in converters.iter().enumerate() {
        value.clear();
        match row.cell(index).and_then(|cell| converter.pack(cell, &mut value)) {
            Ok(true) => writer.field(&value)?,
            Ok(false) => writer.null(),
            Err(error) => {
                writer.null();
                let shown = row.cell(index).map_or_else(|_| String::new(), shown);
                fault.get_or_insert(Misfit { field: index, error, shown });
            }
        }
    }
    writer.finish()?;
    Ok(fault)
}

fn shown(cell: CellRef<'_>) -> String {
    match cell {
        CellRef::Integer(number) => number.to_string(),
        CellRef::Real(number) => number.to_string(),
        CellRef::Text(text) => text.to_owned(),
        CellRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}
