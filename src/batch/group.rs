//! Batches that follow each other and share a transaction, or one batch, of which nothing is thought to be
//! refused.
//!
//! It is tried, and nothing more: a row that is refused, a batch that somebody else has, an answer
//! that is lost, and whatever else comes in between ends the attempt, and each of the batches is
//! done alone, which knows what to do about it. So a group needs no rules of its own: in the ledger
//! its batches are what they would be without it. And it need not look at anything in between, so that
//! where its rows are few it is two messages to the server and two answers: BEGIN, the claim and the rows,
//! and then the marks and COMMIT.

use super::context::Context;
use super::ending::InFlight;
use super::ledger::{Counts, Mark};
use super::outcome::Outcome;
use super::patience::is_away;
use super::transaction;
use super::unit::{Phase, Unit};
use super::worker::Worker;
use crate::backend::Connection;
use crate::error::Result;
use crate::retry::Attempts;
use crate::sink::destination::Sink;
use crate::sink::table::{Stored, TableSink};
use crate::sink::together::Joined;
use crate::source::prepared::Prepared;
use crate::spent::{self, Step};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// One batch of a group.
struct Member {
    /// What is known of it before it is stored.
    counts: Counts,
    /// How long it took until its rows were packed.
    prepared_in: Duration,
}

/// The batches of a group, prepared.
struct Group<'a> {
    units: &'a [Unit],
    members: Vec<Member>,
    joined: Vec<Joined>,
}

impl Worker<'_> {
    /// Does batches that follow each other, in one transaction if that goes, or in several where their
    /// rows are larger than was thought.
    pub(super) fn done_together(&mut self, units: &[Unit]) {
        let mut left = units;
        while !left.is_empty() && !self.context.patience.halted() {
            let done = if self.are_tried(left) { self.group(left) } else { 0 };
            if done == 0 {
                return self.done_alone(left);
            }
            left = &left[done..];
        }
    }

    fn done_alone(&mut self, units: &[Unit]) {
        for unit in units {
            if !self.context.patience.halted() {
                self.done(*unit);
            }
        }
    }

    fn are_tried(&self, units: &[Unit]) -> bool {
        let [first, ..] = units else { return false };
        let Context { sink: Sink::Table(table), group_size, .. } = self.context else {
            return false;
        };
        first.phase == Phase::Load
            && group_size.is_tried()
            && table.takes_groups_now(self.context.key_range(&first.bounds).is_some())
    }

    /// How many of them are in: the first ones, as many as there was room for, or none.
    fn group(&mut self, units: &[Unit]) -> usize {
        let context = self.context;
        let Sink::Table(sink) = &context.sink else { return 0 };
        let began = Instant::now();
        let span = context.span.batch(Phase::Load.name(), units[0].number());
        let attempt = || catch_unwind(AssertUnwindSafe(|| self.attempt_group(sink, units)));
        let done = span.in_scope(attempt);
        let Ok(done) = done else {
            // The one whose closure panics says so when it is done alone.
            self.prepared = Prepared::new(context.sink.layout());
            span.ended(None, None);
            return 0;
        };
        span.ended(None, done.as_ref().err());
        match done {
            Ok(Some(members)) => {
                self.report_group(&units[..members.len()], &members, began.elapsed());
                return members.len();
            }
            Ok(None) => context.group_size.refused(),
            Err(error) => {
                context.patience.failed(&error);
                if error.is_transient() {
                    context.meter.retried();
                }
                if !is_away(&error) {
                    context.group_size.refused();
                }
            }
        }
        0
    }

    fn report_group(&self, units: &[Unit], members: &[Member], time: Duration) {
        let Context { meter, group_size, .. } = self.context;
        meter.worked(&spent::take());
        group_size.took(units.len(), self.prepared.rows.size_bytes() as u64, time);
        let prepared_in: Duration = members.iter().map(|member| member.prepared_in).sum();
        let shared = time.saturating_sub(prepared_in) / units.len() as u32;
        for (unit, &Member { counts, prepared_in }) in units.iter().zip(members) {
            let outcome = Outcome::Committed { counts, held_back: false, totals: None };
            self.report(unit, &outcome, prepared_in + shared);
        }
    }

    fn attempt_group(&mut self, sink: &TableSink, units: &[Unit]) -> Result<Option<Vec<Member>>> {
        // A unit that panicked has left something.
        spent::take();
        let prepared = spent::rest_on(Step::Encode, || self.prepare_group(sink, units))?;
        let Some(mut group) = prepared else { return Ok(None) };
        let mut attempts = Attempts::new(self.context.limits.retry);
        let done = self.on_connection(&mut attempts, |worker, connection, flight| {
            worker.transact_group(sink, connection, &mut group, flight)
        });
        if let Err(error) = &done
            && is_away(error)
        {
            attempts.failing_since(Instant::now());
            self.attempts = Some(attempts);
        }
        Ok(done?.then_some(group.members))
    }

    /// Prepares their rows, one batch behind the other, as long as there is room for one that is as large as
    /// the last; `None` if one of them cannot be, or has to be stored alone.
    fn prepare_group<'u>(
        &mut self,
        sink: &TableSink,
        units: &'u [Unit],
    ) -> Result<Option<Group<'u>>> {
        self.prepared.clear();
        self.prepared.wants_positions = false;
        let mut group = Group { units, members: Vec::new(), joined: Vec::new() };
        for unit in units {
            let before = self.prepared.rows.size_bytes();
            let Some((member, joined)) = self.prepare_member(sink, unit)? else { return Ok(None) };
            group.members.push(member);
            group.joined.push(joined);
            let bytes = self.prepared.rows.size_bytes();
            if !self.context.group_size.has_room(bytes + bytes.saturating_sub(before)) {
                break;
            }
        }
        group.units = &units[..group.members.len()];
        Ok(Some(group))
    }

    /// Prepares the rows of a batch behind those that are there; `None` as for all of them.
    fn prepare_member(
        &mut self,
        sink: &TableSink,
        unit: &Unit,
    ) -> Result<Option<(Member, Joined)>> {
        let Self { context, prepared, .. } = self;
        let began = Instant::now();
        let (read, filtered) = (prepared.read, prepared.filtered);
        let before = prepared.rows.len();
        context.feed.prepare(&unit.bounds, sink.layout(), prepared)?;
        // A feed that meets a bad row may begin anew, without what was there before.
        let own = before..prepared.rows.len();
        let read = prepared.read.checked_sub(read);
        let read = read.filter(|_| own.start <= own.end && prepared.refused.is_empty());
        let range = context.key_range(&unit.bounds);
        let joined = sink.join(unit.number(), &prepared.rows, own, range);
        let (Some(read), Some(joined)) = (read, joined) else { return Ok(None) };
        let filtered = prepared.filtered - filtered;
        let counts = Counts { read, filtered, ..Counts::default() };
        Ok(Some((Member { counts, prepared_in: began.elapsed() }, joined)))
    }

    /// One transaction; whether it is committed.
    fn transact_group(
        &self,
        sink: &TableSink,
        connection: &mut dyn Connection,
        group: &mut Group<'_>,
        flight: &InFlight<'_>,
    ) -> Result<bool> {
        let Context { ledger, place, run_id, .. } = self.context;
        let Group { units, members, joined } = group;
        let start = Instant::now();
        self.go_on()?;
        transaction::begin(connection, Phase::Load)?;
        // ORDER: first; it waits for older transactions of these batches that are still ending.
        ledger.claim_group(connection, place.job_id, units)?;
        let rows = (&self.prepared.rows, &self.prepared.indexes[..]);
        let Some(stored) = sink.store_together(connection, *place, rows, joined)? else {
            connection.rollback()?;
            return Ok(false);
        };
        self.go_on()?;
        let seconds = start.elapsed().as_secs_f64() / units.len() as f64;
        let mut marks = Vec::with_capacity(units.len());
        for (Member { counts, .. }, stored) in members.iter_mut().zip(stored) {
            let Stored { inserted, updated, unchanged, .. } = stored;
            *counts = Counts { inserted, updated, unchanged, ..*counts };
            marks.push(Mark { run_id: *run_id, seconds, counts: *counts });
        }
        // ORDER: the last statements; they fail if the transaction was aborted unnoticed.
        ledger.complete_group(connection, place.job_id, units, &marks)?;
        flight.commits();
        spent::on(Step::Commit, || connection.commit())?;
        Ok(true)
    }
}
