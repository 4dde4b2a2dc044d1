//! One execution: plan, load, merge, finish.

use super::begin::{self, Begun};
use super::change::OnChange;
use super::context::Context;
use super::dispatcher;
use super::ending::{Ending, EndingOptions};
use super::forecast::Forecast;
use super::group_size::GroupSize;
use super::identity::Identity;
use super::job::{Declared, Joins};
use super::ledger::{Counts, JobRecord, LedgerName};
use super::limits::{Limits, MaxRejects, RejectClass};
use super::lock::Lock;
use super::members;
use super::meter::Meter;
use super::observer::{Observer, PlanTotals};
use super::open;
use super::patience::{Failure, Patience};
use super::receipt::{self, Receipt};
use super::report::{Report, Share, Status};
use super::shards::Part;
use super::unit::Phase;
use super::worker_count::WorkerCount;
use crate::backend::Connection;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::sink::destination::Sink;
use crate::sink::table::StagePlace;
use crate::source::bounds::Bounds;
use crate::source::stateful::Surroundings;
use crate::trace::{self, Span};
use crate::workers::Workers;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What a run is started with.
pub(super) struct Start<'a> {
    pub(super) identity: &'a Identity,
    pub(super) ledger: &'a LedgerName,
    pub(super) declared: Declared,
    pub(super) limits: Limits,
    pub(super) class_limits: &'a [(RejectClass, MaxRejects)],
    pub(super) joins: Option<Joins>,
    pub(super) on_change: OnChange,
    pub(super) engine: &'a Engine,
    pub(super) ending: &'a EndingOptions,
    pub(super) observer: &'a dyn Observer,
    pub(super) parallel: bool,
    /// Which part of a job over shards it is.
    pub(super) part: Option<&'a Part<'a>>,
}

/// Runs a job. The report says what was done, also where there is an error.
pub(super) fn run(start: &Start<'_>) -> (Report, Option<Error>) {
    let began = Instant::now();
    let meter = Meter::default();
    let mut report = Report::new(&start.identity.name, start.identity.params.clone());
    let span = trace::run(&start.identity.name);
    let ending = Ending::of(start.ending);
    let failed = span
        .in_scope(|| {
            // Beside a thread that ends what is in flight when it is time to.
            ending.watched(|| execute(start, &ending, &meter, &span, &mut report))
        })
        .err()
        .map(|error| error.locate(|place| place.job = Some(start.identity.name.clone())));
    span.ended(None, failed.as_ref());
    if let Some(error) = &failed {
        report.status = status_of(error);
    }
    report.retries = meter.retries();
    report.phases = meter.phases();
    report.pool = meter.pool();
    let Receipt { workers, before, .. } = std::mem::take(&mut report.receipt);
    report.receipt = Receipt { workers, before, ..Receipt::of(&meter) };
    report.seconds = began.elapsed().as_secs_f64();
    report.rows_per_second = meter.rows() as f64 / report.seconds.max(f64::EPSILON);
    (report, failed)
}

pub(super) fn status_of(error: &Error) -> Status {
    match error.kind() {
        ErrorKind::AlreadyRunning => Status::AlreadyRunning,
        ErrorKind::RejectLimit => Status::RejectLimit,
        ErrorKind::Stopped => Status::Stopped,
        _ => Status::Failed,
    }
}

fn execute(
    start: &Start<'_>,
    ending: &Ending,
    meter: &Meter,
    span: &Span,
    report: &mut Report,
) -> Result<()> {
    // A server that is not there is told at once; one that goes away later is waited for.
    drop(start.engine.get()?);
    let Some(stateful) = start.declared.feed.stateful() else {
        return execute_with_source(start, ending, meter, span, report);
    };
    let done = stateful
        .begin(&surroundings(start, ending))
        .and_then(|()| execute_with_source(start, ending, meter, span, report));
    stateful.end(done.is_ok());
    done
}

/// What the source may need.
fn surroundings(start: &Start<'_>, ending: &Ending) -> Surroundings {
    let workers = match start.parallel {
        true => start.limits.worker_count(start.engine.capacity() as usize),
        false => 1,
    };
    let mut surroundings = Surroundings::new(Arc::new(start.engine.clone()), workers);
    surroundings.stop = ending.token();
    surroundings.identity = start.identity.hash();
    surroundings.shared = start.joins.is_some();
    surroundings.ordered = start.declared.target.is_ordered();
    surroundings
}

fn execute_with_source(
    start: &Start<'_>,
    ending: &Ending,
    meter: &Meter,
    span: &Span,
    report: &mut Report,
) -> Result<()> {
    let began = Instant::now();
    let Start { engine, identity, .. } = *start;
    let patience = Patience {
        engine,
        lock: Lock::of(engine, identity.lock_key(start.ledger), start.joins.is_some()),
        policy: start.limits.retry,
        ending,
        observer: start.observer,
        failure: Failure::default(),
    };
    let (ledger, job, sink, is_new) = match begin::begin(start, &patience, meter)? {
        Begun::Complete(ledger, job) => {
            report.status = Status::AlreadyComplete;
            report.batches_reused = job.batches;
            start.declared.target.tidy(&identity.short_hash());
            let totals =
                patience.with_connection(|connection| ledger.totals(connection, job.id))?;
            fill(report, totals, &job);
            return Ok(());
        }
        Begun::Open(ledger, job, sink) => (ledger, job, sink, false),
        Begun::Planned(ledger, job, sink) => (ledger, job, sink, true),
    };
    let run = members::begin_run(start, &patience, &ledger, job.id)?;
    let (most, bytes) = most_together(start, &sink);
    let group_size = GroupSize::new(bytes, most);
    let hint = |joins: Joins| joins.hint.unwrap_or(run.number as u64);
    let context = Context {
        patience: &patience,
        feed: start.declared.feed.as_ref(),
        sink,
        known_lineage: OnceLock::new(),
        ledger,
        place: StagePlace { job_id: job.id, buckets: job.buckets },
        run_id: run.id,
        limits: start.limits,
        forecast: Forecast::default(),
        group_size,
        worker_count: WorkerCount::of(start, &patience, job.batches)?,
        max_rejects: start.limits.max_rejects.count(job.rows),
        class_limits: start
            .class_limits
            .iter()
            .map(|(class, limit)| (class.clone(), limit.count(job.rows)))
            .collect(),
        joins_at: start.joins.map(|joins| members::place_of(hint(joins))),
        meter,
        span,
        part: start.part,
    };
    let done =
        announce(&context, &job, is_new, report).and_then(|()| phases(start, &context, &job));
    report.receipt.workers = Some(context.worker_count.choice());
    if done.is_ok() && report.batches_reused == 0 && start.joins.is_none() {
        let name = &identity.name;
        report.receipt.before = patience
            .with_connection(|connection| receipt::keep(&context, name, began, connection))?;
    }
    if done.is_ok() {
        tell_of_indexes(&context);
        // ORDER: after the commit that completes the job.
        start.declared.target.tidy(&identity.short_hash());
    }
    end(&context, &job, report, done)
}

/// Tells that indexes were not rebuilt, where they were to be.
fn tell_of_indexes(context: &Context<'_>) {
    if let Sink::Table(table) = &context.sink
        && let Some(why) = table.kept_indexes()
    {
        context.patience.observer.indexes_kept(why);
    }
}

/// The rows of an upsert are in memory a second time while they are sent, as arrays of their columns, with
/// each worker; and a few batches together are nearly as good as many.
const UPSERTED_BYTES: u64 = 256 << 10;

/// How many batches may share a transaction, and with how many bytes. Where several processes take from the
/// same batches, each takes one; where a batch is one for each of several shards, they agree on each.
fn most_together(start: &Start<'_>, sink: &Sink) -> (usize, u64) {
    let first = Bounds::of_rows(0, 1, 0);
    // Where one batch is a range of a key, all are.
    let range = start.declared.feed.stateful().and_then(|feed| feed.key_range(&first));
    match sink {
        Sink::Table(table)
            if start.joins.is_none()
                && start.part.is_none()
                && table.takes_groups(range.is_some()) =>
        {
            let bytes = start.limits.batch.bytes;
            let bytes = if table.is_staged() { bytes.min(UPSERTED_BYTES) } else { bytes };
            (start.limits.batches_a_transaction, bytes)
        }
        _ => (1, start.limits.batch.bytes),
    }
}

/// Does the first phase that has anything open, until none has.
///
/// A server that dies may forget its last commits, for they do not wait for its disk: what it
/// forgot is open again and is done again, before the next phase begins.
fn phases(start: &Start<'_>, context: &Context<'_>, job: &JobRecord) -> Result<()> {
    let workers = match start.parallel {
        true => Some(Workers::new(context.worker_count.most())?),
        false => None,
    };
    let (mut entered, mut idle) = (None, 0);
    while let Some((phase, open)) = open::first(context, job)? {
        let name = context.announced(phase);
        if entered.replace(name) != Some(name) {
            context.patience.observer.phase(name);
        }
        foresee(context, phase, name, open.len() as u64)?;
        let (settled, began) = (context.meter.settled(), Instant::now());
        let done = match &workers {
            Some(workers) if matches!(phase, Phase::Load | Phase::Merge) => {
                dispatcher::parallel(context, workers, open)
            }
            _ => dispatcher::serial(context, &open),
        };
        context.meter.passed(phase.name(), began);
        done?;
        if phase == Phase::Finish && context.meter.settled() > settled {
            // Its commit waited for the disk, and all others with it: nothing can be open again.
            return Ok(());
        }
        if context.meter.settled() == settled {
            // All that is open is in the hands of others.
            context.patience.pause(members::PAUSE * 2_u32.pow(idle))?;
            idle = (idle + 1).min(4);
        } else {
            idle = 0;
        }
    }
    Ok(())
}

/// Tells the forecast how much of a phase is left.
fn foresee(context: &Context<'_>, phase: Phase, name: &'static str, open: u64) -> Result<()> {
    let Some((_, now)) = context.patience.ending.deadline() else { return Ok(()) };
    let left = match phase {
        Phase::Load => {
            let job_id = context.place.job_id;
            let open =
                |connection: &mut dyn Connection| context.ledger.open_totals(connection, job_id);
            context.patience.with_connection(open)?[2]
        }
        _ => open,
    };
    context.forecast.left(name, left, now);
    Ok(())
}

/// Tells what there is to do; `is_new` says that all of it is.
fn announce(
    context: &Context<'_>,
    job: &JobRecord,
    is_new: bool,
    report: &mut Report,
) -> Result<()> {
    let [batches, rows, bytes] = match is_new {
        true => [job.batches, job.rows, job.bytes],
        false => context.patience.with_connection(|connection| {
            context.ledger.open_totals(connection, context.place.job_id)
        })?,
    };
    report.batches = job.batches;
    report.batches_reused = job.batches - batches;
    context.patience.observer.planned(&PlanTotals {
        batches: job.batches,
        rows: job.rows,
        bytes: job.bytes,
        done_batches: job.batches - batches,
        done_rows: job.rows - rows,
        done_bytes: job.bytes - bytes,
    });
    Ok(())
}

/// How long a run that failed waits for a connection to say so in the ledger.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Records how the run ended, as far as the server can still be told.
fn end(
    context: &Context<'_>,
    job: &JobRecord,
    report: &mut Report,
    done: Result<()>,
) -> Result<()> {
    let status = match &done {
        Ok(()) => Status::Complete,
        Err(error) => status_of(error),
    };
    let word = match status {
        Status::Complete => "complete",
        Status::Stopped => "stopped",
        _ => "failed",
    };
    let cause = done.as_ref().err().map(ToString::to_string);
    if let Some(totals) =
        context.meter.finished().filter(|_| done.is_ok() && context.joins_at.is_none())
    {
        // It has said so, and what came of it, in the transaction of its end.
        fill(report, totals, job);
        report.status = status;
        return done;
    }
    let mut record = |connection: &mut dyn Connection| {
        context.ledger.end_run(connection, context.run_id, word, cause.as_deref())?;
        if context.joins_at.is_some() {
            let share = context.ledger.share(connection, job.id, context.run_id)?;
            report.share = Some(share_of(share));
        }
        fill(report, context.ledger.totals(connection, job.id)?, job);
        Ok(())
    };
    let recorded = if done.is_ok() {
        context.patience.with_connection(record)
    } else {
        context
            .patience
            .engine
            .get_within(LAST_WORDS)
            .and_then(|mut connection| record(&mut *connection))
    };
    report.status = status;
    // The error of the run counts for more than one of writing it down.
    done.and(recorded)
}

fn share_of((batches, counts): (u64, Counts)) -> Share {
    let Counts { read, inserted, updated, unchanged, deleted, rejected, .. } = counts;
    Share { batches, read, inserted, updated, unchanged, deleted, rejected }
}

fn fill(report: &mut Report, counts: Counts, job: &JobRecord) {
    report.batches = job.batches;
    report.read = counts.read;
    report.inserted = counts.inserted;
    report.updated = counts.updated;
    report.written = counts.inserted + counts.updated;
    report.unchanged = counts.unchanged;
    report.deleted = counts.deleted;
    report.filtered = counts.filtered;
    report.duplicates = counts.duplicates;
    report.rejected = counts.rejected;
}
