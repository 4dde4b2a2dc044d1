//! Loads of TPC-H's lineitem through the built command, and whether what arrived is what was sent.
//!
//! Rows are compared as a multiset of lines: each row of the table is written as the line of the
//! file it came from, so that a lost row, a changed row and a doubled row all show.

use super::lineitem::{self, write_to};
use super::{Invocation, Running, TestDb, rowmill};
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub use super::place::Place;

/// A row as the line of the file it came from, on both databases: `numeric` without a fraction and
/// `char(n)` without its padding, as the generator writes them.
const AS_LINE: &str = "l_orderkey || ',' || l_partkey || ',' || l_suppkey || ',' || l_linenumber \
    || ',' || cast(l_quantity as integer) || ',' || l_extendedprice || ',' || l_discount || ',' \
    || l_tax || ',' || l_returnflag || ',' || l_linestatus || ',' || l_shipdate || ',' \
    || l_commitdate || ',' || l_receiptdate || ',' || trim(l_shipinstruct) || ',' \
    || trim(l_shipmode) || ',\"' || l_comment || '\"'";

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

    /// Makes a table `lineitem` of the file in `database`, for a job that reads it there: with its
    /// key, and without the check that refuses rows.
    pub fn copy_to(&self, database: &TestDb<'_>) {
        copy_lineitem(&self.path(), database);
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

/// Makes a table `lineitem` of a file in `database`, with its key.
pub fn copy_lineitem(csv: &Path, database: &TestDb<'_>) {
    database.sql(&format!(
        "create table lineitem ({}, primary key (l_orderkey, l_linenumber))",
        lineitem::COLUMNS
    ));
    let mut client = database.connect();
    let mut copy = client.copy_in("copy lineitem from stdin (format csv, header)").expect("copy");
    let mut file = File::open(csv).expect("open the file");
    std::io::copy(&mut file, &mut copy).expect("send the file");
    copy.finish().expect("copy the file");
    client.batch_execute("analyze lineitem").expect("analyze");
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
        "99".clone_into(&mut fields[3]);
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
    /// More lines of `[target]`.
    pub target: String,
    /// More lines of `[limits]`.
    pub limits: String,
    /// The database whose table `lineitem` is read instead of the file.
    pub source_url: Option<String>,
}

impl JobText {
    /// A job in a mode that needs a key, or `append`.
    pub fn of_mode(mode: &'static str, batch_rows: u64) -> Self {
        let keyed = mode != "append";
        let (target, limits) = (String::new(), String::new());
        Self { mode, keyed, batch_rows, target, limits, source_url: None }
    }

    /// Writes the job beside `input`, for `place`.
    pub fn write(&self, input: &Input, place: &Place<'_>) -> JobFile {
        self.write_for(&input.path(), input.folder(), place)
    }

    /// Writes the job for `csv` into `folder`, for `place`.
    pub fn write_for(&self, csv: &Path, folder: &Path, place: &Place<'_>) -> JobFile {
        let path = folder.join(format!("{}-{}.toml", place.name(), self.mode));
        std::fs::write(&path, self.text(csv)).expect("write the job file");
        JobFile { path, url: place.url() }
    }

    fn text(&self, csv: &Path) -> String {
        let Self { mode, batch_rows, target, limits, .. } = self;
        let source = match &self.source_url {
            Some(url) => format!(
                "kind = \"table\"\nurl = \"{url}\"\ntable = \"lineitem\"\n\
                 consistency = \"per-batch\"\n"
            ),
            None => format!("kind = \"csv\"\npath = \"{}\"\n", csv.display()),
        };
        let key = if self.keyed { "key = [\"l_orderkey\", \"l_linenumber\"]\n" } else { "" };
        let mut text = format!(
            "name = \"lineitem\"\n[source]\n{source}\
             [target]\nurl = \"${{ROWMILL_TARGET}}\"\ntable = \"lineitem\"\nmode = \"{mode}\"\n{key}{target}\
             [limits]\nmax_rejects = 100000\nbatch_rows = {batch_rows}\n{limits}\n[columns]\n"
        );
        for (name, column_type) in lineitem::columns() {
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
        self.run().arg("--report").arg(self.report_path()).spawn()
    }

    /// Starts one of several processes that share the job; `member` names its report.
    pub fn join(&self, member: usize) -> Running {
        self.run().arg("--join").arg("--report").arg(self.share_path(member)).spawn()
    }

    /// `rowmill run` with it, not started.
    pub fn run(&self) -> Invocation {
        rowmill(["run"]).arg(&self.path).env("ROWMILL_TARGET", &self.url)
    }

    fn share_path(&self, member: usize) -> PathBuf {
        self.path.with_extension(format!("{member}.json"))
    }

    /// The report of a process that shared the job.
    pub fn share_report(&self, member: usize) -> serde_json::Value {
        let text = std::fs::read_to_string(self.share_path(member)).expect("read the report");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
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
