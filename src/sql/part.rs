//! The table in which the parts of an output are recorded, beside the ledger.

use super::dialect::Dialect;
use crate::error::Result;
use crate::ident::TableName;

/// The statements around the table of parts.
#[derive(Clone, Debug)]
pub struct PartTable {
    name: TableName,
}

impl PartTable {
    /// The table of a database.
    ///
    /// # Errors
    /// Never in practice: the name is fixed.
    pub fn of(dialect: Dialect) -> Result<Self> {
        Ok(Self { name: dialect.own_table("part")? })
    }

    /// Creates it where it is missing.
    pub fn create(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (job_id bigint NOT NULL, number integer NOT NULL, \
             row_count bigint NOT NULL, bytes bigint NOT NULL, sha256 text NOT NULL, \
             PRIMARY KEY (job_id, number))",
            self.name
        )
    }

    /// Adds one: `$1` job, `$2` number, `$3` rows, `$4` bytes, `$5` hash.
    pub fn insert(&self) -> String {
        format!(
            "INSERT INTO {} (job_id, number, row_count, bytes, sha256) \
             VALUES ($1, $2, $3, $4, $5)",
            self.name
        )
    }

    /// Those of job `$1`, in the order of the input: number, rows, bytes, hash.
    pub fn list(&self) -> String {
        format!(
            "SELECT number, row_count, bytes, sha256 FROM {} WHERE job_id = $1 ORDER BY number",
            self.name
        )
    }

    /// Forgets those of job `$1`.
    pub fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE job_id = $1", self.name)
    }
}
