//! Statements and their parameters, through whatever runs them.

use crate::backend::{Connection, RowRef};
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::param::Param;
use crate::query::{Statement, Value};
use crate::sql::dialect::Dialect;

/// The parameters of a statement.
pub(super) fn params(values: &[Value]) -> Vec<Param<'_>> {
    values.iter().map(Value::param).collect()
}

/// Runs what `build` makes for the database, and hands its rows to `each`.
#[track_caller]
pub(super) fn query(
    on: &impl Executor,
    intent: Intent,
    build: impl FnOnce(Dialect) -> Result<Statement>,
    each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
) -> Result<()> {
    on.with(intent, |connection| {
        let statement = build(connection.capabilities().dialect)?;
        connection.query(&statement.sql, &params(&statement.values), each)
    })
}

/// Runs what `build` makes for the database, and returns what `read` makes of its rows. What only
/// reads is run again elsewhere where a replica could not go on.
#[track_caller]
pub(super) fn rows<T>(
    on: &impl Executor,
    intent: Intent,
    build: impl Fn(Dialect) -> Result<Statement>,
    mut read: impl FnMut(&dyn RowRef) -> Result<T>,
) -> Result<Vec<T>> {
    let work = |connection: &mut dyn Connection| {
        let statement = build(connection.capabilities().dialect)?;
        let mut rows = Vec::new();
        connection.query(&statement.sql, &params(&statement.values), &mut |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    };
    match intent {
        Intent::Read => on.read(work),
        Intent::Write => on.with(intent, work),
    }
}

/// Runs what `build` makes for the database, and says how many rows it changed.
#[track_caller]
pub(super) fn execute(
    on: &impl Executor,
    build: impl FnOnce(Dialect) -> Result<Statement>,
) -> Result<u64> {
    on.with(Intent::Write, |connection: &mut dyn Connection| {
        let statement = build(connection.capabilities().dialect)?;
        connection.execute(&statement.sql, &params(&statement.values))
    })
}

pub(super) fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such row")
}

pub(super) fn not_unique() -> Error {
    Error::new(ErrorKind::NotUnique, "there is more than one such row")
        .with_hint("take the first, or ask for what only one row can have")
}
