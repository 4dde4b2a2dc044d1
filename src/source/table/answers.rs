//! What the database answers when it is asked where to cut.

use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::{Cell, CellRef};
use crate::mapping::text;
use crate::sql::literal::Literal;

/// The first two numbers of a query of one row.
pub(super) fn numbers(connection: &mut dyn Connection, sql: &str) -> Result<[u64; 2]> {
    let mut found = [0; 2];
    connection.query(sql, &[], &mut |row| {
        found = [number(row, 0)?, number(row, 1)?];
        Ok(())
    })?;
    Ok(found)
}

pub(super) fn number(row: &dyn RowRef, index: usize) -> Result<u64> {
    Ok(Option::<i64>::unpack(row.cell(index)?)?.unwrap_or(0).max(0) as u64)
}

/// A value of a key as it is kept.
pub(super) fn literal(cell: CellRef<'_>) -> Result<Literal> {
    Ok(match cell {
        CellRef::Null => {
            return Err(Error::new(ErrorKind::Internal, "NULL in a key that has none"));
        }
        CellRef::Packed(column_type, bytes) => {
            let mut shown = String::new();
            text::output(column_type, bytes, &mut shown)?;
            Literal::Text(shown)
        }
        CellRef::Integer(number) => Literal::Integer(number),
        CellRef::Real(number) => Literal::Real(number.to_bits()),
        CellRef::Text(shown) => Literal::Text(shown.to_owned()),
        CellRef::Blob(bytes) => Literal::Blob(bytes.to_vec()),
    })
}
