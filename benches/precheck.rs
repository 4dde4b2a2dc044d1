//! What the checks before anything is sent cost: lengths, precision, NOT NULL and enum labels.
//!
//! `cargo bench --bench precheck` prepares the same file of TPC-H's `lineitem` in turns for a table that
//! says nothing of its columns but their kind, and for one that limits all of them, and prints the
//! medians and the ratio; no server. Every row passes. `PRECHECK_ROWS` and `PRECHECK_RUNS` change how
//! much is done; `-- --test` does very little, only to see that it runs.
#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a bench fails by panicking, prints, and exports nothing"
)]

#[path = "../tests/it/support/mod.rs"]
mod support;

use rowmill::{
    Bounds, Column, ColumnType, CsvColumn, CsvColumns, CsvFormat, CutLimits, Feed, Ident, Layout,
    Prepared,
};
use std::path::Path;
use std::time::Instant;
use support::lineitem;

const ROWS: usize = 300_000;
const RUNS: usize = 11;
const BATCH_ROWS: u64 = 5_000;
/// The rows and runs of `--test`.
const FEW: (usize, usize) = (2_000, 1);
/// Columns of few values, which are an enum of the database in both tables.
const ENUMS: [(&str, &[&str]); 2] = [
    ("l_returnflag", &["A", "N", "R"]),
    ("l_shipmode", &["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]),
];

struct Load {
    feed: CsvColumns,
    layout: Layout,
    batches: Vec<Bounds>,
    prepared: Prepared,
}

impl Load {
    fn of(csv: &Path, column: impl Fn(&str, &str) -> Column) -> Self {
        let columns = lineitem::columns().map(|(name, of_type)| {
            let of_type = ColumnType::parse(of_type).unwrap();
            CsvColumn::new(Ident::new(name).unwrap(), of_type)
        });
        let feed = CsvColumns::open(csv, CsvFormat::new(), columns.collect()).unwrap();
        let columns = lineitem::columns().map(|(name, of_type)| column(name, of_type));
        let layout = Layout::new(columns.collect(), Vec::new());
        let mut batches = Vec::new();
        let mut keep = |bounds| {
            batches.push(bounds);
            Ok(())
        };
        feed.plan(CutLimits::new(BATCH_ROWS, u64::MAX), &mut keep).unwrap();
        let prepared = Prepared::new(&layout);
        Self { feed, layout, batches, prepared }
    }

    /// Prepares all rows, and returns the seconds that took.
    fn run(&mut self, rows: u64) -> f64 {
        let start = Instant::now();
        let mut read = 0;
        for batch in &self.batches {
            self.prepared.clear();
            self.feed.prepare(batch, &self.layout, &mut self.prepared).unwrap();
            assert!(self.prepared.refused.is_empty());
            read += self.prepared.read;
        }
        assert_eq!(read, rows);
        start.elapsed().as_secs_f64()
    }
}

/// A column of which the table says its kind, and nothing else.
fn open_column(name: &str, of_type: &str) -> Column {
    let of_type = match ColumnType::parse(of_type).unwrap() {
        ColumnType::Numeric(_) => ColumnType::Numeric(None),
        ColumnType::Varchar(_) | ColumnType::Char(_) => ColumnType::Varchar(None),
        other => other,
    };
    let is_enum = ENUMS.iter().any(|(named, _)| *named == name);
    let of_type = if is_enum { ColumnType::Enum("word".to_owned()) } else { of_type };
    Column::new(Ident::new(name).unwrap(), of_type)
}

/// A column of which the table says all that it can.
fn limited_column(name: &str, of_type: &str) -> Column {
    let of_type = match ColumnType::parse(of_type).unwrap() {
        ColumnType::Char(length) => ColumnType::Varchar(Some(length)),
        other => other,
    };
    let mut column = Column::new(Ident::new(name).unwrap(), of_type).not_null();
    if let Some((_, labels)) = ENUMS.iter().find(|(named, _)| *named == name) {
        column.column_type = ColumnType::Enum("word".to_owned());
        column.labels = labels.iter().map(|&label| label.to_owned()).collect();
    }
    column
}

fn main() {
    let (rows, runs) = size();
    let folder = tempfile::tempdir().expect("make a folder");
    let csv = folder.path().join("lineitem.csv");
    let rows = lineitem::write_lineitem(&csv, 1.0, rows);
    let (mut open, mut limited) = (Load::of(&csv, open_column), Load::of(&csv, limited_column));
    let (mut open_times, mut limited_times) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        open_times.push(open.run(rows));
        limited_times.push(limited.run(rows));
    }
    let (open, limited) = (median(open_times), median(limited_times));
    println!("lineitem: {rows} rows prepared, median of {runs} runs");
    println!("columns without limits  {open:.3} s");
    println!("all columns checked     {limited:.3} s");
    println!("ratio                   {:.3}", limited / open);
}

/// How many rows, and how many runs.
fn size() -> (usize, usize) {
    // Cargo says `--bench` when it runs benches, and nothing when it runs them as tests.
    let arguments: Vec<_> = std::env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    if has("--test") || !has("--bench") {
        return FEW;
    }
    let number = |name, usual: usize| {
        std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
    };
    (number("PRECHECK_ROWS", ROWS), number("PRECHECK_RUNS", RUNS).max(1))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
