//! Where the time of a run went, and how it compares with the runs before.

use super::context::Context;
use super::group_choice::GroupChoice;
use super::meter::Meter;
use super::worker_count::choice::WorkerChoice;
use crate::backend::Connection;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// What a run can tell of itself beside its counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Receipt {
    /// What the workers spent most of their time with; `None` where they did nothing.
    pub bottleneck: Option<Bottleneck>,
    /// Seconds by stage, as the clock on the wall has it: `plan`, `load`, `merge`, `finish`.
    pub stages: BTreeMap<String, f64>,
    /// The slowest batches and merges, at most three, the slowest first.
    pub slowest: Vec<SlowBatch>,
    /// The most batches that were in flight at once.
    pub peak_in_flight: usize,
    /// How many were meant to be, and why; `None` where nothing was to be done.
    pub workers: Option<WorkerChoice>,
    /// How many batches shared a transaction, and why no more did; `None` where nothing was to be done.
    pub transactions: Option<GroupChoice>,
    /// The most memory that the process had resident so far, in bytes; `None` where the system does
    /// not tell.
    pub peak_memory_bytes: Option<u64>,
    /// The runs before; `None` if there was none that did a whole job of this name.
    pub before: Option<Before>,
}

/// Who sets the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Culprit {
    /// Reading the source.
    Source,
    /// This machine's processors: closures, and making rows.
    Cpu,
    /// The target.
    Server,
    /// Waiting for a connection: other work uses the same pool.
    Pool,
}

/// Who sets the pace, and how clearly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Bottleneck {
    /// Who it is.
    pub culprit: Culprit,
    /// Its share of the workers' time, from 0 to 1.
    pub share: f64,
}

/// A batch, or the merge of a bucket, that took long.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SlowBatch {
    /// `load`, `merge` or `finish`.
    pub phase: &'static str,
    /// Its number in the phase, from 0.
    pub number: u32,
    /// The first of its rows in the source, from 1.
    pub first_row: u64,
    /// How many rows of the source it has; 0 for what is no batch of the source.
    pub rows: u64,
    /// How long it took on its worker, with all its attempts.
    pub seconds: f64,
}

/// The runs of the same job before this one, whatever their parameters: at most the last five that
/// did all batches of theirs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Before {
    /// How many they are.
    pub runs: usize,
    /// The median of their seconds.
    pub seconds: f64,
    /// The median of their rows by second.
    pub rows_per_second: f64,
    /// How much longer this run took for a row than the median of them: 0.25 is a quarter longer,
    /// negative is faster.
    pub slower: f64,
    /// The phase that grew the most for a row, where this run is slower.
    pub grown: Option<String>,
}

/// What is kept of a run in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    rows: u64,
    seconds: f64,
    phases: BTreeMap<String, f64>,
}

impl Kept {
    /// As the ledger has it.
    fn text(&self) -> String {
        // Names and numbers are always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From the ledger.
    fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl Receipt {
    /// What `meter` measured.
    pub(super) fn of(meter: &Meter) -> Self {
        Self {
            bottleneck: bottleneck(&meter.phases()),
            stages: meter.stages(),
            slowest: meter.slowest(),
            peak_in_flight: meter.peak_in_flight(),
            workers: None,
            transactions: None,
            peak_memory_bytes: peak_memory(),
            before: None,
        }
    }
}

/// Who takes the largest share of the workers' time.
pub(super) fn bottleneck(phases: &BTreeMap<String, f64>) -> Option<Bottleneck> {
    let sum = |names: &[&str]| -> f64 { names.iter().filter_map(|name| phases.get(*name)).sum() };
    let parts = [
        (Culprit::Source, sum(&["read"])),
        (Culprit::Cpu, sum(&["transform", "encode"])),
        (Culprit::Server, sum(&["send", "server", "commit"])),
        (Culprit::Pool, sum(&["wait"])),
    ];
    let total: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
    let (culprit, most) = parts.into_iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
    (most > 0.0).then(|| Bottleneck { culprit, share: most / total })
}

/// So many runs are compared with.
const RUNS_BEFORE: u32 = 5;

/// Compares a run that did the whole job with those before it, and keeps it for those after it.
pub(super) fn keep(
    context: &Context<'_>,
    name: &str,
    began: Instant,
    connection: &mut dyn Connection,
) -> Result<Option<Before>> {
    let Context { ledger, meter, run_id, .. } = context;
    let seconds = began.elapsed().as_secs_f64();
    let now = Kept { rows: meter.rows(), seconds, phases: meter.phases() };
    let before = ledger.receipts(connection, name, *run_id, RUNS_BEFORE)?;
    // What another version kept, and cannot be read here, is no run to compare with.
    let before: Vec<_> = before.iter().filter_map(|kept| Kept::read(kept)).collect();
    ledger.keep_receipt(connection, *run_id, &now.text())?;
    Ok(compare(&now, &before))
}

/// Compares a run with those before it; `None` if there are none, or it read nothing.
fn compare(now: &Kept, before: &[Kept]) -> Option<Before> {
    let by_row = |run: &Kept, seconds: f64| seconds / run.rows as f64;
    let before: Vec<_> = before.iter().filter(|run| run.rows > 0 && run.seconds > 0.0).collect();
    let median_of = |value: &dyn Fn(&Kept) -> f64| median(before.iter().map(|run| value(run)));
    let usual = median_of(&|run| by_row(run, run.seconds))?;
    if now.rows == 0 {
        return None;
    }
    let slower = by_row(now, now.seconds) / usual - 1.0;
    let growth = |name: &str, seconds: f64| {
        let usual = median_of(&|run| by_row(run, run.phases.get(name).copied().unwrap_or(0.0)));
        by_row(now, seconds) - usual.unwrap_or(0.0)
    };
    let grown = now.phases.iter().map(|(name, seconds)| (name, growth(name, *seconds)));
    let grown = grown.max_by(|one, other| one.1.total_cmp(&other.1));
    Some(Before {
        runs: before.len(),
        seconds: median_of(&|run| run.seconds)?,
        rows_per_second: median_of(&|run| run.rows as f64 / run.seconds)?,
        slower,
        grown: grown.filter(|(_, by)| slower > 0.0 && *by > 0.0).map(|(name, _)| name.clone()),
    })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// The largest resident size of this process so far: `VmHWM` of `proc(5)`.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(all: &[(&str, f64)]) -> BTreeMap<String, f64> {
        all.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect()
    }

    fn run(rows: u64, seconds: f64, all: &[(&str, f64)]) -> Kept {
        Kept { rows, seconds, phases: phases(all) }
    }

    /// exactly-once 11b
    #[test]
    fn the_bottleneck_is_who_takes_the_largest_share() {
        let found = |all: &[(&str, f64)]| {
            bottleneck(&phases(all)).map(|found| (found.culprit, (found.share * 100.0) as u32))
        };
        assert_eq!(found(&[]), None);
        let spent = [("read", 3.0), ("encode", 2.0), ("transform", 2.0), ("server", 1.0)];
        assert_eq!(found(&spent), Some((Culprit::Cpu, 50)));
        let spent = [("wait", 1.0), ("send", 2.0), ("server", 2.0), ("plan", 100.0)];
        assert_eq!(found(&spent), Some((Culprit::Server, 80)));
    }

    #[test]
    fn a_night_with_twice_the_rows_is_not_slower() {
        let before = [run(100, 1.0, &[]), run(100, 1.0, &[]), run(100, 9.0, &[])];
        let now = run(200, 2.0, &[("server", 2.0)]);
        let told = compare(&now, &before).unwrap();
        assert_eq!((told.runs, told.seconds, told.rows_per_second), (3, 1.0, 100.0));
        assert_eq!((told.slower, told.grown), (0.0, None));
    }

    /// exactly-once 11g
    #[test]
    fn a_slower_night_names_the_phase_that_grew() {
        let usual = [("server", 1.0), ("read", 3.0)];
        let before = [run(100, 4.0, &usual), run(50, 2.0, &[("server", 0.5), ("read", 1.5)])];
        let now = run(100, 6.0, &[("server", 2.9), ("read", 3.1)]);
        let told = compare(&now, &before).unwrap();
        assert_eq!((told.slower, told.grown.as_deref()), (0.5, Some("server")));
    }

    #[test]
    fn there_is_nothing_to_compare_with_at_first_and_where_nothing_was_read() {
        assert_eq!(compare(&run(1, 1.0, &[]), &[]), None);
        assert_eq!(compare(&run(1, 1.0, &[]), &[Kept::default()]), None);
        assert_eq!(compare(&Kept::default(), &[run(1, 1.0, &[])]), None);
    }

    #[test]
    fn what_is_kept_is_read_again_and_anything_else_is_passed_over() {
        let kept = run(7, 1.5, &[("server", 0.25)]);
        assert_eq!(Kept::read(&kept.text()), Some(kept));
        assert_eq!(Kept::read("not JSON"), None);
    }

    /// exactly-once 11e
    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_the_peak_of_memory() {
        assert!(peak_memory().is_some_and(|bytes| bytes > 1 << 20));
    }
}
