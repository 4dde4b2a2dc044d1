//! What was planned and what is done, in the target database itself.
//!
//! - `job`:    jobs, with their identity, and the runs of a job
//! - `plan`:   the batches of a job
//! - `claim`:  the row of a batch, taken at the beginning of its transaction and marked at its end
//! - `reject`: rows that were not stored
//! - `status`: what there is to see from outside
//!
//! The ledger row of a batch is claimed (`FOR UPDATE`) as the first thing in the batch's
//! transaction and marked done as the last statement before COMMIT. The claim waits for an older
//! transaction of the same batch that is still ending, whoever ran it, and then sees what became
//! of it; so a batch is done once whatever happened to the answer of a COMMIT. The mark, being
//! last, fails if the transaction was aborted unnoticed.

mod claim;
mod job;
mod plan;
mod reject;
mod status;

pub use claim::Counts;
pub(super) use claim::Mark;
pub(super) use job::NewJob;
pub use job::{JobRecord, RunRecord};
pub use reject::RejectRecord;
pub use status::{JobStatus, RejectView, Wanted};

use super::transaction::in_transaction;
use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::param::Param;
use crate::sql::ledger::{LedgerTables, VERSION};

/// The ledger of a database.
#[derive(Clone, Debug)]
pub struct Ledger {
    tables: LedgerTables,
}

impl Ledger {
    /// Opens the ledger and creates its tables if they are not there.
    ///
    /// # Errors
    /// `Ledger` if it is of a newer version, or its tables cannot be created; `Disconnect`.
    pub fn open(connection: &mut dyn Connection) -> Result<Self> {
        let tables = LedgerTables::of(connection.capabilities().dialect)?;
        if connection.table_info(&tables.reject)?.is_none() {
            create(connection, &tables)?;
        }
        let ledger = Self { tables };
        ledger.check_version(connection)?;
        Ok(ledger)
    }

    /// Opens the ledger if there is one; changes nothing.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn find(connection: &mut dyn Connection) -> Result<Option<Self>> {
        let tables = LedgerTables::of(connection.capabilities().dialect)?;
        if connection.table_info(&tables.reject)?.is_none() {
            return Ok(None);
        }
        let ledger = Self { tables };
        ledger.check_version(connection)?;
        Ok(Some(ledger))
    }

    fn check_version(&self, connection: &mut dyn Connection) -> Result<()> {
        let sql = format!("SELECT max(version) FROM {}", self.tables.version);
        let found = one(connection, &sql, &[], |row| field::<Option<i64>>(row, 0))?.flatten();
        match found {
            Some(VERSION) => Ok(()),
            Some(version) => Err(Error::new(
                ErrorKind::Ledger,
                format!(
                    "the ledger is of version {version}, this program writes version {VERSION}"
                ),
            )
            .with_hint("use the program that wrote it, or a newer one")),
            None => Err(Error::new(ErrorKind::Ledger, "the ledger has no version")),
        }
    }
}

fn create(connection: &mut dyn Connection, tables: &LedgerTables) -> Result<()> {
    in_transaction(connection, |connection| {
        tables.create().iter().try_for_each(|statement| connection.run(statement))
    })
    .map_err(|error| {
        error.with_hint(
            "the ledger's tables could not be created: the target's user needs the right to \
             create the schema rowmill, or one that has it creates it first",
        )
    })
}

/// The value of cell `index`.
fn field<T: Cell>(row: &dyn RowRef, index: usize) -> Result<T> {
    T::unpack(row.cell(index)?)
}

/// All rows of a query that is known to have few.
fn all<T>(
    connection: &mut dyn Connection,
    sql: &str,
    params: &[Param<'_>],
    read: impl Fn(&dyn RowRef) -> Result<T>,
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    connection.query(sql, params, &mut |row| {
        rows.push(read(row)?);
        Ok(())
    })?;
    Ok(rows)
}

/// The first row of a query, if there is one.
fn one<T>(
    connection: &mut dyn Connection,
    sql: &str,
    params: &[Param<'_>],
    read: impl Fn(&dyn RowRef) -> Result<T>,
) -> Result<Option<T>> {
    all(connection, sql, params, read).map(|rows| rows.into_iter().next())
}
