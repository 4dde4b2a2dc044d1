//! The table in which a move of rows from one shard to another is recorded.

use super::dialect::Dialect;
use crate::error::Result;
use crate::ident::TableName;

/// The table in which a move is recorded, on every shard that takes part. It has one row at most.
#[derive(Clone, Debug)]
pub struct MoveTable {
    dialect: Dialect,
    /// Its name.
    pub name: TableName,
}

/// What is read of a record, in this order.
const FIELDS: &str =
    "name, version, map, tables, step, epoch, rows_copied, rows_caught_up, rows_deleted";

impl MoveTable {
    /// The table of a database.
    ///
    /// # Errors
    /// Never in practice: the name is fixed.
    pub fn of(dialect: Dialect) -> Result<Self> {
        Ok(Self { dialect, name: dialect.own_table("shard_move")? })
    }

    /// Creates it where it is missing, behind the lock of all who do so.
    pub fn create(&self) -> Vec<String> {
        let (schema, time) = match self.dialect {
            Dialect::PostgreSql => {
                (Some("CREATE SCHEMA IF NOT EXISTS rowmill".to_owned()), "timestamptz")
            }
            Dialect::Sqlite => (None, "TEXT"),
        };
        let table = format!(
            "CREATE TABLE IF NOT EXISTS {} (only_row integer NOT NULL PRIMARY KEY \
             CHECK (only_row = 1), name text NOT NULL, version bigint NOT NULL, map text NOT NULL, \
             tables text NOT NULL, step text NOT NULL, epoch bigint NOT NULL, \
             rows_copied bigint NOT NULL, rows_caught_up bigint NOT NULL, \
             rows_deleted bigint NOT NULL, \
             started_at {time} NOT NULL DEFAULT CURRENT_TIMESTAMP, \
             changed_at {time} NOT NULL DEFAULT CURRENT_TIMESTAMP)",
            self.name
        );
        let lock = self.dialect.lock_plans().map(str::to_owned);
        lock.into_iter().chain(schema).chain([table]).collect()
    }

    /// The record.
    pub fn read(&self) -> String {
        let (since, quiet) =
            (self.dialect.seconds_since("started_at"), self.dialect.seconds_since("changed_at"));
        format!("SELECT {FIELDS}, {since}, {quiet} FROM {}", self.name)
    }

    /// Writes it in the place of one of an older epoch: `$1` to `$9` as they are read.
    pub fn write(&self) -> String {
        format!(
            "INSERT INTO {} AS t (only_row, {FIELDS}) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (only_row) DO UPDATE SET name = excluded.name, \
             version = excluded.version, map = excluded.map, tables = excluded.tables, \
             step = excluded.step, epoch = excluded.epoch, rows_copied = excluded.rows_copied, \
             rows_caught_up = excluded.rows_caught_up, rows_deleted = excluded.rows_deleted, \
             started_at = CASE WHEN t.name = excluded.name THEN t.started_at \
             ELSE CURRENT_TIMESTAMP END, changed_at = CURRENT_TIMESTAMP \
             WHERE t.epoch < excluded.epoch",
            self.name
        )
    }

    /// Sets the step `$1`, and the counters `$2` to `$4`, of the record whose epoch is `$5`.
    pub fn update(&self) -> String {
        format!(
            "UPDATE {} SET step = $1, rows_copied = $2, rows_caught_up = $3, rows_deleted = $4, \
             changed_at = CURRENT_TIMESTAMP WHERE epoch = $5",
            self.name
        )
    }

    /// The epoch; nobody begins another one before the transaction ends.
    pub fn hold(&self, row_locks: bool) -> String {
        let lock = if row_locks { " FOR SHARE" } else { "" };
        format!("SELECT epoch FROM {}{lock}", self.name)
    }
}
