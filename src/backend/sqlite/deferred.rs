//! Whether a foreign key is left unresolved by the transaction so far.
//!
//! A foreign key that is DEFERRABLE INITIALLY DEFERRED is checked by COMMIT, which then cannot say
//! which row was at fault. SQLite keeps a count of what is unresolved, and safe code cannot ask
//! for it; but the count shows: the DELETE of a row with a foreign key looks for its parent only
//! while something is unresolved, which takes more steps. So one row of a table of our own is
//! deleted twice, the second time beside a violation of its own. If both take the same number of
//! steps, something was unresolved before. It costs the same however large the tables are, where
//! `PRAGMA foreign_key_check` would read one of them from end to end for every part of a batch.

use super::connection::{exhaust, prepare};
use super::errors;
use crate::error::{Error, Result};
use crate::sqlstate::SqlState;
use rusqlite::{Connection, StatementStatus};

const PARENT: &str = "CREATE TABLE IF NOT EXISTS temp.rowmill_parent (id INTEGER PRIMARY KEY)";
const CHILD: &str = "CREATE TABLE IF NOT EXISTS temp.rowmill_child (id INTEGER PRIMARY KEY, \
    parent INTEGER REFERENCES rowmill_parent (id) DEFERRABLE INITIALLY DEFERRED)";

/// Refuses, with the error that COMMIT would have, what it would refuse.
pub(super) fn check(sqlite: &Connection) -> Result<()> {
    if !can_defer(sqlite)? || !is_unresolved(sqlite)? {
        return Ok(());
    }
    Err(violation())
}

fn violation() -> Error {
    errors::database("FOREIGN KEY constraint failed").with_sqlstate(SqlState::FOREIGN_KEY_VIOLATION)
}

/// Whether there can be a deferred foreign key. SQLite does not tell which are; any mention will do.
fn can_defer(sqlite: &Connection) -> Result<bool> {
    let sql = "SELECT (SELECT foreign_keys FROM pragma_foreign_keys) AND (\
        (SELECT defer_foreign_keys FROM pragma_defer_foreign_keys) OR EXISTS (\
        SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND instr(lower(sql), 'deferr') > 0))";
    let mut statement = prepare(sqlite, sql)?;
    statement.query_row([], |row| row.get(0)).map_err(errors::of)
}

fn is_unresolved(sqlite: &Connection) -> Result<bool> {
    // ORDER: outside the savepoint, so that they stay; to make them again would make SQLite prepare
    // all statements again.
    run(sqlite, PARENT)?;
    run(sqlite, CHILD)?;
    run(sqlite, "SAVEPOINT rowmill_probe")?;
    let looked = steps(sqlite);
    // What was done in between is nobody's business, an error included.
    let undone = run(sqlite, "ROLLBACK TO SAVEPOINT rowmill_probe")
        .and_then(|()| run(sqlite, "RELEASE SAVEPOINT rowmill_probe"));
    let (before, beside_violation) = looked?;
    undone.map(|()| before >= beside_violation)
}

/// The steps of the DELETE as things stand, and beside a violation.
fn steps(sqlite: &Connection) -> Result<(i32, i32)> {
    run(sqlite, "INSERT INTO temp.rowmill_parent (id) VALUES (1)")?;
    run(sqlite, "INSERT INTO temp.rowmill_child (id, parent) VALUES (1, 1)")?;
    let as_it_is = delete(sqlite)?;
    run(sqlite, "INSERT INTO temp.rowmill_child (id, parent) VALUES (1, 1), (2, 2)")?;
    Ok((as_it_is, delete(sqlite)?))
}

fn delete(sqlite: &Connection) -> Result<i32> {
    let mut statement = prepare(sqlite, "DELETE FROM temp.rowmill_child WHERE id = 1")?;
    statement.reset_status(StatementStatus::VmStep);
    exhaust(&mut statement)?;
    Ok(statement.get_status(StatementStatus::VmStep))
}

fn run(sqlite: &Connection, sql: &str) -> Result<()> {
    let mut statement = prepare(sqlite, sql)?;
    exhaust(&mut statement)
}
