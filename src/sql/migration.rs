//! The table in which the migrations of a database are recorded.

use super::dialect::Dialect;
use crate::error::Result;
use crate::ident::TableName;

/// The statements around the table of migrations.
#[derive(Clone, Debug)]
pub struct MigrationTable {
    dialect: Dialect,
    /// Its name.
    pub name: TableName,
}

impl MigrationTable {
    /// The table of a database.
    ///
    /// # Errors
    /// Never in practice: the name is fixed.
    pub fn of(dialect: Dialect) -> Result<Self> {
        Ok(Self { dialect, name: dialect.own_table("migration")? })
    }

    /// Creates it where it is missing.
    pub fn create(&self) -> Vec<String> {
        let (schema, time) = match self.dialect {
            Dialect::PostgreSql => {
                (Some("CREATE SCHEMA IF NOT EXISTS rowmill".to_owned()), "timestamptz")
            }
            Dialect::Sqlite => (None, "TEXT"),
        };
        let table = format!(
            "CREATE TABLE IF NOT EXISTS {} (version bigint NOT NULL PRIMARY KEY, \
             name text NOT NULL, checksum text NOT NULL, milliseconds bigint NOT NULL, \
             applied_at {time} NOT NULL DEFAULT CURRENT_TIMESTAMP)",
            self.name
        );
        // Two first starts at once would meet in the catalog's unique indexes.
        let lock = self.dialect.lock_plans().map(str::to_owned);
        lock.into_iter().chain(schema).chain([table]).collect()
    }

    /// All of them: version, name, checksum, when.
    pub fn list(&self) -> String {
        format!(
            "SELECT version, name, checksum, CAST(applied_at AS text) FROM {} ORDER BY version",
            self.name
        )
    }

    /// Adds one: `$1` version, `$2` name, `$3` checksum, `$4` milliseconds.
    pub fn insert(&self) -> String {
        format!(
            "INSERT INTO {} (version, name, checksum, milliseconds) VALUES ($1, $2, $3, $4)",
            self.name
        )
    }
}
