//! Loads of TPC-H's lineitem through the built command, and whether what arrived is what was sent.
//!
//! Rows are compared as a multiset of lines: each row of the table is written as the line of the
//! file it came from, so that a lost row, a changed row and a doubled row all show.

use super::lineitem::{self, write_to};
use super::{Running, TestDb, rowmill};
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A row as the line of the file it came from, on both databases: `numeric` without a fraction and
/// `char(n)` without its padding, as the generator writes them.
const AS_LINE: &str = "l_orderkey || ',' || l_partkey || ',' || l_suppkey || ',' || l_linenumber \
    || ',' || cast(l_quantity as integer) || ',' || l_extendedprice || ',' || l_discount || ',' \
    || l_tax || ',' || l_returnflag || ',' || l_linestatus || ',' || l_shipdate || ',' \
    || l_commitdate || ',' || l_receiptdate || ',' || trim(l_shipinstruct) || ',' \
    || trim(l_shipmode) || ',\"' || l_comment || '\"'";

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
            Self::Postgres(database) => {
                let copy = format!("copy (select cast(x as text) from ({sql}) as q(x)) to stdout");
                let mut client = database.connect();
                let lines =
                    client.copy_out(&copy).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                for line in BufReader::with_capacity(1 << 16, lines).lines() {
                    let line = line.expect("read from the server");
                    each(if line == "\\N" { "NULL" } else { &line });
                }
            }
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
    sqlite.busy_timeout(super::LIMIT).expect("set the time-out");
    sqlite
}

/// The table as rowmill would create it there: numbers of arbitrary precision are texts.
fn sqlite_columns() -> String {
    job_columns()
        .map(|(name, column_type)| {
            let kept = if matches!(column_type, "bigint" | "integer") { "integer" } else { "text" };
            format!("{name} {kept} not null")
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// The columns of lineitem and their types.
fn job_columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    lineitem::COLUMNS
        .split(" not null")
        .filter(|column| !column.is_empty())
        .map(|column| column.trim_start_matches(", ").split_once(' ').expect("a name and a type"))
}

/// A file of lineitem rows with bad ones among them, and what is in it.
#[derive(Debug)]
pub struct Input {
    folder: TempDir,
    good: Vec<u64>,
    bad: Vec<u64>,
}

impl Input {
    /// A file of `rows` good rows. After every `step` of them stands a bad one: by turns one that
    /// cannot be converted and, if `refused`, one that the check of the table refuses.
    pub fn lineitem(rows: usize, step: usize, refused: bool) -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        let mut writer = Spoiler {
            out: BufWriter::new(File::create(folder.path().join("lineitem.csv")).expect("a file")),
            line: Vec::new(),
            lines: 0,
            step,
            refused,
            good: Vec::with_capacity(rows),
            bad: Vec::new(),
        };
        let scale = (rows as f64 / 5_900_000.0).max(0.01);
        assert_eq!(write_to(&mut writer, scale, rows), rows as u64, "too small a scale");
        writer.flush().expect("write the file");
        let Spoiler { mut good, mut bad, .. } = writer;
        good.sort_unstable();
        bad.sort_unstable();
        Self { folder, good, bad }
    }

    /// The folder of the file; a job may be written into it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder().join("lineitem.csv")
    }

    /// How many good rows there are.
    pub fn good_rows(&self) -> u64 {
        self.good.len() as u64
    }

    /// How many bad rows there are.
    pub fn bad_rows(&self) -> u64 {
        self.bad.len() as u64
    }

    /// What `place` has of the good rows in its table `lineitem`.
    pub fn difference(&self, place: &Place<'_>) -> Difference {
        let mut found = Vec::with_capacity(self.good.len());
        place.texts(&format!("select {AS_LINE} from lineitem"), |line| found.push(hash(line)));
        Difference::of(&self.good, found)
    }

    /// What `place` has of the bad rows in its reject store.
    pub fn reject_difference(&self, place: &Place<'_>) -> Difference {
        let raw = match place {
            Place::Postgres(_) => "convert_from(raw, 'UTF8')",
            Place::Sqlite(_) => "cast(raw as text)",
        };
        let mut found = Vec::new();
        let sql = format!("select {raw} from {}", place.own("reject"));
        place.texts(&sql, |line| found.push(hash(line.trim_end())));
        Difference::of(&self.bad, found)
    }

    /// Fails unless `place` has every good row once and every bad row once in its reject store.
    pub fn assert_exact(&self, place: &Place<'_>, told: &str) {
        let (rows, rejects) = (self.difference(place), self.reject_difference(place));
        let exact = Difference::default();
        assert_eq!((rows, rejects), (exact, exact), "{}: rows and rejects, {told}", place.name());
    }
}

/// What is missing from a table and what it has too often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub lost: u64,
    pub duplicated: u64,
}

impl Difference {
    fn of(sent: &[u64], mut found: Vec<u64>) -> Self {
        found.sort_unstable();
        let (mut left, mut right) = (sent.iter().peekable(), found.iter().peekable());
        let mut difference = Self::default();
        loop {
            match (left.peek(), right.peek()) {
                (None, None) => return difference,
                (Some(a), Some(b)) if a == b => {
                    left.next();
                    right.next();
                }
                (Some(a), Some(b)) if a > b => {
                    difference.duplicated += 1;
                    right.next();
                }
                (None, Some(_)) => {
                    difference.duplicated += 1;
                    right.next();
                }
                (Some(_), _) => {
                    difference.lost += 1;
                    left.next();
                }
            }
        }
    }
}

impl std::ops::AddAssign for Difference {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
    }
}

fn hash(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

/// Passes lines on, puts bad ones between them, and notes both.
struct Spoiler {
    out: BufWriter<File>,
    line: Vec<u8>,
    lines: usize,
    step: usize,
    refused: bool,
    good: Vec<u64>,
    bad: Vec<u64>,
}

impl Spoiler {
    fn end_line(&mut self) -> std::io::Result<()> {
        let line = String::from_utf8(std::mem::take(&mut self.line)).expect("the file is ASCII");
        writeln!(self.out, "{line}")?;
        self.lines += 1;
        // The first line is the header.
        if self.lines == 1 {
            return Ok(());
        }
        self.good.push(hash(&line));
        if (self.lines - 1).is_multiple_of(self.step) {
            let bad = self.spoiled(&line);
            writeln!(self.out, "{bad}")?;
            self.bad.push(hash(&bad));
        }
        Ok(())
    }

    /// The line with a number that is none, or with one that the table's check refuses; its key is
    /// no other row's.
    fn spoiled(&self, line: &str) -> String {
        let mut fields: Vec<_> = line.splitn(5, ',').map(str::to_owned).collect();
        let number = self.bad.len();
        if self.refused && number % 2 == 1 {
            fields[2] = format!("-{}", number + 1);
        } else {
            fields[1] = format!("none {number}");
        }
        fields[3] = "99".to_owned();
        fields.join(",")
    }
}

impl Write for Spoiler {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(rest) => {
                    self.line.extend_from_slice(rest);
                    self.end_line()?;
                }
                None => self.line.extend_from_slice(piece),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// The text of a job file that loads lineitem.
#[derive(Clone, Debug)]
pub struct JobText {
    pub mode: &'static str,
    pub keyed: bool,
    pub batch_rows: u64,
    /// More lines of `[limits]`.
    pub limits: String,
}

impl JobText {
    /// A job in a mode that needs a key, or `append`.
    pub fn of_mode(mode: &'static str, batch_rows: u64) -> Self {
        let keyed = mode != "append";
        Self { mode, keyed, batch_rows, limits: String::new() }
    }

    /// Writes the job beside `input`, for `place`.
    pub fn write(&self, input: &Input, place: &Place<'_>) -> JobFile {
        let path = input.folder().join(format!("{}-{}.toml", place.name(), self.mode));
        std::fs::write(&path, self.text(input)).expect("write the job file");
        JobFile { path, url: place.url() }
    }

    fn text(&self, input: &Input) -> String {
        let Self { mode, batch_rows, limits, .. } = self;
        let key = if self.keyed { "key = [\"l_orderkey\", \"l_linenumber\"]\n" } else { "" };
        let mut text = format!(
            "name = \"lineitem\"\n[source]\nkind = \"csv\"\npath = \"{}\"\n\
             [target]\nurl = \"${{ROWMILL_TARGET}}\"\ntable = \"lineitem\"\nmode = \"{mode}\"\n{key}\
             [limits]\nmax_rejects = 100000\nbatch_rows = {batch_rows}\n{limits}\n[columns]\n",
            input.path().display()
        );
        for (name, column_type) in job_columns() {
            writeln!(text, "{name} = \"{column_type}\"").expect("write to a text");
        }
        text
    }
}

/// A job file, and the database it is run on.
#[derive(Clone, Debug)]
pub struct JobFile {
    path: PathBuf,
    url: String,
}

impl JobFile {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts `rowmill run` with it; the command is the same every time.
    pub fn start(&self) -> Running {
        rowmill(["run"])
            .arg(&self.path)
            .arg("--report")
            .arg(self.report_path())
            .env("ROWMILL_TARGET", &self.url)
            .spawn()
    }

    fn report_path(&self) -> PathBuf {
        self.path.with_extension("json")
    }

    /// The report of the last run that ended in order.
    pub fn report(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.report_path()).expect("read the report");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}
