//! Taking a seat, waiting for one, giving it back.

use super::super::badge::Badge;
use super::super::failure::Shortage;
use super::super::request::{Allowance, Request};
use super::super::slot::Taken;
use super::entries::{Asleep, Entries, Ledger, Terms};
use super::seats::{Loan, Seat};
use super::waiter::Waiter;
use crate::workers::Mark;
use parking_lot::MutexGuard;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Instant;

/// A seat, with a connection if one slept.
pub(in super::super) struct Seated {
    pub(in super::super) seat: Seat,
    pub(in super::super) slot: Option<Taken>,
    pub(in super::super) holding: Mark,
    /// The time of a request that had to wait; the others have not looked at it yet.
    pub(in super::super) allowance: Option<Allowance>,
}

/// Why there is no seat.
#[derive(Debug)]
pub(in super::super) enum NoSeat {
    /// The pool was closed.
    Closed,
    /// The time was over.
    TimedOut(Box<Shortage>),
    /// The line is full.
    Full(Box<Shortage>),
    /// The pool lends one connection at a time.
    Second(Box<Shortage>),
}

/// What became of a connection that came back.
pub(in super::super) enum Parked {
    /// It sleeps now; the loan has ended. It is here if it was reported as too long.
    Kept(Option<Box<Loan>>),
    /// There are enough without it; it is to be closed before the seat is given back.
    Surplus(Taken),
}

impl Ledger {
    /// Takes a seat for `request`, or stands in the line for one.
    #[inline]
    pub(in super::super) fn take(&self, request: &Request, now: Instant) -> Result<Seated, NoSeat> {
        let mut entries = self.entries.lock();
        if entries.is_closed {
            return Err(NoSeat::Closed);
        }
        // A seat is free only when nobody waits: those that come back go to the line directly.
        if entries.seats.has_free() && !entries.is_suspended {
            let seat = entries.seats.take();
            let make = |badge| Loan::new(request, now, badge);
            return Ok(self.lend_to(&mut entries, seat, None, make));
        }
        self.wait(entries, request)
    }

    #[cold]
    fn wait(
        &self,
        mut entries: MutexGuard<'_, Entries>,
        request: &Request,
    ) -> Result<Seated, NoSeat> {
        let allowed = request.start();
        let waiter = entries.stand(request, &allowed)?;
        drop(entries);
        match waiter.wait(allowed.deadline) {
            Some(seated) => Ok(Seated { allowance: Some(allowed), ..seated }),
            None => self.give_up(&waiter, allowed),
        }
    }

    /// Nothing came, or the pool was closed. What was handed over at the last moment is kept.
    fn give_up(&self, waiter: &Arc<Waiter>, allowed: Allowance) -> Result<Seated, NoSeat> {
        let mut entries = self.entries.lock();
        if let Some(seated) = waiter.take() {
            return Ok(Seated { allowance: Some(allowed), ..seated });
        }
        entries.waited(allowed.since);
        if entries.is_closed {
            return Err(NoSeat::Closed);
        }
        let shortage = entries.shortage();
        entries.line.retain(|other| !Arc::ptr_eq(other, waiter));
        Err(NoSeat::TimedOut(Box::new(shortage)))
    }

    /// Lends a seat to `thread`, or else to this one, with a connection if one sleeps.
    #[inline]
    fn lend_to(
        &self,
        entries: &mut Entries,
        seat: Seat,
        thread: Option<&Thread>,
        make: impl FnOnce(Option<Arc<Badge>>) -> Loan,
    ) -> Seated {
        let (slot, badge) = match entries.wake_one() {
            Some(woken) => (Some(woken.slot), woken.badge),
            None => (None, None),
        };
        let holding = entries.seats.lend(seat, thread, || make(badge));
        entries.stats.peak_in_use = entries.stats.peak_in_use.max(entries.seats.taken);
        self.ask_for_more(entries);
        Seated { seat, slot, holding, allowance: None }
    }

    /// Lends a seat to one who waits, and has it woken later.
    fn serve(&self, entries: &mut Entries, waiter: &Waiter, seat: Seat) {
        entries.waited(waiter.since());
        waiter.give(|loan| {
            let since = entries.clock.now();
            let make = |badge| Loan { since, badge, ..loan };
            self.lend_to(entries, seat, Some(waiter.thread()), make)
        });
    }

    /// The seat has a connection from now on.
    pub(in super::super) fn lent(&self, seat: Seat, badge: &Arc<Badge>) {
        let mut entries = self.entries.lock();
        if let Some(loan) = entries.seats.loan(seat) {
            loan.badge = Some(Arc::clone(badge));
        }
    }

    /// Puts a connection to sleep and gives the seat back, if the connection is to be kept.
    #[inline]
    pub(in super::super) fn park(&self, seat: Seat, slot: Taken, now: Instant) -> Parked {
        let mut entries = self.entries.lock();
        // One who waits takes it off at once, so that it does not count as one more that sleeps.
        let is_taken_off =
            entries.terms.kept > 0 && !entries.line.is_empty() && entries.is_within_limit(0);
        let is_kept = (is_taken_off || entries.has_bed()) && !entries.is_closed;
        if !is_kept {
            return Parked::Surplus(slot);
        }
        let (badge, late) = entries.end(seat, now);
        entries.idle.push_back(Asleep::new(slot, badge));
        let next = self.pass_on(&mut entries, seat);
        drop(entries);
        wake(next);
        Parked::Kept(late)
    }

    /// Puts a connection that nobody got back to where it slept, by when it was used last.
    pub(in super::super) fn put_back(&self, seat: Seat, slot: Taken) -> Option<Taken> {
        let mut entries = self.entries.lock();
        if let Some(loan) = entries.seats.loan(seat) {
            loan.badge = None;
        }
        if entries.is_closed || !entries.has_bed() {
            return Some(slot);
        }
        let used = |slot: &Taken| slot.link.as_ref().map(|link| link.used);
        let at = entries.idle.partition_point(|other| used(&other.slot) <= used(&slot));
        entries.idle.insert(at, Asleep::new(slot, None));
        let now = entries.clock.now();
        entries.end(seat, now);
        let next = self.pass_on(&mut entries, seat);
        drop(entries);
        wake(next);
        None
    }

    /// Gives a seat back. Says what loan ended with it, if that was reported as too long.
    pub(in super::super) fn release(&self, seat: Seat) -> Option<Box<Loan>> {
        let mut entries = self.entries.lock();
        let now = entries.clock.now();
        let (_, late) = entries.end(seat, now);
        let next = self.pass_on(&mut entries, seat);
        drop(entries);
        wake(next);
        late
    }

    /// The seat goes to the first in the line, if anybody waits; it is to be woken without the lock, so
    /// that nobody waits for that.
    #[inline]
    fn pass_on(&self, entries: &mut Entries, seat: Seat) -> Option<Arc<Waiter>> {
        let next = if entries.line.is_empty() { None } else { self.serve_next(entries, seat) };
        if next.is_none() {
            entries.seats.leave(seat);
        }
        self.changed.notify_all();
        next
    }

    #[cold]
    fn serve_next(&self, entries: &mut Entries, seat: Seat) -> Option<Arc<Waiter>> {
        if entries.is_suspended || !entries.is_within_limit(1) {
            return None;
        }
        let next = entries.line.pop_front()?;
        self.serve(entries, &next, seat);
        Some(next)
    }

    /// Holds all who come from now on, until [`resume`](Self::resume).
    pub(in super::super) fn suspend(&self) {
        self.entries.lock().is_suspended = true;
    }

    /// Serves those who were held.
    pub(in super::super) fn resume(&self) {
        let mut entries = self.entries.lock();
        entries.is_suspended = false;
        self.serve_all(&mut entries);
    }

    /// Keeps to other numbers from now on. Hands out what sleeps and is too much now, each with a
    /// seat; what is on loan and too much is surplus when it comes back.
    pub(in super::super) fn resize(&self, terms: Terms) -> Vec<(Seat, Taken)> {
        let mut entries = self.entries.lock();
        entries.terms = terms;
        entries.seats.limit = terms.limit;
        let room = terms.limit.saturating_sub(entries.seats.taken);
        let beds = terms.kept.min(room) as usize;
        let mut surplus = Vec::new();
        while entries.idle.len() > beds
            && let Some(woken) = entries.idle.pop_front()
        {
            surplus.push((entries.seats.take(), woken.slot));
        }
        if !entries.is_suspended {
            self.serve_all(&mut entries);
        }
        self.changed.notify_all();
        self.ask_for_more(&entries);
        surplus
    }

    /// Gives seats that are free to those who wait.
    fn serve_all(&self, entries: &mut Entries) {
        while entries.seats.has_free()
            && let Some(waiter) = entries.line.pop_front()
        {
            let seat = entries.seats.take();
            self.serve(entries, &waiter, seat);
            waiter.wake();
        }
    }
}

impl Entries {
    /// Stands in the line.
    fn stand(&mut self, request: &Request, allowed: &Allowance) -> Result<Arc<Waiter>, NoSeat> {
        if self.terms.is_assertion {
            return Err(NoSeat::Second(Box::new(self.shortage())));
        }
        if self.line.len() as u32 >= self.terms.max_waiting {
            return Err(NoSeat::Full(Box::new(self.shortage())));
        }
        let waiter = Arc::new(Waiter::new(Loan::new(request, allowed.since, None), allowed.since));
        self.line.push_back(Arc::clone(&waiter));
        self.stats.waits += 1;
        Ok(waiter)
    }
}

#[inline]
fn wake(waiter: Option<Arc<Waiter>>) {
    if let Some(waiter) = waiter {
        waiter.wake();
    }
}
