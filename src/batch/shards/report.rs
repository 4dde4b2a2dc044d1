//! What came of a job over shards, shard by shard.

use crate::batch::receipt::{Receipt, SlowBatch, bottleneck};
use crate::batch::report::{PoolReport, Report, Status};
use crate::batch::run::status_of;
use crate::batch::worker_count::choice::WorkerChoice;
use crate::error::{Error, ErrorKind};
use serde::Serialize;

/// What a run did on one shard; rows count from the first run of the job on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShardReport {
    /// The shard.
    pub shard: String,
    /// How it ended there.
    pub status: Status,
    /// Rows of the source that belong there, rejects included.
    pub read: u64,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows that the shard had already.
    pub unchanged: u64,
    /// Rows of the source that a closure left out, or another row with their key superseded.
    pub left_out: u64,
    /// Rows in its reject store.
    pub rejected: u64,
    /// Batches of the plan.
    pub batches: u64,
    /// How many of them are committed there; `None` if the shard could not be asked.
    pub batches_done: Option<u64>,
    /// Why it is not complete.
    pub error: Option<String>,
}

/// What came of one shard.
pub(super) struct Ended {
    pub(super) shard: String,
    pub(super) report: Report,
    pub(super) error: Option<Error>,
    pub(super) batches_done: Option<u64>,
}

impl Ended {
    fn told(&self) -> ShardReport {
        let Report { status, read, inserted, updated, unchanged, .. } = self.report;
        let Report { filtered, duplicates, rejected, batches, .. } = self.report;
        ShardReport {
            shard: self.shard.clone(),
            status,
            read,
            inserted,
            updated,
            unchanged,
            left_out: filtered + duplicates,
            rejected,
            batches,
            batches_done: self.batches_done,
            error: self.error.as_ref().map(ToString::to_string),
        }
    }

    /// What the shard lacks, and why, in a few words.
    fn lack(&self) -> String {
        let Self { shard, report, error, batches_done, .. } = self;
        let why = error.as_ref().map_or("", Error::message);
        let all = report.batches;
        match batches_done {
            Some(done) if *done < all => {
                format!("the shard {shard} lacks {} of {all} batches: {why}", all - done)
            }
            Some(_) if all > 0 => {
                format!("the shard {shard} has all batches and is not complete: {why}")
            }
            _ => format!("the shard {shard} is not complete: {why}"),
        }
    }
}

/// So many shards are named in an error.
const MOST: usize = 3;

/// Puts the reports of all shards together, and says what is missing where.
pub(super) fn put_together(ended: &[Ended], report: &mut Report) -> Option<Error> {
    let plan = ended.iter().map(|one| one.report.batches).max().unwrap_or_default();
    for one in ended {
        add(&one.report, report);
        let mut told = one.told();
        told.batches = plan;
        report.shards.push(told);
    }
    report.batches = plan * ended.len() as u64;
    report.receipt.bottleneck = bottleneck(&report.phases);
    let error = missing(ended);
    report.status = match &error {
        Some(error) => status_of(error),
        None if ended.iter().all(|one| one.report.status == Status::AlreadyComplete) => {
            Status::AlreadyComplete
        }
        None => Status::Complete,
    };
    error
}

/// The error of a run that is not complete everywhere: that of the shard where it is gravest.
fn missing(ended: &[Ended]) -> Option<Error> {
    let failed = || ended.iter().filter(|one| one.error.is_some());
    let gravest = failed().filter_map(|one| one.error.as_ref()).min_by_key(|e| rank(e.kind()))?;
    let count = failed().count();
    let mut lacks: Vec<_> = failed().take(MOST).map(Ended::lack).collect();
    if count > MOST {
        lacks.push(format!("and {} more", count - MOST));
    }
    let mut error = Error::new(gravest.kind(), lacks.join("; "))
        .with_hint(gravest.hint().unwrap_or("the same command does what is missing"));
    if let Some(state) = gravest.sqlstate() {
        error = error.with_sqlstate(state);
    }
    let place = (count == 1).then(|| gravest.place().clone());
    Some(error.locate(|of| *of = place.unwrap_or_default()))
}

/// The order of what counts for more: what no other run mends, then what the user has to do.
fn rank(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Internal | ErrorKind::Panic => 0,
        ErrorKind::RejectLimit | ErrorKind::Duplicate => 1,
        ErrorKind::Config | ErrorKind::Schema | ErrorKind::Unsupported | ErrorKind::Source => 2,
        ErrorKind::Stopped => 3,
        ErrorKind::AlreadyRunning => 4,
        ErrorKind::Shard => 6,
        _ => 5,
    }
}

fn add(one: &Report, all: &mut Report) {
    all.read += one.read;
    all.written += one.written;
    all.inserted += one.inserted;
    all.updated += one.updated;
    all.unchanged += one.unchanged;
    all.deleted += one.deleted;
    all.filtered += one.filtered;
    all.duplicates += one.duplicates;
    all.rejected += one.rejected;
    all.batches_reused += one.batches_reused;
    all.retries += one.retries;
    for (name, seconds) in &one.phases {
        *all.phases.entry(name.clone()).or_default() += seconds;
    }
    let PoolReport { peak_in_use, longest_wait_seconds } = one.pool;
    all.pool.peak_in_use += peak_in_use;
    all.pool.longest_wait_seconds = all.pool.longest_wait_seconds.max(longest_wait_seconds);
    add_receipt(&one.receipt, &mut all.receipt);
}

fn add_receipt(one: &Receipt, all: &mut Receipt) {
    for (name, seconds) in &one.stages {
        let longest = all.stages.entry(name.clone()).or_default();
        *longest = longest.max(*seconds);
    }
    let mut slowest: Vec<SlowBatch> = all.slowest.drain(..).chain(one.slowest.clone()).collect();
    slowest.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    slowest.truncate(3);
    all.slowest = slowest;
    all.peak_in_flight += one.peak_in_flight;
    if let Some(one) = &one.workers {
        let none = || WorkerChoice::of(0, 0, one.reason);
        let all = all.workers.get_or_insert_with(none);
        (all.count, all.most) = (all.count + one.count, all.most + one.most);
    }
    all.peak_memory_bytes = all.peak_memory_bytes.max(one.peak_memory_bytes);
}
