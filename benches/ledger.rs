//! What exactly-once costs: a load of TPC-H's `lineitem` as a job with its ledger, beside the same
//! load by bare COPY of the same batches.
//!
//! `cargo bench --bench ledger` runs both in turns in one process, each time into a fresh table of a
//! private server, and prints the medians and the ratio. Both read the file twice (to cut it, to
//! load it), make the same rows of it on as many threads, take their connections from a pool, and
//! commit each batch with `synchronous_commit = off`; a job also takes its lock, stores its plan,
//! claims each batch and marks it done, and waits for the disk at its end. `LEDGER_ROWS`,
//! `LEDGER_RUNS` and `LEDGER_BATCH_ROWS` change how much is done; `-- --test` does very little, only
//! to see that it runs.
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
    Bounds, ColumnType, CsvColumn, CsvColumns, CsvFormat, CutLimits, Engine, Feed, Ident, Job,
    Layout, Mode, Prepared, TableName, Target,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;
use support::{Cluster, TestDb, lineitem};

const ROWS: usize = 1_200_000;
const RUNS: usize = 7;
const BATCH_ROWS: u64 = 5_000;
const WORKERS: usize = 2;
/// The rows and runs of `--test`.
const FEW: (usize, usize) = (2_000, 1);

struct Load {
    feed: Arc<CsvColumns>,
    target: Target,
    rows: u64,
    batch_rows: u64,
}

impl Load {
    fn of(csv: &Path, rows: u64, batch_rows: u64) -> Self {
        let columns = lineitem::columns().map(|(name, column_type)| {
            let column_type = ColumnType::parse(column_type).unwrap();
            CsvColumn::new(Ident::new(name).unwrap(), column_type)
        });
        let feed = CsvColumns::open(csv, CsvFormat::new(), columns.collect()).unwrap();
        let table = TableName::parse("lineitem").unwrap();
        let target = Target::new(table, feed.columns().to_vec(), Vec::new(), Mode::Append).unwrap();
        Self { feed: Arc::new(feed), target, rows, batch_rows }
    }

    /// As a job.
    fn with_ledger(&self, engine: &Engine) {
        let job = Job::named("lineitem").feed(self.feed.clone(), self.target.clone());
        let report = job.batch_rows(self.batch_rows).workers(WORKERS).run(engine).unwrap();
        assert_eq!(report.inserted, self.rows);
    }

    /// By hand: the same batches, and nothing that remembers them.
    fn bare(&self, engine: &Engine) {
        let mut batches = Vec::new();
        let limits = CutLimits::new(self.batch_rows, u64::MAX);
        self.feed
            .plan(limits, &mut |bounds| {
                batches.push(bounds);
                Ok(())
            })
            .unwrap();
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| self.work(engine, &batches, &next));
            }
        });
    }

    fn work(&self, engine: &Engine, batches: &[Bounds], next: &AtomicUsize) {
        let layout = Layout::new(self.target.columns.clone(), Vec::new());
        let mut prepared = Prepared::new(&layout);
        while let Some(bounds) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            prepared.clear();
            self.feed.prepare(bounds, &layout, &mut prepared).unwrap();
            let mut connection = engine.get().unwrap();
            connection.begin().unwrap();
            connection.run("SET LOCAL synchronous_commit = off").unwrap();
            let (rows, all) = (&prepared.rows, 0..prepared.rows.len());
            connection.load(&self.target.table, &layout.columns, rows, all).unwrap();
            connection.commit().unwrap();
        }
    }
}

fn main() {
    let (rows, runs, batch_rows) = size();
    let folder = tempfile::tempdir().expect("make a folder");
    let csv = folder.path().join("lineitem.csv");
    let rows = lineitem::write_lineitem(&csv, 1.0, rows);
    let cluster = Cluster::start();
    let load = Load::of(&csv, rows, batch_rows);
    let (mut with_ledger, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        bare.push(measure(&cluster, &load, Load::bare));
        with_ledger.push(measure(&cluster, &load, Load::with_ledger));
    }
    let (with_ledger, bare) = (median(with_ledger), median(bare));
    println!("lineitem: {rows} rows in batches of {batch_rows}, median of {runs} runs");
    println!("bare COPY        {bare:.3} s");
    println!("with the ledger  {with_ledger:.3} s");
    println!("ratio            {:.3}", with_ledger / bare);
}

/// How many rows, how many runs, and how many rows a batch has.
fn size() -> (usize, usize, u64) {
    // Cargo says `--bench` when it runs benches, and nothing when it runs them as tests.
    let arguments: Vec<_> = std::env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    if has("--test") || !has("--bench") {
        return (FEW.0, FEW.1, 500);
    }
    let number = |name, usual: usize| {
        std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
    };
    let batch_rows = number("LEDGER_BATCH_ROWS", BATCH_ROWS as usize) as u64;
    (number("LEDGER_ROWS", ROWS), number("LEDGER_RUNS", RUNS).max(1), batch_rows)
}

fn measure(cluster: &Cluster, load: &Load, run: fn(&Load, &Engine)) -> f64 {
    let database: TestDb<'_> = cluster.database("ledger");
    database.sql(&format!("create table lineitem ({})", lineitem::COLUMNS));
    // What the run before has left to write must not slow this one down.
    database.sql("checkpoint");
    let engine = Engine::open(&database.url()).expect("open the engine");
    drop(engine.get().expect("a connection"));
    let start = Instant::now();
    run(load, &engine);
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(database.count("lineitem"), load.rows);
    seconds
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
