//! The table in which the applied migrations are recorded.

use super::file::Migration;
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::sql::migration::MigrationTable;
use std::time::Duration;

/// A migration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) version: i64,
    pub(super) name: String,
    pub(super) checksum: String,
    pub(super) applied_at: String,
}

/// All that were applied, by number; none where the table is missing.
pub(super) fn list(connection: &mut dyn Connection) -> Result<Vec<Record>> {
    let table = MigrationTable::of(connection.capabilities().dialect)?;
    if connection.table_info(&table.name)?.is_none() {
        return Ok(Vec::new());
    }
    let mut records = Vec::new();
    connection.query(&table.list(), &[], &mut |row| {
        records.push(Record {
            version: Cell::unpack(row.cell(0)?)?,
            name: Cell::unpack(row.cell(1)?)?,
            checksum: Cell::unpack(row.cell(2)?)?,
            applied_at: Cell::unpack(row.cell(3)?)?,
        });
        Ok(())
    })?;
    Ok(records)
}

/// Creates the table where it is missing, in the transaction of `connection`.
pub(super) fn create(connection: &mut dyn Connection) -> Result<()> {
    let table = MigrationTable::of(connection.capabilities().dialect)?;
    if connection.table_info(&table.name)?.is_some() {
        return Ok(());
    }
    table.create().iter().try_for_each(|statement| connection.run(statement))
}

/// Records that a migration was applied.
pub(super) fn add(
    connection: &mut dyn Connection,
    migration: &Migration,
    took: Duration,
) -> Result<()> {
    let table = MigrationTable::of(connection.capabilities().dialect)?;
    let milliseconds = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    let params = [
        migration.version().into(),
        migration.name().into(),
        migration.checksum().into(),
        milliseconds.into(),
    ];
    connection.execute(&table.insert(), &params).map(|_| ())
}
