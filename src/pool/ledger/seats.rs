//! The rights to have a connection, and who has them.

use super::super::badge::Badge;
use super::super::holder::Holder;
use super::super::request::{Label, Request};
use crate::workers::Holding;
use std::panic::Location;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Instant;

/// The number of a seat: the right to have one connection of the pool.
pub(crate) type Seat = u32;

/// All seats. They are made when they are first needed, and used again.
#[derive(Debug)]
pub(super) struct Seats {
    all: Vec<Chair>,
    free: Vec<Seat>,
    pub(super) limit: u32,
    /// Seats that somebody has, a borrower or the housekeeper.
    pub(super) taken: u32,
}

#[derive(Debug, Default)]
struct Chair {
    holding: Holding,
    loan: Option<Loan>,
}

/// Who has a seat, since when and for what.
#[derive(Debug)]
pub(crate) struct Loan {
    pub(crate) label: Option<Label>,
    thread: Thread,
    place: &'static Location<'static>,
    pub(crate) since: Instant,
    pub(crate) badge: Option<Arc<Badge>>,
    pub(crate) is_reported: bool,
}

impl Loan {
    /// Without a connection as yet.
    pub(super) fn new(request: &Request, since: Instant) -> Self {
        Self {
            label: request.label.clone(),
            thread: std::thread::current(),
            place: request.place,
            since,
            badge: None,
            is_reported: false,
        }
    }

    pub(super) fn holder(&self, now: Instant) -> Holder {
        Holder {
            connection: self.badge.as_ref().map(|badge| badge.id),
            label: self.label.clone(),
            thread: self.thread.name().map(str::to_owned),
            place: self.place,
            age: now.saturating_duration_since(self.since),
            is_running: self.badge.as_ref().is_some_and(|badge| badge.is_running()),
        }
    }
}

impl Seats {
    pub(super) fn new(limit: u32) -> Self {
        Self { all: Vec::new(), free: Vec::new(), limit, taken: 0 }
    }

    pub(super) fn has_free(&self) -> bool {
        self.taken < self.limit
    }

    /// Takes a seat; only while there is a free one.
    pub(super) fn take(&mut self) -> Seat {
        self.taken += 1;
        self.free.pop().unwrap_or_else(|| {
            self.all.push(Chair::default());
            self.all.len() as Seat - 1
        })
    }

    pub(super) fn leave(&mut self, seat: Seat) {
        self.taken -= 1;
        self.free.push(seat);
    }

    pub(super) fn lend(&mut self, seat: Seat, loan: Loan) {
        self.all[seat as usize].loan = Some(loan);
    }

    pub(super) fn holding(&self, seat: Seat) -> Holding {
        self.all[seat as usize].holding.clone()
    }

    /// The thread that has the seat holds nothing any more.
    pub(super) fn holding_end(&self, seat: Seat) {
        self.all[seat as usize].holding.end();
    }

    /// The loan of a seat ends.
    pub(super) fn end(&mut self, seat: Seat) -> Option<Loan> {
        self.all[seat as usize].loan.take()
    }

    pub(super) fn loan(&mut self, seat: Seat) -> Option<&mut Loan> {
        self.all[seat as usize].loan.as_mut()
    }

    pub(super) fn loans(&mut self) -> impl Iterator<Item = &mut Loan> {
        self.all.iter_mut().filter_map(|chair| chair.loan.as_mut())
    }

    /// Who has a connection or waits for one to be opened, the longest first.
    pub(super) fn holders(&self, now: Instant) -> Vec<Holder> {
        let loans = self.all.iter().filter_map(|chair| chair.loan.as_ref());
        let mut holders: Vec<_> = loans.map(|loan| loan.holder(now)).collect();
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.age));
        holders
    }
}
