//! Ten times the rows, the same memory.
//!
//! What counts is the largest resident size of the command's process, as the kernel keeps it
//! (`VmHWM`). `ROWMILL_FAULT_MEMORY_ROWS` sets the smaller number of rows.

use crate::support::lineitem::write_lineitem;
use crate::support::loading::{JobText, Place, copy_lineitem};
use crate::support::{Running, TestDb, shared};
use std::path::Path;

/// How often the smaller load is measured. What the allocator keeps differs by a MiB from run to
/// run, and a short run may end before it has been as busy as it gets.
const SMALL_RUNS: usize = 3;

/// How often the larger load is measured, if it was too large: what differs from run to run passes,
/// and what grows with the rows comes again.
const LARGE_RUNS: usize = 3;

/// The smaller number of rows, the modes, and the rows of a batch. By default the mode that also
/// merges, and small batches, so that also the smaller load has all its workers busy for a while:
/// what they keep between batches is part of what both loads take. At full size a job's own default.
fn size() -> (usize, &'static [&'static str], u64) {
    match std::env::var("ROWMILL_FAULT_MEMORY_ROWS") {
        Ok(text) => {
            let rows = text.parse().expect("ROWMILL_FAULT_MEMORY_ROWS is no number");
            (rows, &["append", "upsert"], 5_000)
        }
        Err(_) => (60_000, &["upsert"], 1_000),
    }
}

/// batch 3.7.3, F66
#[test]
fn ten_times_the_rows_take_the_same_memory_on_postgresql() {
    compare(From::Csv, &|| Place::Postgres(shared().database("memory")));
}

/// batch 3.7.3, F66
#[test]
fn ten_times_the_rows_of_a_table_take_the_same_memory() {
    compare(From::Table, &|| Place::Postgres(shared().database("memory")));
}

/// batch 3.7.3, F66
#[test]
fn ten_times_the_rows_take_the_same_memory_on_sqlite() {
    compare(From::Csv, &Place::sqlite);
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Csv,
    Table,
}

fn compare<'a>(from: From, fresh: &dyn Fn() -> Place<'a>) {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = (folder.path().join("few.csv"), folder.path().join("many.csv"));
    let (rows, modes, batch_rows) = size();
    let counts = (rows, rows * 10);
    let scale = counts.1 as f64 / 5_900_000.0;
    write_lineitem(&few, scale, counts.0);
    write_lineitem(&many, scale, counts.1);
    let databases = [&few, &many].map(|csv| {
        (from == From::Table).then(|| {
            let database = shared().database("source");
            copy_lineitem(csv, &database);
            database
        })
    });
    for mode in modes {
        let text = |which: usize| {
            let mut text = JobText::of_mode(mode, batch_rows);
            text.source_url = databases[which].as_ref().map(TestDb::url);
            text
        };
        let small = (0..SMALL_RUNS).map(|_| peak_bytes(&few, &text(0), &fresh())).max().unwrap();
        let growth_of = |large: u64| (large as f64 / small as f64 - 1.0) * 100.0;
        let mut large = u64::MAX;
        for _ in 0..LARGE_RUNS {
            large = large.min(peak_bytes(&many, &text(1), &fresh()));
            if growth_of(large) <= 10.0 {
                break;
            }
        }
        let growth = growth_of(large);
        eprintln!(
            "MEMORY {} {from:?} {mode} rows={} peak={:.1}MiB rows={} peak={:.1}MiB growth={growth:+.1}%",
            fresh().name(),
            counts.0,
            mib(small),
            counts.1,
            mib(large),
        );
        assert!(growth <= 10.0, "{}: {small} bytes, then {large}", fresh().name());
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The largest resident size of a run that loads `csv`.
fn peak_bytes(csv: &Path, text: &JobText, place: &Place<'_>) -> u64 {
    place.create_lineitem(text.keyed);
    let folder = tempfile::tempdir().unwrap();
    let mut run = text.write_for(csv, folder.path(), place).start();
    let mut peak = 0;
    // It only grows; the last look is a few milliseconds before the end.
    run.watch(|run| peak = high_water_bytes(run).unwrap_or(peak));
    let run = run.wait();
    assert_eq!(run.code, Some(0), "{run}");
    peak
}

/// `None` once the process has ended.
fn high_water_bytes(run: &Running) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", run.pid())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes << 10)
}
