//! What a run does before its first batch: the lock, a look, the plan.

use super::change::{self, OnChange};
use super::ledger::{JobRecord, Ledger, RunRecord};
use super::members;
use super::meter::Meter;
use super::patience::Patience;
use super::plan::{Own, Plan};
use super::rights;
use super::run::Start;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::sink::destination::Sink;
use std::sync::Arc;
use std::time::Instant;

/// Where a run begins.
pub(super) enum Begun {
    /// An earlier run has done it all.
    Complete(Ledger, JobRecord),
    /// There is something to do, perhaps the rest of an earlier run.
    Open(Ledger, JobRecord, Sink),
    /// This run has planned it: all of it is to be done.
    Planned(Ledger, JobRecord, Sink, Own),
}

/// What is there of the job.
pub(super) enum Look {
    Complete(Ledger, JobRecord),
    Begun(Ledger, JobRecord, Sink),
    /// With the ledger, where there is one.
    New(Option<Ledger>, Sink),
}

/// Takes the lock of the job, and looks what is there. What is refused so far has changed nothing.
pub(super) fn look_up(start: &Start<'_>, patience: &Patience<'_>) -> Result<Look> {
    members::check(start, patience)?;
    patience
        .with_connection(|connection| look(start, connection))
        .map_err(|error| name_holder(start, error))
}

/// Plans what is not there yet of what was `found`. Each step can be done again: what it may have done
/// shows to the next.
pub(super) fn begin(
    start: &Start<'_>,
    patience: &Patience<'_>,
    meter: &Meter,
    found: Look,
) -> Result<Begun> {
    let look = || patience.with_connection(|connection| look(start, connection));
    match found {
        Look::New(..) if start.joins.is_some() => {
            members::plan_once(start, patience, look, |found| go_on(start, patience, meter, found))
        }
        found => go_on(start, patience, meter, found),
    }
}

/// Carries on with what there is of the job, or plans it.
fn go_on(start: &Start<'_>, patience: &Patience<'_>, meter: &Meter, found: Look) -> Result<Begun> {
    let (ledger, job, sink, own) = match found {
        Look::Complete(ledger, job) => {
            sweep(start, patience, &ledger, &job)?;
            return Ok(Begun::Complete(ledger, job));
        }
        Look::Begun(ledger, job, sink) => {
            let planned =
                || patience.with_connection(|connection| ledger.batches(connection, job.id));
            let mut change = change::find(start, &job, planned)?;
            if change.is_some() {
                patience.with_connection(|connection| match change.take() {
                    Some(error) => {
                        change::abandon(start, patience, (&ledger, &job), &sink, connection, error)
                    }
                    // The first attempt was cut off; what it did is looked at by the next run.
                    None => Err(Error::new(ErrorKind::Ledger, "the job could not be begun again")),
                })?;
                return go_on(start, patience, meter, Look::New(Some(ledger), sink));
            }
            if sink.is_staged() {
                patience.with_connection(|connection| ledger.ensure_seal(connection, job.id))?;
            }
            (ledger, job, sink, None)
        }
        Look::New(found, sink) => {
            let (ledger, job, own) = plan(start, patience, meter, found.as_ref(), &sink)?;
            (ledger, job, sink, own)
        }
    };
    if let Some(stateful) = start.declared.feed.stateful() {
        // Of the plan that holds, whoever made it.
        match own.as_ref().and_then(Own::memo) {
            Some(memo) => stateful.recall(memo, false)?,
            None => {
                let (memo, begun) =
                    patience.with_connection(|connection| ledger.memo(connection, job.id))?;
                stateful.recall(&memo, begun)?;
            }
        }
    }
    Ok(match own {
        Some(own) => Begun::Planned(ledger, job, sink, own),
        None => Begun::Open(ledger, job, sink),
    })
}

/// Plans a job that is not there yet.
fn plan(
    start: &Start<'_>,
    patience: &Patience<'_>,
    meter: &Meter,
    found: Option<&Ledger>,
    sink: &Sink,
) -> Result<(Ledger, JobRecord, Option<Own>)> {
    let began = Instant::now();
    let Start { declared, limits, observer, .. } = start;
    // Nothing is held while the source is read from end to end.
    let plan = match start.part {
        Some(part) => part.plan()?,
        None => {
            let feed = declared.feed.as_ref();
            Arc::new(Plan::make(feed, limits.batch, *observer, patience.ending)?)
        }
    };
    if start.parallel {
        // While the plan is recorded: each worker that gets something to do takes one.
        let workers = limits.worker_count(start.engine.capacity() as usize) as u64;
        start.engine.pool().open_ahead(plan.totals()[0].min(workers) as u32);
    }
    let mut tried = None;
    let planned = patience.with_connection(|connection| {
        // ORDER: a job that is refused leaves nothing behind, not even a ledger.
        let ledger = match found {
            Some(ledger) => ledger.clone(),
            None => Ledger::open(connection, start.ledger)?,
        };
        let (job, own) = plan.record(start, patience, (&ledger, sink), connection, &mut tried)?;
        Ok((ledger, job, own))
    })?;
    meter.spent("plan", began);
    meter.passed("plan", began);
    Ok(planned)
}

/// Takes away what the last run has left if it was killed right behind the end.
fn sweep(
    start: &Start<'_>,
    patience: &Patience<'_>,
    ledger: &Ledger,
    job: &JobRecord,
) -> Result<()> {
    let last = patience.with_connection(|connection| ledger.last_run(connection, job.id))?;
    patience.lock.sweep(last.iter().map(|run| members::key_of(start, run)));
    Ok(())
}

fn look(start: &Start<'_>, connection: &mut dyn Connection) -> Result<Look> {
    look_closely(start, connection)
        .map_err(|error| rights::explain(connection, error, start.ledger))
}

fn look_closely(start: &Start<'_>, connection: &mut dyn Connection) -> Result<Look> {
    let found = Ledger::find(connection, start.ledger)?;
    // One of an older version is brought up to this one before it is relied upon.
    let ledger = found.map(|ledger| ledger.brought_up(connection)).transpose()?;
    let job = match &ledger {
        Some(ledger) => ledger.job(connection, start.identity)?,
        None => None,
    };
    if let (Some(ledger), Some(job)) = (&ledger, &job)
        && job.complete
    {
        return Ok(Look::Complete(ledger.clone(), job.clone()));
    }
    let sink = find_sink(start, connection, job.is_none())?;
    if let Sink::Table(table) = &sink {
        rights::check(connection, start.ledger, ledger.as_ref(), table)?;
    }
    Ok(match (ledger, job) {
        (Some(ledger), Some(job)) => Look::Begun(ledger, job, sink),
        (ledger, _) => Look::New(ledger, sink),
    })
}

/// What the rows go into; `is_new` says that no run has begun the job.
fn find_sink(start: &Start<'_>, connection: &mut dyn Connection, is_new: bool) -> Result<Sink> {
    let keeps_refused = start.declared.feed.stateful().is_some();
    let found = start.declared.target.find(connection, start.identity.owner(), is_new)?;
    Ok(match found {
        Sink::Table(table) => {
            let table = table.staging_beside(start.ledger.clone()).keep_refused(keeps_refused);
            // What may have to begin again must not have left rows that would stay.
            let table = table.load_directly(start.on_change == OnChange::Refuse);
            Sink::Table(Box::new(table))
        }
        file @ Sink::File(_) => file,
    })
}

/// Says who has the lock, where that is why.
fn name_holder(start: &Start<'_>, error: Error) -> Error {
    if error.kind() != ErrorKind::AlreadyRunning {
        return error;
    }
    let named = start.engine.get();
    named.map_or(error, |mut connection| already_running(&mut *connection, start))
}

/// The error of a job that another process runs, with what is known of that one.
pub(super) fn already_running(connection: &mut dyn Connection, start: &Start<'_>) -> Error {
    let runs = living(connection, start).unwrap_or_default();
    let by = runs.first().map_or(String::new(), |run| {
        let host = run.host.as_deref().unwrap_or("an unknown machine");
        let process = run.pid.map_or(String::new(), |pid| format!(", process {pid}"));
        let others = match runs.len() - 1 {
            0 => String::new(),
            others => format!(", and by {others} more"),
        };
        format!(" on {host}{process}, since {}{others}", run.started_at)
    });
    Error::new(ErrorKind::AlreadyRunning, format!("the job is already running{by}"))
        .with_hint("rowmill status shows how far it is")
}

/// Who runs it; best effort, for a message.
fn living(connection: &mut dyn Connection, start: &Start<'_>) -> Option<Vec<RunRecord>> {
    let ledger = Ledger::find(connection, start.ledger).ok()??;
    let job = ledger.job(connection, start.identity).ok()??;
    let runs = ledger.running(connection, job.id).ok()?;
    let keys: Vec<_> = runs.iter().map(|run| members::key_of(start, run)).collect();
    let mut lives = start.engine.locked_jobs(&keys).ok()?.into_iter();
    Some(runs.into_iter().filter(|_| lives.next().unwrap_or(false)).collect())
}
