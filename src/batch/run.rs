//! One execution: plan, load, merge, finish.

use super::after_commit::follow_up;
use super::begin::{self, Begun, Look};
use super::change::OnChange;
use super::context::Context;
use super::dispatcher;
use super::ending::{Ending, EndingOptions};
use super::ends;
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
use super::unit::{Phase, Unit};
use super::worker_count::WorkerCount;
use crate::backend::Connection;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::sink::destination::Sink;
use crate::sink::table::StagePlace;
use crate::trace::{self, Span};
use crate::workers::Workers;
use parking_lot::Mutex;
use std::sync::OnceLock;
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
    let Receipt { workers, transactions, before, .. } = std::mem::take(&mut report.receipt);
    report.receipt = Receipt { workers, transactions, before, ..Receipt::of(&meter) };
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
    let many = start.engine.get()?.capabilities().concurrent_writers;
    let began = Instant::now();
    let patience = Patience {
        engine: start.engine,
        lock: Lock::of(start.engine, start.identity.lock_key(start.ledger), start.joins.is_some()),
        policy: start.limits.retry,
        ending,
        observer: start.observer,
        failure: Failure::default(),
    };
    let watch = Watch { began, meter, span };
    let go_on = |found| with_ends(start, &patience, found, &watch, report);
    let look = || begin::look_up(start, &patience);
    let Some(stateful) = start.declared.feed.stateful() else { return look().and_then(go_on) };
    let surroundings = ends::surroundings(start, ending);
    let source = || stateful.begin(&surroundings);
    let has_two = many && start.engine.capacity() > 1;
    let found = match start.parallel && has_two && start.part.is_none() {
        true => {
            // Opened while the lock is taken, which has one of its own; the source takes what is there.
            start.engine.pool().open_ahead(2);
            ends::side_by_side(source, || span.in_scope(look), &patience.failure)
        }
        false => source().and_then(|()| look()),
    };
    let done = found.and_then(go_on);
    stateful.end(done.is_ok());
    done
}

/// By what a run is measured.
struct Watch<'a> {
    began: Instant,
    meter: &'a Meter,
    span: &'a Span,
}

/// What was `found` is carried on, or planned and begun.
fn with_ends(
    start: &Start<'_>,
    patience: &Patience<'_>,
    found: Look,
    watch: &Watch<'_>,
    report: &mut Report,
) -> Result<()> {
    let Watch { began, meter, span } = *watch;
    let identity = start.identity;
    let (ledger, job, sink, own) = match begin::begin(start, patience, meter, found)? {
        Begun::Complete(ledger, job) => {
            report.status = Status::AlreadyComplete;
            report.batches_reused = job.batches;
            start.declared.target.tidy(&identity.short_hash());
            let totals =
                patience.with_connection(|connection| ledger.totals(connection, job.id))?;
            fill(report, totals, &job);
            return Ok(());
        }
        Begun::Open(ledger, job, sink) => (ledger, job, sink, None),
        Begun::Planned(ledger, job, sink, own) => (ledger, job, sink, Some(own)),
    };
    let run = match &own {
        Some(own) => own.run.clone(),
        None => members::begin_run(start, patience, &ledger, job.id)?,
    };
    let is_new = own.is_some() && start.joins.is_none();
    let (most, bytes) = most_together(start, &sink);
    let hint = |joins: Joins| joins.hint.unwrap_or(run.number as u64);
    let context = Context {
        patience,
        feed: start.declared.feed.as_ref(),
        sink,
        known_lineage: OnceLock::new(),
        ledger,
        place: StagePlace { job_id: job.id, buckets: job.buckets },
        run_id: run.id,
        limits: start.limits,
        forecast: Forecast::default(),
        group_size: GroupSize::new(bytes, most),
        worker_count: WorkerCount::of(start, patience, job.batches)?,
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
        spare: Mutex::default(),
    };
    let first = own.filter(|_| is_new).map(|own| open::planned(&context, &own.plan));
    let done = announce(&context, &job, is_new, report)
        .and_then(|()| phases(start, &context, &job, first.flatten()));
    report.receipt.workers = Some(context.worker_count.choice());
    report.receipt.transactions = Some(context.group_size.choice());
    if done.is_ok() && report.batches_reused == 0 && start.joins.is_none() {
        let name = &identity.name;
        report.receipt.before = patience
            .with_connection(|connection| receipt::keep(&context, name, began, connection))?;
    }
    if done.is_ok() {
        // ORDER: after the commit that completes the job.
        follow_up(&context);
        start.declared.target.tidy(&identity.short_hash());
    }
    end(&context, &job, report, done)
}

/// Rows that are staged or upserted are in memory a second time while they are sent, in the order of their
/// buckets or as arrays of their columns, with each worker; and a few batches together are nearly as good
/// as many.
const STAGED_BYTES: u64 = 256 << 10;

/// How many batches may share a transaction, and with how many bytes. Where several processes take from the
/// same batches, each takes one; where a batch is one for each of several shards, they agree on each: there is
/// a look at each then.
fn most_together(start: &Start<'_>, sink: &Sink) -> (usize, u64) {
    match sink {
        Sink::Table(table)
            if start.joins.is_none() && start.part.is_none() && table.takes_groups() =>
        {
            let bytes = start.limits.batch.bytes;
            let bytes = if table.is_staged() { bytes.min(STAGED_BYTES) } else { bytes };
            (start.limits.batches_a_transaction, bytes)
        }
        _ => (0, start.limits.batch.bytes),
    }
}

/// Does the first phase that has anything open, until none has; `planned` is what is open of a plan that
/// was just made.
///
/// A server that dies may forget its last commits, for they do not wait for its disk: what it
/// forgot is open again and is done again, before the next phase begins.
fn phases(
    start: &Start<'_>,
    context: &Context<'_>,
    job: &JobRecord,
    planned: Option<(Phase, Vec<Unit>)>,
) -> Result<()> {
    let workers = match start.parallel {
        true => Some(Workers::new(context.worker_count.most())?),
        false => None,
    };
    let (mut entered, mut idle) = (None, 0);
    let mut next = match planned {
        Some(planned) => Some(planned),
        None => open::first(context, job)?,
    };
    while let Some((phase, open)) = next {
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
        if phase == Phase::Finish && context.meter.settled() > settled {
            // Its commit waited for the disk, and all others with it: nothing can be open again, and a run
            // that is asked to stop by now has nothing left to stop.
            return Ok(());
        }
        done?;
        if context.meter.settled() == settled {
            // All that is open is in the hands of others.
            context.patience.pause(members::PAUSE * 2_u32.pow(idle))?;
            idle = (idle + 1).min(4);
        } else {
            idle = 0;
        }
        next = open::first(context, job)?;
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
