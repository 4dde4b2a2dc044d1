//! What is staged, counted and listed.

use super::staged::{Position, Staged};
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::cell::CellRef;
use crate::mapping::param::Param;

impl Staged<'_> {
    pub(super) fn count(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
    ) -> Result<u64> {
        let params = [Param::from(i64::from(bucket)), Param::from(i64::from(state))];
        number(connection, &self.statements().count(), &params)
    }

    /// The number that a query over a bucket yields.
    pub(super) fn count_by(connection: &mut dyn Connection, sql: &str, bucket: u32) -> Result<u64> {
        number(connection, sql, &[Param::from(i64::from(bucket))])
    }

    pub(super) fn buckets_with(
        &self,
        connection: &mut dyn Connection,
        state: i16,
    ) -> Result<Vec<u32>> {
        let params = [Param::from(i64::from(state))];
        let mut buckets = Vec::new();
        connection.query(&self.statements().buckets_with(), &params, &mut |row| {
            buckets.push(integer(row.cell(0)?)? as u32);
            Ok(())
        })?;
        Ok(buckets)
    }

    pub(super) fn positions(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
    ) -> Result<Vec<Position>> {
        let params = [Param::from(i64::from(bucket)), Param::from(i64::from(state))];
        let mut positions = Vec::new();
        connection.query(&self.statements().positions(), &params, &mut |row| {
            positions.push((integer(row.cell(0)?)?, integer(row.cell(1)?)?));
            Ok(())
        })?;
        Ok(positions)
    }
}

/// The number that a query yields.
pub(super) fn number(
    connection: &mut dyn Connection,
    sql: &str,
    params: &[Param<'_>],
) -> Result<u64> {
    let mut number = 0;
    connection.query(sql, params, &mut |row| {
        number = integer(row.cell(0)?)? as u64;
        Ok(())
    })?;
    Ok(number)
}

pub(super) fn integer(cell: CellRef<'_>) -> Result<i64> {
    <i64 as crate::mapping::cell::Cell>::unpack(cell)
}
