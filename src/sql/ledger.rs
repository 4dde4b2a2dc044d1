//! The tables in which jobs, runs, batches and rejects are recorded.
//!
//! ```text
//! version   the version of these tables
//! job       a name with its parameters: what is done once
//! run       one execution of a job
//! batch     a piece of work of a job: its bounds, whether it is done, and its counts
//! reject    a row that was not stored, and why
//! memo      what the source of a job keeps with its plan, where bounds do not say all
//! ```

use super::dialect::Dialect;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, TableName};

/// The version of the tables that this crate writes; the steps that lead to it are in
/// `sql/ledger_steps.rs`.
pub const VERSION: i64 = 7;

/// Where a ledger lies: a schema of its own; where there are no schemas, what the names of its
/// tables begin with. Default: `rowmill`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerName(Option<Ident>);

impl LedgerName {
    /// Another name than `rowmill`.
    ///
    /// # Errors
    /// `Config` if it is no name, or too long for the names that begin with it.
    pub fn new(name: &str) -> Result<Self> {
        let name = Ident::new(name)?;
        if name.as_str().len() > LONGEST_NAME {
            let message = format!("the name of the ledger has more than {LONGEST_NAME} bytes");
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(Self(Some(name).filter(|name| name.as_str() != DEFAULT_NAME)))
    }

    /// The name, without quotes.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or(DEFAULT_NAME, Ident::as_str)
    }

    /// Whether it is `rowmill`.
    pub fn is_default(&self) -> bool {
        self.0.is_none()
    }
}

const DEFAULT_NAME: &str = "rowmill";

/// Leaves room for the names of stages and their indexes where the name stands before them.
const LONGEST_NAME: usize = 30;

/// The names of the ledger's tables.
#[derive(Clone, Debug)]
pub struct LedgerTables {
    /// How their database spells SQL.
    pub dialect: Dialect,
    /// Where they lie.
    pub name: LedgerName,
    /// The version.
    pub version: TableName,
    /// The jobs.
    pub job: TableName,
    /// Their runs.
    pub run: TableName,
    /// Their batches.
    pub batch: TableName,
    /// Their rejects.
    pub reject: TableName,
    /// What sources keep with a plan; made where the first of them needs it.
    pub memo: TableName,
}

impl LedgerTables {
    /// The names on a database.
    ///
    /// # Errors
    /// `Config` if the name of the ledger does not leave room for those of its tables.
    pub fn of(dialect: Dialect, name: &LedgerName) -> Result<Self> {
        let table = |table: &str| dialect.own_table_in(name.as_str(), table);
        Ok(Self {
            dialect,
            name: name.clone(),
            version: table("version")?,
            job: table("job")?,
            run: table("run")?,
            batch: table("batch")?,
            reject: table("reject")?,
            memo: table("memo")?,
        })
    }

    /// The query that has a row if there is the table `$1`, a quoted name; nothing where the catalog
    /// is not asked by SQL.
    pub fn find(&self) -> Option<&'static str> {
        match self.dialect {
            Dialect::PostgreSql => Some("SELECT 1 WHERE pg_catalog.to_regclass($1) IS NOT NULL"),
            Dialect::Sqlite => None,
        }
    }
}

/// The counters of a batch, in the order in which they are written and read.
pub const COUNTS: [&str; 8] =
    ["read", "inserted", "updated", "unchanged", "deleted", "filtered", "duplicates", "rejected"];
