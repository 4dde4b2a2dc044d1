//! A test that is written once and runs on SQLite and on PostgreSQL.

use super::{TestDb, shared};
use rowmill::{
    CellRef, ColumnType, CsvColumn, CsvColumns, CsvFormat, Engine, Error, Ident, Job, Mode, Report,
    TableName, Target,
};
use rusqlite::types::ValueRef;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A fresh database of one of the two kinds, with a folder for files.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    /// `None` for SQLite.
    server: Option<TestDb<'static>>,
    url: String,
    engine: Engine,
    jobs: AtomicU32,
}

/// Runs `test` on SQLite and then on PostgreSQL; what it prints says on which one it failed.
pub fn on_both(test: impl Fn(&Home)) {
    test(&Home::sqlite());
    test(&Home::postgres());
}

impl Home {
    /// A database file.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::of(folder, None, url)
    }

    /// A database in memory; it is read and written through its engine, nobody else can.
    pub fn memory() -> Self {
        Self::of(tempfile::tempdir().unwrap(), None, "sqlite::memory:".to_owned())
    }

    /// A database of the shared server.
    pub fn postgres() -> Self {
        let server = shared().database("both");
        let url = server.url();
        Self::of(tempfile::tempdir().unwrap(), Some(server), url)
    }

    fn of(folder: TempDir, server: Option<TestDb<'static>>, url: String) -> Self {
        let engine = Engine::open(&url).unwrap();
        eprintln!("on {}", engine.describe());
        Self { folder, server, url, engine, jobs: AtomicU32::new(0) }
    }

    /// Its engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.server.is_some()
    }

    /// One of two texts.
    pub fn pick<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        if self.is_postgres() { postgres } else { sqlite }
    }

    /// A folder for files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file and returns where it is.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs statements with the database's own driver.
    pub fn sql(&self, sql: &str) {
        match &self.server {
            Some(server) => server.sql(sql),
            None if self.is_memory() => self.engine.run(sql).unwrap(),
            None => self.sqlite_driver().execute_batch(sql).unwrap(),
        }
    }

    /// The rows of a query, read by the database's own driver: cells joined by `|`, `NULL` for NULL.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let mut rows = Vec::new();
        self.each_row(sql, |cells| {
            let cells: Vec<_> =
                cells.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect();
            rows.push(cells.join("|"));
        });
        rows
    }

    /// Hands the rows of a query, read by the database's own driver, to `each`; `None` is NULL.
    pub fn each_row(&self, sql: &str, mut each: impl FnMut(&[Option<String>])) {
        if let Some(server) = &self.server {
            server.rows(sql).iter().for_each(|row| each(row));
            return;
        }
        if self.is_memory() {
            let read = self.engine.query(sql, &[], |row| {
                let cells = (0..row.len()).map(|index| row.cell(index).map(show_cell));
                each(&cells.collect::<Result<Vec<_>, _>>()?);
                Ok(())
            });
            return read.unwrap();
        }
        let sqlite = self.sqlite_driver();
        let mut statement = sqlite.prepare(sql).unwrap();
        let width = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<_> = (0..width).map(|index| show(row.get_ref(index).unwrap())).collect();
            each(&cells);
        }
    }

    fn is_memory(&self) -> bool {
        self.url == "sqlite::memory:"
    }

    fn sqlite_driver(&self) -> rusqlite::Connection {
        let sqlite = rusqlite::Connection::open(self.folder.path().join("test.db")).unwrap();
        sqlite.busy_timeout(super::LIMIT).unwrap();
        sqlite.execute_batch("pragma foreign_keys = on").unwrap();
        sqlite
    }

    /// A name for a job that no other job of this database has.
    pub fn job_name(&self) -> String {
        format!("job {}", self.jobs.fetch_add(1, Ordering::Relaxed))
    }

    /// A job that reads `csv` (with a header) into a table, as one declared by a job file does.
    /// `columns` are `name type`, `key` names columns.
    pub fn csv_job(
        &self,
        mode: Mode,
        table: &str,
        columns: &[&str],
        key: &str,
        csv: impl AsRef<[u8]>,
    ) -> Job {
        self.csv_target(mode, table, columns, key, csv, |_| {})
    }

    /// As [`Home::csv_job`], with what `change` sets of the target.
    pub fn csv_target(
        &self,
        mode: Mode,
        table: &str,
        columns: &[&str],
        key: &str,
        csv: impl AsRef<[u8]>,
        change: impl FnOnce(&mut Target),
    ) -> Job {
        let name = self.job_name();
        let path = self.file(&format!("{name}.csv"), csv);
        let feed = CsvColumns::open(path, CsvFormat::new(), csv_columns(columns)).unwrap();
        let key = key.split_whitespace().map(str::to_owned).collect();
        let plain = rowmill::Feed::columns(&feed).to_vec();
        let table = TableName::parse(table).unwrap();
        let mut target = Target::new(table, plain, key, mode).unwrap();
        change(&mut target);
        Job::named(name).feed(Arc::new(feed), target)
    }

    /// Runs a job, which must succeed, and returns its counts.
    pub fn run(&self, job: &Job) -> Tally {
        Tally::of(&job.run(self.engine()).unwrap())
    }

    /// Runs a job, which must fail.
    pub fn fails(&self, job: &Job) -> Error {
        job.run(self.engine()).unwrap_err()
    }

    /// The reject store, in the order of the input: row, line, offset, stage, SQLSTATE, column and
    /// the raw bytes, joined by `|`.
    pub fn rejects(&self) -> Vec<String> {
        self.rejects_of("input_row, line, byte_offset, stage, sqlstate, column_name")
    }

    /// As [`Home::rejects`]; none before the first job.
    pub fn rejects_or_none(&self) -> Vec<String> {
        let mut connection = self.engine.get().unwrap();
        let table = TableName::parse(self.pick("rowmill_reject", "rowmill.reject")).unwrap();
        let found = connection.table_info(&table).unwrap().is_some();
        drop(connection);
        if found { self.rejects() } else { Vec::new() }
    }

    /// Some columns of the reject store, and the raw bytes, in the order of the input.
    pub fn rejects_of(&self, columns: &str) -> Vec<String> {
        let table = self.pick("rowmill_reject", "rowmill.reject");
        let raw = self.pick("hex(raw)", "upper(encode(raw, 'hex'))");
        let sql = format!("select {columns}, {raw} from {table} order by job_id, input_row");
        self.rows(&sql)
            .iter()
            .map(|row| {
                let (rest, hex) = row.rsplit_once('|').unwrap();
                format!("{rest}|{}", readable(hex))
            })
            .collect()
    }
}

/// `name type`, ...
fn csv_columns(columns: &[&str]) -> Vec<CsvColumn> {
    let column = |text: &&str| {
        let (name, of_type) = text.split_once(' ').unwrap();
        CsvColumn::new(Ident::new(name).unwrap(), ColumnType::parse(of_type).unwrap())
    };
    columns.iter().map(column).collect()
}

fn show(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(format!("{bytes:02x?}")),
    }
}

fn show_cell(cell: CellRef<'_>) -> Option<String> {
    match cell {
        CellRef::Null => None,
        CellRef::Integer(number) => Some(number.to_string()),
        CellRef::Real(number) => Some(number.to_string()),
        CellRef::Text(text) => Some(text.to_owned()),
        other => Some(format!("{other:?}")),
    }
}

/// Bytes as text; what is no printable ASCII as `\xNN`.
fn readable(hex: &str) -> String {
    let bytes =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    let show = |byte: u8| match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        other => std::ascii::escape_default(other).to_string(),
    };
    bytes.map(show).collect()
}

/// The counts of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub read: u64,
    pub inserted: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub deleted: u64,
    pub filtered: u64,
    pub duplicates: u64,
    pub rejected: u64,
}

impl Tally {
    /// Those of `report`, which must balance.
    pub fn of(report: &Report) -> Self {
        assert!(report.balances(), "not every row is accounted for: {report:?}");
        Self {
            read: report.read,
            inserted: report.inserted,
            updated: report.updated,
            unchanged: report.unchanged,
            deleted: report.deleted,
            filtered: report.filtered,
            duplicates: report.duplicates,
            rejected: report.rejected,
        }
    }
}
