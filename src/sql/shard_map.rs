//! The table in which the map of the shards is kept, on every shard.

use super::dialect::Dialect;
use crate::error::Result;
use crate::ident::TableName;

/// The statements around the table of the map.
#[derive(Clone, Debug)]
pub struct ShardMapTable {
    dialect: Dialect,
    /// Its name.
    pub name: TableName,
    /// The table of what was decided of writes in two phases.
    decision: TableName,
}

impl ShardMapTable {
    /// The table of a database.
    ///
    /// # Errors
    /// Never in practice: the name is fixed.
    pub fn of(dialect: Dialect) -> Result<Self> {
        let decision = dialect.own_table("shard_decision")?;
        Ok(Self { dialect, name: dialect.own_table("shard_map")?, decision })
    }

    /// Creates both where they are missing, behind the lock of all who do so. That of the map has one
    /// row at most.
    pub fn create(&self) -> Vec<String> {
        let (schema, time) = match self.dialect {
            Dialect::PostgreSql => {
                (Some("CREATE SCHEMA IF NOT EXISTS rowmill".to_owned()), "timestamptz")
            }
            Dialect::Sqlite => (None, "TEXT"),
        };
        let table = format!(
            "CREATE TABLE IF NOT EXISTS {} (only_row integer NOT NULL PRIMARY KEY \
             CHECK (only_row = 1), shard text NOT NULL, version bigint NOT NULL, \
             map text NOT NULL, stored_at {time} NOT NULL DEFAULT CURRENT_TIMESTAMP)",
            self.name
        );
        let decision = format!(
            "CREATE TABLE IF NOT EXISTS {} (name text NOT NULL PRIMARY KEY, \
             committed boolean NOT NULL, decided_at {time} NOT NULL DEFAULT CURRENT_TIMESTAMP)",
            self.decision
        );
        let lock = self.dialect.lock_plans().map(str::to_owned);
        lock.into_iter().chain(schema).chain([table, decision]).collect()
    }

    /// Which shard the database is, and the map.
    pub fn read(&self) -> String {
        format!("SELECT shard, map FROM {}", self.name)
    }

    /// The version of the map.
    pub fn version(&self) -> String {
        format!("SELECT version FROM {}", self.name)
    }

    /// The same as [`read`](Self::read); the map cannot be changed before the transaction ends.
    pub fn hold(&self, row_locks: bool) -> String {
        let lock = if row_locks { " FOR SHARE" } else { "" };
        format!("{}{lock}", self.read())
    }

    /// Stores it, in the place of an older one: `$1` the shard, `$2` the version, `$3` the map.
    pub fn store(&self) -> String {
        format!(
            "INSERT INTO {} (only_row, shard, version, map) VALUES (1, $1, $2, $3) \
             ON CONFLICT (only_row) DO UPDATE SET version = excluded.version, \
             map = excluded.map, stored_at = CURRENT_TIMESTAMP",
            self.name
        )
    }

    /// Decides how a write in two phases ends, if nobody has: `$1` the name, `$2` whether it is
    /// committed.
    pub fn decide(&self) -> String {
        format!(
            "INSERT INTO {} (name, committed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            self.decision
        )
    }

    /// What was decided of the name `$1`.
    pub fn decided(&self) -> String {
        format!("SELECT committed FROM {} WHERE name = $1", self.decision)
    }
}
