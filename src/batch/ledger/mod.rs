//! What was planned and what is done, in the target database itself.
//!
//! - `job`:    jobs, with their identity, and the runs of a job
//! - `plan`:   the batches of a job
//! - `prune`:  old records go
//! - `claim`:  the row of a batch, taken at the beginning of its transaction and marked at its end
//! - `group`:  the same of batches that share a transaction
//! - `reject`: rows that were not stored
//! - `rejects`: the reject store, as it is looked at; `reject_filter`: which part of it
//! - `replay`: rejects that are tried again
//! - `status`: what there is to see from outside
//! - `pace`:   how fast a job gets on
//!
//! The ledger row of a batch is claimed (`FOR UPDATE`) as the first thing in the batch's
//! transaction and marked done as the last statement before COMMIT. The claim waits for an older
//! transaction of the same batch that is still ending, whoever ran it, and then sees what became
//! of it; so a batch is done once whatever happened to the answer of a COMMIT. The mark, being
//! last, fails if the transaction was aborted unnoticed.

mod claim;
mod group;
mod job;
mod pace;
mod plan;
mod prune;
mod reject;
mod reject_filter;
mod rejects;
mod replay;
mod status;

pub use crate::sql::ledger::LedgerName;
pub use claim::Counts;
pub(super) use claim::{Claim, Mark, Meeting, too_many};
pub(super) use job::NewJob;
pub use job::{JobRecord, RunRecord};
pub use pace::Pace;
pub use prune::{Prune, Pruned};
pub use reject::RejectRecord;
pub use reject_filter::RejectFilter;
pub use rejects::{RejectGroup, RejectView};
pub(super) use replay::{Again, Tried};
pub use status::{JobStatus, Wanted};

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
    version: i64,
}

impl Ledger {
    /// Opens the ledger of that name; creates its tables if they are not there, and brings those of
    /// an older version up to this one.
    ///
    /// # Errors
    /// `Ledger` if it is of a newer version, or its tables cannot be created; `Disconnect`.
    pub fn open(connection: &mut dyn Connection, name: &LedgerName) -> Result<Self> {
        match Self::find(connection, name)? {
            Some(ledger) => ledger.brought_up(connection),
            None => {
                let tables = LedgerTables::of(connection.capabilities().dialect, name)?;
                Self { tables, version: 0 }.brought_up(connection)
            }
        }
    }

    /// Brings the tables of one that was found up to this version.
    pub(super) fn brought_up(self, connection: &mut dyn Connection) -> Result<Self> {
        if self.version != VERSION {
            upgrade(connection, &self.tables)?;
        }
        Ok(Self { version: VERSION, ..self })
    }

    /// Opens the ledger of that name if there is one; changes nothing. One of an older version can
    /// be looked at.
    ///
    /// # Errors
    /// `Ledger` if it is of a newer version; `Database` or `Disconnect`.
    pub fn find(connection: &mut dyn Connection, name: &LedgerName) -> Result<Option<Self>> {
        let tables = LedgerTables::of(connection.capabilities().dialect, name)?;
        if !is_there(connection, &tables)? {
            return Ok(None);
        }
        match version(connection, &tables)? {
            0 => Err(Error::new(ErrorKind::Ledger, "the ledger has no version")),
            version @ 1..=VERSION => Ok(Some(Self { tables, version })),
            version => Err(too_new(version)),
        }
    }

    /// Whether it has what the step to `version` adds. It may be older where one only looks.
    pub(super) fn has(&self, version: i64) -> bool {
        self.version >= version
    }
}

fn too_new(version: i64) -> Error {
    let message =
        format!("the ledger is of version {version}, this program knows versions up to {VERSION}");
    Error::new(ErrorKind::Ledger, message)
        .with_hint("use the program that wrote it, or a newer one")
}

/// Whether its tables are there: all of them are made in one transaction.
fn is_there(connection: &mut dyn Connection, tables: &LedgerTables) -> Result<bool> {
    match tables.find() {
        // What the catalog says of all their columns costs the server a hundred times as much.
        Some(find) => {
            let name = tables.reject.to_string();
            Ok(one(connection, find, &[name.as_str().into()], |_| Ok(()))?.is_some())
        }
        None => connection.table_info(&tables.reject).map(|found| found.is_some()),
    }
}

/// The version of the tables, 0 where none is noted.
fn version(connection: &mut dyn Connection, tables: &LedgerTables) -> Result<i64> {
    let sql = format!("SELECT max(version) FROM {}", tables.version);
    let found = one(connection, &sql, &[], |row| field::<Option<i64>>(row, 0))?.flatten();
    Ok(found.unwrap_or_default())
}

/// Does the steps that are missing, none or all.
fn upgrade(connection: &mut dyn Connection, tables: &LedgerTables) -> Result<()> {
    in_transaction(connection, |connection| {
        // Two starts at once would meet in the catalog's unique indexes, and do a step twice.
        if let Some(lock) = tables.dialect.lock_plans() {
            connection.run(lock)?;
        }
        // ORDER: behind the lock; somebody else may just have done it all.
        let version = if is_there(connection, tables)? {
            version(connection, tables)?
        } else {
            create_schema(connection, tables)?;
            0
        };
        match version {
            VERSION => Ok(()),
            0..VERSION => tables
                .upgrade(version)
                .iter()
                .try_for_each(|statement| connection.run(statement))
                .map_err(|error| not_upgraded(error, tables, version)),
            version => Err(too_new(version)),
        }
    })
}

/// Creates the schema where there is none: even to find it there takes the right to create one.
fn create_schema(connection: &mut dyn Connection, tables: &LedgerTables) -> Result<()> {
    let (Some(find), Some(create)) = (tables.dialect.find_schema(), tables.create_schema()) else {
        return Ok(());
    };
    if one(connection, find, &[tables.name.as_str().into()], |_| Ok(()))?.is_some() {
        return Ok(());
    }
    let name = &tables.name;
    connection.run(&create).map_err(|error| {
        error.with_hint(format!(
            "the target's user needs the right to create the schema of the ledger (GRANT CREATE ON \
             DATABASE), or one that has it runs: CREATE SCHEMA \"{}\" AUTHORIZATION <the target's \
             user>",
            name.as_str()
        ))
    })
}

fn not_upgraded(error: Error, tables: &LedgerTables, version: i64) -> Error {
    let home = tables.name.as_str();
    error.with_hint(match version {
        0 => format!(
            "the ledger's tables could not be created: the target's user needs \
             GRANT USAGE, CREATE ON SCHEMA \"{home}\""
        ),
        _ => format!(
            "the ledger of version {version} could not be brought to version {VERSION}: run the job \
             once as the owner of its tables (schema \"{home}\")"
        ),
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
