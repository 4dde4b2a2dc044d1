//! One execution: plan, load, merge, finish.

use super::budget::Budget;
use super::context::{Context, Failure, Lock, Meter};
use super::dispatcher;
use super::identity::{self, Identity};
use super::job::Declared;
use super::ledger::{JobRecord, Ledger, RunRecord};
use super::limits::Limits;
use super::observer::{Observer, PlanTotals};
use super::plan::Plan;
use super::report::{Report, Status};
use super::transaction::in_transaction;
use super::unit::{Phase, Unit};
use crate::backend::Connection;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::retry::Attempts;
use crate::sink::table::{StagePlace, TableSink};
use crate::sqlstate::SqlState;
use crate::stop::StopToken;
use crate::trace::{self, Span};
use crate::workers::Workers;
use std::time::{Duration, Instant};

/// What a run is started with.
pub(super) struct Start<'a> {
    pub(super) identity: &'a Identity,
    pub(super) declared: Declared,
    pub(super) limits: Limits,
    pub(super) engine: &'a Engine,
    pub(super) stop: &'a StopToken,
    pub(super) observer: &'a dyn Observer,
    pub(super) parallel: bool,
}

/// Runs a job. The report says what was done, also where there is an error.
pub(super) fn run(start: &Start<'_>) -> (Report, Option<Error>) {
    let began = Instant::now();
    let meter = Meter::default();
    let mut report = Report::new(&start.identity.name, start.identity.params.clone());
    let span = trace::run(&start.identity.name);
    let failed = span
        .in_scope(|| execute(start, &meter, &span, &mut report))
        .err()
        .map(|error| error.locate(|place| place.job = Some(start.identity.name.clone())));
    span.ended(None, failed.as_ref());
    if let Some(error) = &failed {
        report.status = status_of(error);
    }
    report.retries = meter.retries();
    report.phases = meter.phases();
    report.pool = meter.pool();
    report.seconds = began.elapsed().as_secs_f64();
    report.rows_per_second = meter.rows() as f64 / report.seconds.max(f64::EPSILON);
    (report, failed)
}

fn status_of(error: &Error) -> Status {
    match error.kind() {
        ErrorKind::AlreadyRunning => Status::AlreadyRunning,
        ErrorKind::RejectLimit => Status::RejectLimit,
        ErrorKind::Stopped => Status::Stopped,
        _ => Status::Failed,
    }
}

fn execute(start: &Start<'_>, meter: &Meter, span: &Span, report: &mut Report) -> Result<()> {
    let Start { engine, identity, .. } = *start;
    let mut connection = engine.get()?;
    // ORDER: the lock before the first write; a second start touches nothing.
    let Some(lock) = Lock::take(engine, identity.lock_key())? else {
        return Err(already_running(&mut *connection, identity));
    };
    let found = Ledger::find(&mut *connection)?;
    let known = match found {
        Some(ledger) => ledger.job(&mut *connection, identity)?.map(|job| (ledger, job)),
        None => None,
    };
    if let Some((ledger, job)) = known.as_ref().filter(|(_, job)| job.complete) {
        report.status = Status::AlreadyComplete;
        report.batches_reused = job.batches;
        return fill(report, ledger, &mut *connection, job);
    }
    let sink = TableSink::find(start.declared.target.clone(), &mut *connection)?;
    let (ledger, job) = match known {
        Some((ledger, job)) => (ledger, carry_on(start, job)?),
        None => {
            let began = Instant::now();
            // Nothing is held while the source is read from end to end.
            drop(connection);
            let plan = Plan::make(start)?;
            connection = engine.get()?;
            // ORDER: a job that is refused leaves nothing behind, not even a ledger.
            let ledger = Ledger::open(&mut *connection)?;
            let job = plan.record(start, &ledger, &sink, &mut *connection)?;
            meter.spent("plan", began);
            (ledger, job)
        }
    };
    let run_id = ledger.begin_run(&mut *connection, job.id)?;
    let counts = ledger.totals(&mut *connection, job.id)?;
    drop(connection);
    let context = Context {
        engine,
        feed: start.declared.feed.as_ref(),
        sink,
        ledger,
        place: StagePlace { job_id: job.id, buckets: job.buckets },
        run_id,
        empty: job.rows == 0,
        limits: start.limits,
        budget: Budget::new(start.limits.max_rejects.count(job.rows), counts.rejected),
        stop: start.stop,
        observer: start.observer,
        lock: &lock,
        meter,
        span,
        failure: Failure::default(),
    };
    let done = phases(start, &context, &job, report);
    end(&context, &job, report, done)
}

/// Does the first phase that has anything open, until none has.
///
/// A server that dies may forget its last commits, for they do not wait for its disk: what it
/// forgot is open again and is done again, before the next phase begins.
fn phases(
    start: &Start<'_>,
    context: &Context<'_>,
    job: &JobRecord,
    report: &mut Report,
) -> Result<()> {
    let workers = match start.parallel {
        true => {
            Some(Workers::new(context.limits.worker_count(context.engine.capacity() as usize))?)
        }
        false => None,
    };
    announce(context, job, report)?;
    let mut entered = None;
    while let Some((phase, open)) = first_open(context)? {
        if entered.replace(phase) != Some(phase) {
            context.observer.phase(phase.name());
        }
        if phase != Phase::Load && context.sink.is_staged() && !sealed(context, phase)? {
            continue;
        }
        match &workers {
            Some(workers) if phase != Phase::Finish => {
                dispatcher::parallel(context, workers, open)?;
            }
            _ => dispatcher::serial(context, open)?,
        }
    }
    Ok(())
}

fn first_open(context: &Context<'_>) -> Result<Option<(Phase, Vec<Unit>)>> {
    for phase in [Phase::Load, Phase::Merge, Phase::Finish] {
        let open = open_units(context, phase)?;
        if !open.is_empty() {
            return Ok(Some((phase, open)));
        }
    }
    Ok(None)
}

fn open_units(context: &Context<'_>, phase: Phase) -> Result<Vec<Unit>> {
    with_patience(context, |connection| {
        context.ledger.open_units(connection, context.place.job_id, phase)
    })
}

/// Makes the stage fit for merging; `false` if a batch is open again now.
///
/// ORDER: sealing waits for the server's disk, and all commits before it with it; only what is
/// done after that can be relied upon by a merge.
fn sealed(context: &Context<'_>, phase: Phase) -> Result<bool> {
    if phase == Phase::Finish && context.sink.merges_in_parallel() {
        return Ok(true);
    }
    let began = Instant::now();
    let sealed = with_patience(context, |connection| {
        in_transaction(connection, |connection| context.sink.seal(connection, context.place))
    });
    context.meter.spent("seal", began);
    match sealed {
        // The last transaction of a process that died may only now have dropped the stage.
        Err(error) if error.sqlstate() == Some(SqlState::UNDEFINED_TABLE) => {
            if first_open(context)?.is_some() { Err(error) } else { Ok(false) }
        }
        Err(error) => Err(error),
        Ok(()) => Ok(open_units(context, Phase::Load)?.is_empty()),
    }
}

fn announce(context: &Context<'_>, job: &JobRecord, report: &mut Report) -> Result<()> {
    let [batches, rows, bytes] = with_patience(context, |connection| {
        context.ledger.open_totals(connection, context.place.job_id)
    })?;
    report.batches = job.batches;
    report.batches_reused = job.batches - batches;
    context.observer.planned(&PlanTotals {
        batches: job.batches,
        rows: job.rows,
        bytes: job.bytes,
        done_batches: job.batches - batches,
        done_rows: job.rows - rows,
        done_bytes: job.bytes - bytes,
    });
    Ok(())
}

/// Runs `work` with a connection, again while the error may pass and patience lasts.
fn with_patience<T>(
    context: &Context<'_>,
    mut work: impl FnMut(&mut dyn Connection) -> Result<T>,
) -> Result<T> {
    let mut attempts = Attempts::new(context.limits.retry);
    loop {
        let done =
            context.connection(&mut attempts).and_then(|mut connection| work(&mut *connection));
        let error = match done {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        context.failed(&error);
        let Some(delay) = attempts.after(&error, Instant::now()) else { return Err(error) };
        context.waits_after(&error);
        context.pause(delay)?;
    }
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
    let mut record = |connection: &mut dyn Connection| {
        context.ledger.end_run(connection, context.run_id, word, cause.as_deref())?;
        fill(report, &context.ledger, connection, job)
    };
    let recorded = if done.is_ok() {
        with_patience(context, record)
    } else {
        context.engine.get_within(LAST_WORDS).and_then(|mut connection| record(&mut *connection))
    };
    report.status = status;
    // The error of the run counts for more than one of writing it down.
    done.and(recorded)
}

fn fill(
    report: &mut Report,
    ledger: &Ledger,
    connection: &mut dyn Connection,
    job: &JobRecord,
) -> Result<()> {
    let counts = ledger.totals(connection, job.id)?;
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
    Ok(())
}

fn already_running(connection: &mut dyn Connection, identity: &Identity) -> Error {
    let by = last_run(connection, identity).map_or(String::new(), |run| {
        let host = run.host.unwrap_or_else(|| "an unknown machine".to_owned());
        let process = run.pid.map_or(String::new(), |pid| format!(", process {pid}"));
        format!(" on {host}{process}, since {}", run.started_at)
    });
    Error::new(ErrorKind::AlreadyRunning, format!("the job is already running{by}"))
        .with_hint("rowmill status shows how far it is")
}

/// Who runs it; best effort, for a message.
fn last_run(connection: &mut dyn Connection, identity: &Identity) -> Option<RunRecord> {
    let ledger = Ledger::find(connection).ok()??;
    let job = ledger.job(connection, identity).ok()??;
    ledger.last_run(connection, job.id).ok()?.filter(|run| run.status == "running")
}

/// A job that stopped half-way is carried on only as what it was.
pub(super) fn carry_on(start: &Start<'_>, job: JobRecord) -> Result<JobRecord> {
    let Declared { feed, target } = &start.declared;
    if job.definition != identity::definition(feed.as_ref(), target) {
        return Err(Error::new(
            ErrorKind::Config,
            "the job was changed (source, target, columns, key or mode) after a run of it had begun",
        )
        .with_hint("finish it as it was, or give it another name or parameter"));
    }
    let found = feed.fingerprint()?;
    if found.0 != job.fingerprint {
        let message = format!(
            "the input changed after a run had begun: it was {}, it is {found}",
            job.fingerprint
        );
        return Err(Error::new(ErrorKind::Source, message)
            .with_hint("bring the old input back, or give the job another parameter")
            .locate(|place| place.file = Some(feed.describe())));
    }
    Ok(job)
}
