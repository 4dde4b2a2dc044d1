//! SQLite behind the seam.
//!
//! - `opening`, `locks`, `writers`, `transactions`, `deferred`: who may do what, and when
//! - `interrupts`, `resets`:                                    what ends, and what is taken away
//! - `statements`, `errors`, `loads`, `catalog`:    what goes in and what comes out

mod catalog;
mod deferred;
mod errors;
mod interrupts;
mod loads;
mod locks;
mod opening;
mod resets;
mod statements;
mod transactions;
mod writers;

use rowmill::backend::sqlite::SqliteBackend;
use rowmill::backend::table_info::TableInfo;
use rowmill::backend::{Backend, Connection};
use rowmill::url::{SqliteLocation, SqliteSettings};
use rowmill::{
    CellRef, Class, Column, ColumnType, Error, ErrorKind, Ident, Param, Result, Rows, TableName,
};
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A database file in a folder of its own, which is removed with it.
struct Database {
    folder: TempDir,
}

impl Database {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    fn backend(&self) -> SqliteBackend {
        open(&self.path()).unwrap()
    }
}

fn open(path: &Path) -> Result<SqliteBackend> {
    SqliteBackend::open(SqliteSettings::new(SqliteLocation::File(path.to_owned())))
}

fn memory() -> SqliteBackend {
    SqliteBackend::open(SqliteSettings::new(SqliteLocation::Memory)).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn connect(backend: &dyn Backend) -> Box<dyn Connection> {
    backend.connect(soon()).unwrap()
}

/// The cells of a result as text, row by row.
fn all(connection: &mut dyn Connection, sql: &str, params: &[Param<'_>]) -> Vec<String> {
    let mut rows = Vec::new();
    connection
        .query(sql, params, &mut |row| {
            let cells: Result<Vec<String>> =
                (0..row.len()).map(|index| Ok(show(row.cell(index)?))).collect();
            rows.push(cells?.join(" "));
            Ok(())
        })
        .unwrap();
    rows
}

fn one(connection: &mut dyn Connection, sql: &str) -> String {
    all(connection, sql, &[]).join(";")
}

fn show(cell: CellRef<'_>) -> String {
    match cell {
        CellRef::Null => "NULL".to_owned(),
        CellRef::Integer(value) => format!("{value}"),
        CellRef::Real(value) => format!("real:{value}"),
        CellRef::Text(text) => format!("'{text}'"),
        CellRef::Blob(bytes) => format!("x{bytes:?}"),
        other => format!("{other:?}"),
    }
}

fn code(error: &Error) -> String {
    error.sqlstate().map(|state| state.to_string()).unwrap_or_default()
}

fn column(name: &str, column_type: ColumnType) -> Column {
    Column::new(Ident::new(name).unwrap(), column_type)
}

fn table(name: &str) -> TableName {
    TableName::parse(name).unwrap()
}

/// Rows of one bigint each.
fn numbers(values: impl IntoIterator<Item = i64>) -> Rows {
    let mut rows = Rows::new(1);
    for value in values {
        let mut row = rows.begin();
        row.field(&value.to_be_bytes()).unwrap();
        row.finish().unwrap();
    }
    rows
}

fn info(connection: &mut dyn Connection, name: &str) -> TableInfo {
    connection.table_info(&table(name)).unwrap().unwrap()
}
