//! What one who has a seat and no connection does next.

use super::super::circuit::{Admission, Attempt};
use super::super::request::Allowance;
use super::super::slot::Taken;
use super::entries::Ledger;
use super::seats::Seat;
use crate::error::Error;
use std::time::Instant;

/// What one who has a seat and no connection does next.
pub(in super::super) enum Turn {
    /// Takes this one: it came back meanwhile.
    Take(Taken),
    /// Opens one.
    Open(Attempt),
    /// None sleeps any more, and it may not open one: it looks again whether it may.
    NoUnit,
    /// Gives up: another was refused just now, for a reason that stays.
    Refused(Error),
    /// Gives up: the time is over. The last failure, if there was one.
    TimedOut(Option<Error>),
    /// Gives up: the pool was closed.
    Closed,
}

impl Ledger {
    /// Waits until there is something to do for the one who has `seat`, and perhaps has tried to
    /// connect before. Who `may_open` has a unit of the budget, if there is one.
    pub(in super::super) fn turn(
        &self,
        seat: Seat,
        allowed: &Allowance,
        has_tried: bool,
        may_open: bool,
    ) -> Turn {
        let mut entries = self.entries.lock();
        if let Some(loan) = entries.seats.loan(seat) {
            loan.badge = None;
        }
        loop {
            if entries.is_closed {
                return Turn::Closed;
            }
            if let Some(woken) = entries.wake_one() {
                if let Some(loan) = entries.seats.loan(seat) {
                    loan.badge = woken.badge;
                }
                return Turn::Take(woken.slot);
            }
            if !may_open {
                return Turn::NoUnit;
            }
            let now = Instant::now();
            let end = allowed.end(entries.circuit.failure());
            // One attempt is made by whoever has any time at all, however little patience.
            if now >= allowed.deadline || (has_tried && now >= end) {
                return Turn::TimedOut(entries.circuit.failure().map(Error::without_source));
            }
            let until = match entries.admit(now) {
                Admission::Go(attempt) => return Turn::Open(attempt),
                Admission::Refused(error) => return Turn::Refused(error),
                Admission::Wait(until) => until.map_or(end, |until| until.min(end)),
            };
            if now >= end {
                return Turn::TimedOut(entries.circuit.failure().map(Error::without_source));
            }
            self.changed.wait_until(&mut entries, until);
        }
    }

    /// Who may connect without anybody waiting for it; nobody while the server is not known to
    /// answer and another asks it.
    pub(in super::super) fn unasked_attempt(&self) -> Option<Attempt> {
        let mut entries = self.entries.lock();
        match entries.admit(Instant::now()) {
            Admission::Go(attempt) => Some(attempt),
            _ => None,
        }
    }

    /// Waits until `is_served`, until a connection sleeps, until the pool is closed or until `end`.
    pub(in super::super) fn pause(&self, end: Instant, is_served: impl Fn() -> bool) {
        let mut entries = self.entries.lock();
        while entries.idle.is_empty() && !entries.is_closed && !is_served() {
            if self.changed.wait_until(&mut entries, end).timed_out() {
                return;
            }
        }
    }

    /// Wakes those who have a seat and wait.
    pub(in super::super) fn nudge(&self) {
        // ORDER: under the lock, or one who has looked and does not wait yet would sleep on.
        let _entries = self.entries.lock();
        self.changed.notify_all();
    }
}
