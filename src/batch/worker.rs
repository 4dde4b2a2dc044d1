//! How a unit is done.

use super::context::Context;
use super::ending::InFlight;
use super::ledger::{Claim, Counts, Mark, Meeting};
use super::observer::BatchDone;
use super::outcome::Outcome;
use super::receipt::SlowBatch;
use super::refused::{Refused, hides_keys};
use super::transaction;
use super::unit::{Phase, Unit};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::retry::Attempts;
use crate::sink::destination::Sink;
use crate::sink::file::sink::Written;
use crate::sink::portion::Portion;
use crate::sink::table::Stored;
use crate::source::prepared::Prepared;
use crate::source::stateful::Stateful;
use crate::spent::{self, Step};
use crate::stop::Stop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Does units, one after the other, and keeps its memory between them.
pub(super) struct Worker<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) prepared: Prepared,
    /// What was written to files for the unit, before its transaction.
    written: Written,
    /// Whether rows of the last batch were refused: then those of the next one may be, too.
    met_rejects: bool,
    /// What is left of the patience with a server that was away when the unit was tried with others.
    pub(super) attempts: Option<Attempts>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        let spare = context.spare.lock().pop();
        let prepared = spare.unwrap_or_else(|| Prepared::new(context.sink.layout()));
        Self { context, prepared, written: Written::Nothing, met_rejects: false, attempts: None }
    }

    /// Leaves its memory to one who comes later.
    pub(super) fn leave(self) {
        self.context.spare.lock().push(self.prepared);
    }

    /// Does a unit; an error or a panic ends the run.
    pub(super) fn done(&mut self, unit: Unit) {
        let span = self.context.span.batch(unit.phase.name(), unit.number());
        let caught = span.in_scope(|| catch_unwind(AssertUnwindSafe(|| self.do_unit(&unit))));
        let done = caught.unwrap_or_else(|_| {
            // What the panic said may hold values of a row; the panic hook has shown it already.
            self.prepared = Prepared::new(self.context.sink.layout());
            Err(Error::new(ErrorKind::Panic, "a closure or a worker panicked"))
        });
        span.ended(None, done.as_ref().err());
        if let Err(error) = done {
            self.context.forget_rejects(&unit, &error);
            let number = u64::from(unit.number());
            self.context.patience.failure.set(error.locate(|place| {
                if unit.phase == Phase::Load {
                    place.batch = Some(number);
                }
            }));
        }
    }

    fn do_unit(&mut self, unit: &Unit) -> Result<()> {
        let context = self.context;
        let began = Instant::now();
        // A unit that panicked has left something.
        spent::take();
        self.prepared.clear();
        self.prepared.wants_positions = self.met_rejects;
        let mut meeting = Meeting::Wait;
        if context.joins_at.is_some() {
            meeting = Meeting::PassOver;
            // ORDER: before the work on it; nobody holds it yet, so that two may still prepare it.
            if !self.is_free(unit)? {
                return Ok(());
            }
        }
        match unit.phase {
            Phase::Load => spent::rest_on(Step::Encode, || self.prepare(unit))?,
            Phase::Finish => context.feed.stateful().map_or(Ok(()), Stateful::settle)?,
            Phase::Seal | Phase::Merge => (),
        }
        self.write(unit)?;
        let new = || Attempts::new(context.limits.retry);
        let mut attempts = self.attempts.take().unwrap_or_else(new);
        loop {
            let error = match self.attempt(unit, meeting, &mut attempts) {
                Ok(Outcome::LacksPositions) => {
                    self.prepared.wants_positions = true;
                    spent::rest_on(Step::Encode, || self.prepare(unit))?;
                    continue;
                }
                Ok(outcome) => {
                    context.meter.worked(&spent::take());
                    let time = began.elapsed();
                    if let (Phase::Load, Outcome::Committed { counts, .. }) = (unit.phase, &outcome)
                    {
                        self.note_rejects(counts.rejected, time);
                    }
                    self.report(unit, &outcome, time);
                    return Ok(());
                }
                Err(error) => error,
            };
            // What this run itself may have left behind is waited for.
            meeting = Meeting::Wait;
            context.patience.failed(&error);
            let Some(delay) = attempts.after(&error, Instant::now()) else { return Err(error) };
            context.meter.retried();
            context.patience.waits_after(&error);
            context.patience.pause(delay)?;
        }
    }

    /// Notes what the batches to come may be like, by the one that is done.
    fn note_rejects(&mut self, rejected: u64, time: Duration) {
        self.met_rejects = rejected > 0;
        let group_size = &self.context.group_size;
        match self.met_rejects {
            true => group_size.refused(),
            false => group_size.took(1, self.prepared.rows.size_bytes() as u64, time),
        }
    }

    /// Prepares the rows of a batch, again while what the source says may pass.
    fn prepare(&mut self, unit: &Unit) -> Result<()> {
        let context = self.context;
        let mut attempts = Attempts::new(context.limits.retry);
        loop {
            self.prepared.clear();
            let layout = context.sink.layout();
            let Err(error) = context.feed.prepare(&unit.bounds, layout, &mut self.prepared) else {
                return Ok(());
            };
            let Some(delay) = attempts.after(&error, Instant::now()) else { return Err(error) };
            context.meter.retried();
            context.patience.waits_after(&error);
            context.patience.pause(delay)?;
        }
    }

    /// Whether a unit is open and nobody works on it; one that is done is settled.
    fn is_free(&self, unit: &Unit) -> Result<bool> {
        let Context { patience, ledger, place, meter, .. } = self.context;
        let claim = patience.with_connection(|connection| {
            ledger.claim(connection, place.job_id, unit, Meeting::PassOver)
        })?;
        if claim == Claim::Done {
            meter.settle();
        }
        Ok(claim == Claim::Taken)
    }

    /// Brings to the disk what the transaction of the unit gives its name; no connection is held.
    fn write(&mut self, unit: &Unit) -> Result<()> {
        self.written = Written::Nothing;
        let Context { sink: Sink::File(file), patience, .. } = self.context else { return Ok(()) };
        let written = spent::on(Step::Send, || match unit.phase {
            Phase::Load => {
                let Prepared { rows, indexes, .. } = &self.prepared;
                file.write(unit.number(), rows, indexes)
            }
            Phase::Seal | Phase::Merge => Ok(Written::Nothing),
            Phase::Finish => {
                let job_id = self.context.place.job_id;
                let parts =
                    patience.with_connection(|connection| file.recorded(connection, job_id))?;
                file.assemble(&parts, &|| self.go_on())
            }
        });
        self.written = written?;
        Ok(())
    }

    /// One transaction.
    fn attempt(
        &mut self,
        unit: &Unit,
        meeting: Meeting,
        attempts: &mut Attempts,
    ) -> Result<Outcome> {
        self.on_connection(attempts, |worker, connection, flight| {
            worker.transact(connection, unit, meeting, flight)
        })
    }

    /// Does `work`, which is one transaction, with a connection.
    pub(super) fn on_connection<T>(
        &mut self,
        attempts: &mut Attempts,
        work: impl FnOnce(&mut Self, &mut dyn Connection, &InFlight<'_>) -> Result<T>,
    ) -> Result<T> {
        let context = self.context;
        let start = Instant::now();
        let mut connection = context.patience.connection(attempts)?;
        context.meter.taken(start.elapsed());
        spent::note(Step::Wait, start.elapsed());
        let flight = context.patience.ending.enter(connection.interrupt());
        let done = spent::rest_on(Step::Server, || work(self, &mut *connection, &flight));
        if done.is_err() {
            // The first error is the one to show; a failed rollback discards the connection.
            let _ = connection.rollback();
        }
        // ORDER: before the connection goes to somebody else, whom nobody must interrupt.
        drop(flight);
        drop(connection);
        context.meter.given_back();
        done
    }

    fn transact(
        &mut self,
        connection: &mut dyn Connection,
        unit: &Unit,
        meeting: Meeting,
        flight: &InFlight<'_>,
    ) -> Result<Outcome> {
        let context = self.context;
        let start = Instant::now();
        self.go_on()?;
        transaction::begin(connection, unit.phase)?;
        if let Some(outcome) = self.stands_in_the_way(connection, unit, meeting)? {
            connection.rollback()?;
            return Ok(outcome);
        }
        context.hold_map(connection)?;
        let mut totals = None;
        if unit.phase == Phase::Finish {
            totals = Some(context.ledger.totals(connection, context.place.job_id)?);
        }
        let stored = self.store(connection, unit, totals)?;
        if self.prepared.lacks_positions && !stored.refused.is_empty() {
            connection.rollback()?;
            return Ok(Outcome::LacksPositions);
        }
        let held_back = stored.held_back;
        let mut counts = self.counts(&stored);
        let refused = Refused { context, unit, prepared: &self.prepared };
        let rejects = refused.records(connection, stored.refused)?;
        counts.rejected = rejects.len() as u64;
        context.ledger.write_rejects(connection, context.place.job_id, context.run_id, &rejects)?;
        if let Some(totals) = &mut totals {
            *totals += counts;
            if totals.rejected > 0 && context.lineage(connection)?.refers() {
                context.ledger.link_all_rejects(connection, context.place.job_id)?;
            }
            self.close(connection, *totals)?;
        }
        self.go_on()?;
        context.limit_rejects(connection, unit, &rejects)?;
        let seconds = start.elapsed().as_secs_f64();
        let mark = Mark { run_id: context.run_id, seconds, counts };
        // ORDER: the last statement; it fails if the transaction was aborted unnoticed.
        context.ledger.complete(connection, context.place.job_id, unit, &mark)?;
        flight.commits();
        spent::on(Step::Commit, || connection.commit())?;
        Ok(Outcome::Committed { counts, held_back, totals })
    }

    /// Fails if what is in flight is to be rolled back.
    pub(super) fn go_on(&self) -> Result<()> {
        match self.context.patience.ending.asked() {
            Stop::Now => Err(self.context.patience.ending.stopped()),
            Stop::No | Stop::Drain => Ok(()),
        }
    }

    /// Claims the unit, and says what it would be in vain to do it for.
    fn stands_in_the_way(
        &self,
        connection: &mut dyn Connection,
        unit: &Unit,
        meeting: Meeting,
    ) -> Result<Option<Outcome>> {
        let Context { ledger, place, .. } = self.context;
        // ORDER: first; it waits for an older transaction of this unit that is still ending.
        match ledger.claim(connection, place.job_id, unit, meeting)? {
            Claim::Done => return Ok(Some(Outcome::AlreadyDone)),
            Claim::Busy => return Ok(Some(Outcome::PassedOver)),
            Claim::Taken => {}
        }
        let is_early = match unit.phase {
            Phase::Seal => ledger.open_before_seal(connection, place.job_id)?,
            Phase::Finish => ledger.open_before_finish(connection, place.job_id)?,
            Phase::Load | Phase::Merge => false,
        };
        Ok(is_early.then_some(Outcome::TooEarly))
    }

    fn store(
        &mut self,
        connection: &mut dyn Connection,
        unit: &Unit,
        totals: Option<Counts>,
    ) -> Result<Stored> {
        let Context { sink, place, .. } = self.context;
        let sink = match sink {
            Sink::Table(table) => table,
            Sink::File(file) => {
                let (job_id, written) = (place.job_id, &mut self.written);
                return match unit.phase {
                    Phase::Load => file.store(connection, job_id, unit.number(), written),
                    Phase::Seal | Phase::Merge => Ok(Stored::default()),
                    Phase::Finish => file.publish(connection, job_id, written),
                };
            }
        };
        match unit.phase {
            Phase::Load => {
                let portion = Portion {
                    rows: &self.prepared.rows,
                    indexes: &self.prepared.indexes,
                    named_keys: &self.prepared.named_keys,
                    named_indexes: &self.prepared.named_indexes,
                    hides_keys: hides_keys(self.context.sink.layout(), &self.prepared),
                    key_range: self.context.key_range(&unit.bounds),
                };
                sink.store(connection, *place, unit.number(), portion)
            }
            Phase::Seal => self.seal(connection, sink),
            Phase::Merge => sink.merge(connection, *place, unit.number()),
            Phase::Finish => {
                // What was read counts, not what was planned: that may be an estimate.
                let empty = totals.is_none_or(|totals| totals.read == 0);
                sink.finish(connection, *place, empty)
            }
        }
    }

    fn counts(&self, stored: &Stored) -> Counts {
        Counts {
            read: self.prepared.read,
            filtered: self.prepared.filtered,
            inserted: stored.inserted,
            updated: stored.updated,
            unchanged: stored.unchanged,
            deleted: stored.deleted,
            duplicates: stored.duplicates,
            rejected: 0,
        }
    }

    pub(super) fn report(&self, unit: &Unit, outcome: &Outcome, time: Duration) {
        let Context { meter, patience, .. } = self.context;
        let observer = patience.observer;
        let counts = match outcome {
            Outcome::Committed { counts, held_back, totals } => {
                if *held_back {
                    observer.held_back();
                }
                if let Some(totals) = totals {
                    meter.finish(*totals);
                }
                *counts
            }
            Outcome::AlreadyDone => Counts::default(),
            Outcome::TooEarly | Outcome::PassedOver | Outcome::LacksPositions => return,
        };
        meter.settle();
        meter.read(counts.read);
        meter.done(SlowBatch {
            phase: unit.phase.name(),
            number: unit.number(),
            first_row: unit.bounds.first_row,
            rows: unit.bounds.rows,
            seconds: time.as_secs_f64(),
        });
        if unit.phase == Phase::Load {
            observer.batch_done(&BatchDone {
                rows: unit.bounds.rows,
                bytes: unit.bytes(),
                rejected: counts.rejected,
                time,
            });
        } else if counts.rejected > 0 {
            observer.rejected(counts.rejected);
        }
        self.context.foresee(unit);
    }
}
