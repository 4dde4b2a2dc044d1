//! What is under the one lock, and the small steps on it.

use super::super::badge::Badge;
use super::super::circuit::{Admission, Attempt, Circuit};
use super::super::clock::Clock;
use super::super::events::CloseReason;
use super::super::failure::Shortage;
use super::super::holder::Holder;
use super::super::link::Link;
use super::super::request::Label;
use super::super::slot::Taken;
use super::super::stats::PoolStats;
use super::seats::{Ended, Loan, Seat, Seats};
use super::waiter::Waiter;
use crate::backend::interrupt::Interrupt;
use crate::config::{Order, PoolKind, PoolOptions};
use crate::error::Error;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// The numbers that a ledger keeps to.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Terms {
    /// How many connections may be open.
    pub(in super::super) limit: u32,
    /// How many may sleep.
    pub(in super::super) kept: u32,
    pub(in super::super) min_idle: u32,
    pub(in super::super) max_waiting: u32,
    pub(super) order: Order,
    /// Whether a second borrower is an error.
    pub(super) is_assertion: bool,
}

impl Terms {
    pub(in super::super) fn new(options: &PoolOptions, limit: u32) -> Self {
        Self {
            limit,
            kept: options.kept().min(limit),
            min_idle: options.min_idle.min(limit),
            max_waiting: options.max_waiting.unwrap_or(u32::MAX),
            order: options.order,
            is_assertion: options.kind == PoolKind::Assertion,
        }
    }
}

/// The counts, the line and the connections that sleep.
/// It is never freed, but [used again](super::life).
pub(in super::super) struct Ledger {
    pub(super) entries: Mutex<Entries>,
    /// Wakes those who have a seat and wait for something to change.
    pub(super) changed: Condvar,
    /// Wakes the housekeeper.
    pub(super) too_few: Condvar,
}

/// A connection that sleeps. The badge for its next loan lies beside it: handing that over, and getting
/// it back, costs no count of those who know it.
pub(super) struct Asleep {
    pub(super) slot: Taken,
    pub(super) badge: Option<Arc<Badge>>,
}

impl Asleep {
    /// What comes from a loan that had `badge`, or from none.
    #[inline]
    pub(super) fn new(slot: Taken, badge: Option<Arc<Badge>>) -> Self {
        let badge = badge.or_else(|| slot.link.as_ref().map(|link| Arc::clone(&link.badge)));
        Self { slot, badge }
    }
}

pub(super) struct Entries {
    /// The pool that uses the ledger, or did last.
    pub(super) pool: u64,
    pub(super) clock: Clock,
    pub(super) terms: Terms,
    pub(super) seats: Seats,
    /// What sleeps; the one that came back last is at the back.
    pub(super) idle: VecDeque<Asleep>,
    pub(super) line: VecDeque<Arc<Waiter>>,
    pub(super) circuit: Circuit,
    pub(super) is_closed: bool,
    pub(super) is_suspended: bool,
    pub(super) stats: PoolStats,
}

impl Entries {
    /// The connection that is lent next, if one sleeps.
    #[inline]
    pub(super) fn wake_one(&mut self) -> Option<Asleep> {
        match self.terms.order {
            Order::Lifo => self.idle.pop_back(),
            Order::Fifo => self.idle.pop_front(),
        }
    }

    /// Who has a seat and no connection may open one, or is told what to do instead.
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        self.circuit.admit(now, self.clock.now())
    }

    pub(super) fn snapshot(&self) -> PoolStats {
        PoolStats {
            idle: self.idle.len() as u32,
            in_use: self.seats.taken,
            waiting: self.line.len() as u32,
            pool_size: self.terms.kept,
            limit: self.terms.limit,
            ..self.stats
        }
    }

    /// The counts and the holders, for the error of one whose time is over.
    pub(super) fn shortage(&mut self) -> Shortage {
        self.stats.timeouts += 1;
        Shortage {
            stats: self.snapshot(),
            holders: self.seats.holders(self.clock.now()),
            failure: self.circuit.failure().map(Error::without_source),
        }
    }

    /// Notes how long one has waited.
    pub(super) fn waited(&mut self, since: Instant) {
        let time = since.elapsed();
        self.stats.longest_wait = self.stats.longest_wait.max(time);
        self.stats.total_wait += time;
    }

    /// The loan of a seat ends, if there is one. Gives back the badge of its connection, and the loan
    /// itself if it was reported as too long.
    #[inline]
    pub(super) fn end(
        &mut self,
        seat: Seat,
        now: Instant,
    ) -> (Option<Arc<Badge>>, Option<Box<Loan>>) {
        let Ended { badge, used, late } = self.seats.end(seat, now);
        if badge.is_some() {
            self.stats.check_outs += 1;
            if !used.is_zero() {
                self.stats.total_use += used;
            }
        }
        (badge, late)
    }

    /// Whether another connection may sleep, beside those that do; the one in question has a seat.
    #[inline]
    pub(super) fn has_bed(&self) -> bool {
        self.idle.len() < self.terms.kept as usize && self.is_within_limit(0)
    }

    /// Whether there may be as many as there are, once so many of those that have a seat have taken one
    /// that sleeps. Always, but after the limit was lowered.
    #[inline]
    pub(super) fn is_within_limit(&self, takers: usize) -> bool {
        let open = self.seats.taken as usize + self.idle.len().saturating_sub(takers);
        open <= self.terms.limit as usize
    }
}

impl Ledger {
    pub(in super::super) fn terms(&self) -> Terms {
        self.entries.lock().terms
    }

    pub(in super::super) fn stats(&self) -> PoolStats {
        self.entries.lock().snapshot()
    }

    pub(in super::super) fn holders(&self) -> Vec<Holder> {
        let entries = self.entries.lock();
        entries.seats.holders(entries.clock.now())
    }

    /// The counts and the holders, for the error of one who has a seat and gives up.
    pub(in super::super) fn shortage_now(&self) -> Shortage {
        self.entries.lock().shortage()
    }

    /// Whether a connection sleeps.
    pub(in super::super) fn has_idle(&self) -> bool {
        !self.entries.lock().idle.is_empty()
    }

    /// Whether a connection that comes back may be lent again.
    pub(in super::super) fn lends_again(&self) -> bool {
        let entries = self.entries.lock();
        entries.terms.kept > 0 && !entries.is_closed
    }

    /// A connection was opened, or was not.
    pub(in super::super) fn connected(&self, attempt: Attempt, failure: Option<&Error>) {
        let mut entries = self.entries.lock();
        match failure {
            None => {
                entries.stats.total += 1;
                entries.stats.connects += 1;
                entries.circuit.succeeded(attempt);
            }
            Some(error) => {
                entries.stats.connect_failures += 1;
                let dated = entries.clock.now();
                entries.circuit.failed(attempt, error, dated);
            }
        }
        self.changed.notify_all();
    }

    /// An attempt to open a connection ended because its borrower had no more time.
    pub(in super::super) fn cut_short(&self, attempt: Attempt, error: &Error) {
        let mut entries = self.entries.lock();
        entries.stats.connect_failures += 1;
        entries.circuit.cut_short(attempt, error);
        self.changed.notify_all();
    }

    /// An attempt to open a connection ended without saying anything of the server.
    pub(in super::super) fn gave_up(&self, attempt: Attempt) {
        let mut entries = self.entries.lock();
        entries.stats.connect_failures += 1;
        entries.circuit.given_up(attempt);
        self.changed.notify_all();
    }

    /// A connection was lost.
    pub(in super::super) fn doubt(&self) {
        self.entries.lock().circuit.doubt();
    }

    /// A connection was closed, or left the pool where there is no reason.
    pub(in super::super) fn closed(&self, reason: Option<CloseReason>) {
        let mut entries = self.entries.lock();
        let stats = &mut entries.stats;
        stats.total -= 1;
        stats.closed += u64::from(reason.is_some());
        match reason {
            Some(CloseReason::Recycled) => stats.recycled += 1,
            Some(
                CloseReason::Broken
                | CloseReason::Invalidated
                | CloseReason::Unclean
                | CloseReason::Panicked
                | CloseReason::Refused,
            ) => stats.discarded += 1,
            _ => (),
        }
        self.ask_for_more(&entries);
    }

    /// A connection came back with something left behind.
    pub(in super::super) fn cleaned(&self) {
        self.entries.lock().stats.resets += 1;
    }

    /// Wakes the housekeeper if too few connections sleep.
    #[inline]
    pub(super) fn ask_for_more(&self, entries: &Entries) {
        if (entries.idle.len() as u32) < entries.terms.min_idle {
            self.too_few.notify_all();
        }
    }

    /// Waits until `end`, until too few connections sleep or until `pool` is closed; says whether it is.
    pub(in super::super) fn rest(&self, pool: u64, end: Instant) -> bool {
        let mut entries = self.entries.lock();
        // Whoever is still here after its pool may find that of another.
        let is_over = |entries: &Entries| entries.is_closed || entries.pool != pool;
        if !is_over(&entries) {
            self.too_few.wait_until(&mut entries, end);
        }
        is_over(&entries)
    }

    /// The label of a loan.
    pub(in super::super) fn label(&self, seat: Seat) -> Option<Label> {
        self.entries.lock().seats.loan(seat).and_then(|loan| loan.label.clone())
    }

    /// The label of a loan, and since when it lasts.
    pub(in super::super) fn loan_of(&self, seat: Seat) -> Option<(Option<Label>, Instant)> {
        let mut entries = self.entries.lock();
        entries.seats.loan(seat).map(|loan| (loan.label.clone(), loan.since))
    }

    /// Turns away all who wait and all who come.
    pub(in super::super) fn close(&self) -> bool {
        let mut entries = self.entries.lock();
        let is_new = !entries.is_closed;
        entries.is_closed = true;
        for waiter in entries.line.drain(..) {
            waiter.turn_away();
        }
        self.changed.notify_all();
        self.too_few.notify_all();
        is_new
    }

    pub(in super::super) fn is_closed(&self) -> bool {
        self.entries.lock().is_closed
    }

    /// Why what comes back is not kept.
    pub(in super::super) fn reason_for_surplus(&self) -> CloseReason {
        if self.is_closed() { CloseReason::PoolClosed } else { CloseReason::Surplus }
    }

    /// Waits until nothing is on loan, or until `end`; says who still has something.
    pub(in super::super) fn drain(&self, end: Instant) -> Vec<Holder> {
        let mut entries = self.entries.lock();
        while entries.seats.taken > 0 {
            if self.changed.wait_until(&mut entries, end).timed_out() {
                break;
            }
        }
        entries.seats.holders(entries.clock.now())
    }

    /// What ends the statements of those who have a connection.
    pub(in super::super) fn interrupts(&self) -> Vec<Arc<dyn Interrupt>> {
        let entries = self.entries.lock();
        let badges = entries.seats.loans().filter_map(|loan| loan.badge.as_ref());
        badges.filter_map(|badge| badge.interrupt.clone()).collect()
    }

    /// Those who are on loan since `since` or before and were not reported yet.
    pub(in super::super) fn report_leaks(&self, since: Instant, now: Instant) -> Vec<Holder> {
        let mut entries = self.entries.lock();
        let is_leak =
            |loan: &Loan| loan.since <= since && !loan.is_reported && loan.badge.is_some();
        let leaks = entries.seats.report(is_leak, now);
        entries.stats.leaks += leaks.len() as u64;
        leaks
    }

    /// Takes out every connection that sleeps and that `is_chosen` chooses, the one that sleeps
    /// longest first, as long as more than `least` are left. Each comes with a seat, so that
    /// nobody opens another in its place before it is closed or put back.
    pub(in super::super) fn take_idle(
        &self,
        least: u32,
        mut is_chosen: impl FnMut(&Link) -> bool,
    ) -> Vec<(Seat, Taken)> {
        let mut entries = self.entries.lock();
        let mut spare = entries.idle.len().saturating_sub(least as usize);
        let (mut left, mut taken) = (VecDeque::with_capacity(entries.idle.len()), Vec::new());
        for parked in std::mem::take(&mut entries.idle) {
            if spare > 0 && parked.slot.link.as_ref().is_none_or(|link| is_chosen(link)) {
                spare -= 1;
                taken.push((entries.seats.take(), parked.slot));
            } else {
                left.push_back(parked);
            }
        }
        entries.idle = left;
        taken
    }

    /// Takes a seat to open a connection that nobody asked for, if there is room for one more and
    /// fewer than `wanted` sleep.
    pub(in super::super) fn spare_seat(&self, wanted: u32) -> Option<Seat> {
        let mut entries = self.entries.lock();
        let idle = entries.idle.len() as u32;
        let has_room = idle + entries.seats.taken < entries.terms.limit;
        let is_wanted = idle < wanted && !entries.is_closed && !entries.is_suspended;
        (has_room && is_wanted).then(|| entries.seats.take())
    }
}
