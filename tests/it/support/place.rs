//! A database that a test's job writes to, on a server or in a file.

use super::lineitem;
use super::{LIMIT, TestDb};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use tempfile::TempDir;

/// A database that a test's job writes to.
#[derive(Debug)]
pub enum Place<'a> {
    Postgres(TestDb<'a>),
    Sqlite(TempDir),
}

impl Place<'_> {
    /// A fresh SQLite database.
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("make a folder"))
    }

    /// Its name, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgresql",
            Self::Sqlite(_) => "sqlite",
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url(),
            Self::Sqlite(folder) => format!("sqlite:{}", sqlite_file(folder).display()),
        }
    }

    /// One of rowmill's own tables.
    pub fn own(&self, table: &str) -> String {
        match self {
            Self::Postgres(_) => format!("rowmill.{table}"),
            Self::Sqlite(_) => format!("rowmill_{table}"),
        }
    }

    /// Runs statements.
    pub fn sql(&self, sql: &str) {
        match self {
            Self::Postgres(database) => database.sql(sql),
            Self::Sqlite(folder) => open(folder).execute_batch(sql).expect(sql),
        }
    }

    /// The one value of a query, as text.
    pub fn value(&self, sql: &str) -> String {
        let mut values = Vec::new();
        self.texts(sql, |text| values.push(text.to_owned()));
        assert_eq!(values.len(), 1, "{sql}");
        values.remove(0)
    }

    /// The number that a query yields.
    pub fn number(&self, sql: &str) -> u64 {
        self.value(sql).parse().expect("a number")
    }

    /// Hands every value of a query of one column to `each`, as text; NULL is `NULL`.
    pub fn texts(&self, sql: &str, mut each: impl FnMut(&str)) {
        match self {
            Self::Postgres(database) => Self::texts_of(database, sql, each),
            Self::Sqlite(folder) => {
                let sqlite = open(folder);
                let cast = format!("with q(x) as ({sql}) select cast(x as text) from q");
                let mut statement = sqlite.prepare(&cast).expect(sql);
                let mut rows = statement.query([]).expect(sql);
                while let Some(row) = rows.next().expect(sql) {
                    let text = row.get_ref(0).expect("a value").as_str_or_null().expect("a text");
                    each(text.unwrap_or("NULL"));
                }
            }
        }
    }

    /// The same, of a database of a server.
    pub fn texts_of(database: &TestDb<'_>, sql: &str, mut each: impl FnMut(&str)) {
        let copy = format!("copy (select cast(x as text) from ({sql}) as q(x)) to stdout");
        let mut client = database.connect();
        let lines = client.copy_out(&copy).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        for line in BufReader::with_capacity(1 << 16, lines).lines() {
            let line = line.expect("read from the server");
            each(if line == "\\N" { "NULL" } else { &line });
        }
    }

    /// A look into the ledger from outside, which can be repeated often.
    pub fn probe(&self) -> Probe {
        let reader = match self {
            Self::Postgres(database) => Reader::Postgres(Box::new(database.connect())),
            Self::Sqlite(folder) => Reader::Sqlite(Box::new(open(folder))),
        };
        let done = format!("select count(*) from {} where done", self.own("batch"));
        let there = match self {
            Self::Postgres(_) => {
                "select count(*) from pg_tables where schemaname = 'rowmill' and tablename = 'batch'"
            }
            Self::Sqlite(_) => "select count(*) from sqlite_schema where name = 'rowmill_batch'",
        };
        Probe { reader, there, is_there: false, done }
    }

    /// Creates the table `lineitem` with a row check, and with a primary key if `keyed`; without
    /// one, nothing but rowmill itself stands against a doubled row.
    pub fn create_lineitem(&self, keyed: bool) {
        let columns = match self {
            Self::Postgres(_) => lineitem::COLUMNS.to_owned(),
            Self::Sqlite(_) => sqlite_columns(),
        };
        let key = if keyed { ", primary key (l_orderkey, l_linenumber)" } else { "" };
        self.sql(&format!("create table lineitem ({columns}, check (l_suppkey > 0){key})"));
    }
}

/// Counts what is done in the ledger, on a connection of its own.
pub struct Probe {
    reader: Reader,
    there: &'static str,
    is_there: bool,
    done: String,
}

enum Reader {
    Postgres(Box<postgres::Client>),
    Sqlite(Box<rusqlite::Connection>),
}

impl Probe {
    /// How many batches, merges and ends are done.
    pub fn units_done(&mut self) -> u64 {
        if !self.is_there {
            self.is_there = self.reader.number(self.there) == 1;
        }
        if self.is_there { self.reader.number(&self.done) } else { 0 }
    }
}

impl Reader {
    fn number(&mut self, sql: &str) -> u64 {
        let number: i64 = match self {
            Self::Postgres(client) => client.query_one(sql, &[]).expect(sql).get(0),
            Self::Sqlite(sqlite) => sqlite.query_row(sql, [], |row| row.get(0)).expect(sql),
        };
        u64::try_from(number).expect("a count")
    }
}

fn sqlite_file(folder: &TempDir) -> PathBuf {
    folder.path().join("target.db")
}

fn open(folder: &TempDir) -> rusqlite::Connection {
    let sqlite = rusqlite::Connection::open(sqlite_file(folder)).expect("open the database");
    sqlite.busy_timeout(LIMIT).expect("set the time-out");
    sqlite
}

/// The table as rowmill would create it there: numbers of arbitrary precision are texts.
fn sqlite_columns() -> String {
    lineitem::columns()
        .map(|(name, column_type)| {
            let kept = if matches!(column_type, "bigint" | "integer") { "integer" } else { "text" };
            format!("{name} {kept} not null")
        })
        .collect::<Vec<_>>()
        .join(", ")
}
