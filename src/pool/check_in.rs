//! What happens to a connection that comes back.

use super::budget::Member;
use super::events::{CloseReason, PoolEvent};
use super::failure::contained;
use super::hooks::{Hooked, Returning};
use super::ledger::{Loan, Parked, Seat};
use super::link::Link;
use super::shared::Shared;
use super::slot::Taken;
use super::voice::Voice;
use crate::backend::Connection;
use crate::backend::leftovers::Leftovers;
use crate::config::ResetPolicy;
use crate::error::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Instant;

/// A connection that comes back; none if it was given up before.
pub(super) struct Return {
    pub(super) link: Option<Box<Link>>,
    pub(super) slot: Taken,
    pub(super) seat: Seat,
}

impl Shared {
    /// Keeps a connection that comes back, or closes it. Where it sleeps, the loan's part of the pool sleeps
    /// with it.
    pub(super) fn check_in(self: Arc<Self>, returned: Return) {
        let Return { link, mut slot, seat } = returned;
        let Some(mut link) = link else {
            drop(slot);
            return self.left(seat, None);
        };
        let now = self.moment();
        let reason = self.reason_to_close(&mut link, seat, now);
        let connection = link.id();
        (link.used, link.alive) = (now, now);
        if self.is_heard() {
            self.tell_check_in(connection, seat, now);
        }
        if let Some(reason) = reason {
            self.close(link, reason);
            // ORDER: the slot before the seat, so that whoever gets the seat finds a slot.
            drop(slot);
            return self.left(seat, Some(connection));
        }
        slot.link = Some(link);
        if self.hooks.budget.is_some() {
            return self.keep_within_budget(slot, seat, connection, now);
        }
        self.keep(slot, seat, connection, now);
    }

    #[inline]
    fn keep(self: Arc<Self>, mut slot: Taken, seat: Seat, connection: u64, now: Instant) {
        let voice = self.is_heard().then(|| Arc::clone(&self.voice));
        let ledger = self.ledger;
        slot.home = Some(self);
        match ledger.park(seat, slot, now) {
            Parked::Kept(late) => {
                if let Some(voice) = voice {
                    tell_late_return(&voice, late.as_deref(), connection, now);
                }
            }
            Parked::Surplus(slot) => surplus(slot, seat, connection),
        }
    }

    /// Those of the pool who have a seat and wait for the budget come first: they are here for longer
    /// than those who wait for a seat.
    #[cold]
    fn keep_within_budget(self: Arc<Self>, slot: Taken, seat: Seat, connection: u64, now: Instant) {
        match self.hand_over(slot) {
            None => self.left(seat, Some(connection)),
            Some(slot) => {
                Arc::clone(&self).keep(slot, seat, connection, now);
                self.make_way();
            }
        }
    }

    /// Gives a connection to one of this pool who waits for the budget; it comes back where nobody does.
    fn hand_over(&self, slot: Taken) -> Option<Taken> {
        match &self.hooks.budget {
            Some(budget) if self.ledger.lends_again() => budget.hand_over(self.id, slot),
            _ => Some(slot),
        }
    }

    /// Closes one that sleeps, if another pool of the budget came into the line while it fell asleep: it
    /// found none that slept yet.
    pub(super) fn make_way(&self) {
        if self.hooks.budget.as_ref().is_some_and(|budget| budget.is_wanted(self.id, false)) {
            self.close_one_idle();
        }
    }

    /// The last step of a return: the seat is given back.
    fn left(&self, seat: Seat, connection: Option<u64>) {
        let late = self.ledger.release(seat);
        if let Some(connection) = connection {
            tell_late_return(&self.voice, late.as_deref(), connection, self.hooks.clock.now());
        }
    }

    fn tell_check_in(&self, connection: u64, seat: Seat, now: Instant) {
        if let Some((label, since)) = self.ledger.loan_of(seat) {
            let used = now.saturating_duration_since(since);
            self.emit(&PoolEvent::CheckIn { connection, label: label.as_deref(), used });
        }
    }

    /// Why a connection that comes back is not kept; cleans it if there is no reason.
    fn reason_to_close(&self, link: &mut Link, seat: Seat, now: Instant) -> Option<CloseReason> {
        if std::thread::panicking() {
            return Some(CloseReason::Panicked);
        }
        if link.lost.is_some() {
            self.tell_lost(link);
            return Some(CloseReason::Broken);
        }
        if link.connection.is_broken() {
            return Some(CloseReason::Broken);
        }
        if link.is_outdated() {
            return Some(CloseReason::Invalidated);
        }
        if link.is_expired(now) {
            return Some(CloseReason::Recycled);
        }
        if let Some(budget) = &self.hooks.budget
            && budget.is_wanted(self.id, self.ledger.stats().waiting > 0)
        {
            return Some(CloseReason::Budget);
        }
        let error = self.clean(link, seat, now, false).err()?;
        link.regard(&error);
        if link.lost.is_none() {
            return Some(CloseReason::Unclean);
        }
        self.tell_lost(link);
        Some(CloseReason::Broken)
    }

    fn tell_lost(&self, link: &mut Link) {
        self.mourn(link);
        let (connection, cause) = (link.id(), link.lost.as_ref());
        self.emit(&PoolEvent::Invalidate { connection, cause });
    }

    /// Makes a connection what it was when it was opened.
    pub(super) fn clean(
        &self,
        link: &mut Link,
        seat: Seat,
        now: Instant,
        is_leaving: bool,
    ) -> Result<()> {
        let cleaned = contained("a reset", || self.reset(link, now, is_leaving));
        let leftovers = cleaned.as_ref().copied().unwrap_or_default();
        if !leftovers.is_empty() {
            self.ledger.cleaned();
        }
        if self.is_heard() {
            let (connection, label) = (link.id(), self.ledger.label(seat));
            let label = label.as_deref();
            match &cleaned {
                Ok(leftovers) => {
                    self.emit(&PoolEvent::Reset { connection, label, leftovers: *leftovers });
                }
                Err(error) => self.emit(&PoolEvent::ResetFailed { connection, label, error }),
            }
        }
        cleaned.map(drop)
    }

    fn reset(&self, link: &mut Link, now: Instant, is_leaving: bool) -> Result<Leftovers> {
        let deadline = self.hooks.clock.deadline(now, self.options.reset_timeout);
        if let Some(hook) = &self.hooks.reset {
            let told = Returning { in_transaction: link.connection.in_transaction(), is_leaving };
            let id = link.id();
            let Link { connection, data, .. } = link;
            let mut hooked = Hooked { id, connection: &mut **connection, data };
            self.run_hook("the reset hook", || hook(&mut hooked, told))?;
        }
        let connection = &mut *link.connection;
        let leftovers = match self.options.reset {
            ResetPolicy::Rollback => connection.reset(deadline)?,
            ResetPolicy::Thorough => {
                connection.distrust();
                connection.reset(deadline)?
            }
            ResetPolicy::Commit => {
                commit(connection, deadline)?;
                connection.reset(deadline)?
            }
            ResetPolicy::None => Leftovers::default(),
        };
        if connection.in_transaction() || connection.is_broken() {
            return Err(Error::new(ErrorKind::Database, "the connection is still not clean"));
        }
        Ok(leftovers)
    }
}

/// Closes a connection that came back and is not kept, and gives its seat back.
#[cold]
fn surplus(mut slot: Taken, seat: Seat, connection: u64) {
    let (Some(link), Some(shared)) = (slot.link.take(), slot.home.take()) else { return };
    shared.close(link, shared.ledger.reason_for_surplus());
    drop(slot);
    shared.left(seat, Some(connection));
}

fn tell_late_return(voice: &Voice, late: Option<&Loan>, connection: u64, now: Instant) {
    if let Some(loan) = late {
        let held = now.saturating_duration_since(loan.since);
        let label = loan.label.as_deref();
        voice.emit(&PoolEvent::LeakReturned { connection, label, held });
    }
}

fn commit(connection: &mut dyn Connection, deadline: Instant) -> Result<()> {
    if connection.in_transaction() {
        // A commit has no deadline of its own: a silent server is found out by the ping.
        connection.ping(deadline)?;
        connection.commit()?;
    }
    Ok(())
}
