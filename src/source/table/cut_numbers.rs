//! Cutting a table by a whole number of which nearly every value is there.

use super::cut::{Cutter, Pieces};
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::sql::literal::Literal;

/// A range may be a quarter longer than its rows are thought to be: its parts are smaller by as much.
const MOST_GAPS: i128 = 4;

impl Cutter<'_> {
    /// Cuts the range of a key that is a whole number into parts that are equally long, so that none has
    /// more rows than it is long, for no two rows have one value; `None` where too many values are missing,
    /// or it is no such key.
    pub(super) fn by_numbers(
        &self,
        connection: &mut dyn Connection,
        key: &Column,
        rows: u64,
    ) -> Result<Option<Pieces>> {
        use ColumnType::{Int2, Int4, Int8};
        let is_typed = self.facts.capabilities.transaction_modes;
        if !is_typed || !matches!(key.column_type, Int2 | Int4 | Int8) {
            return Ok(None);
        }
        let mut ends = None;
        connection.query(&self.facts.relation.ends(&key.name), &[], &mut |row| {
            let end = |index| Option::<i64>::unpack(row.cell(index)?);
            ends = end(0)?.zip(end(1)?);
            Ok(())
        })?;
        let Some((first, last)) = ends else { return Ok(None) };
        let (first, last) = (i128::from(first), i128::from(last));
        let length = last - first + 1;
        let rows_there = i128::from(rows);
        if length > rows_there + rows_there / MOST_GAPS {
            return Ok(None);
        }
        let (pieces, size) = self.row_size(rows);
        let wanted = i128::from(pieces).max((length - 1) / i128::from(size.max(1)) + 1).min(length);
        let inner = (1..wanted).map(|piece| first - 1 + piece * length / wanted);
        let cuts = self.even(inner.map(|end| vec![Literal::Text(end.to_string())]), rows);
        let reason = format!(
            "by ranges of ({}) of the same length: nearly every number is there",
            key.name.as_str()
        );
        Ok(Some(Pieces { cuts, reason }))
    }
}
