//! One who stands in the line.

use super::line::Seated;
use super::seats::Loan;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Instant;

/// One who stands in the line. What it waits for is put into its hands by whoever gives a seat back: once
/// it is awake it needs nothing of the ledger, and does not meet the others at the ledger's lock.
///
/// ORDER: the lock of the ledger is taken before that of a waiter.
pub(super) struct Waiter {
    hands: Mutex<Hands>,
    woken: Condvar,
    since: Instant,
    thread: Thread,
}

enum Hands {
    /// Nothing yet; the loan is as it will be, but for its connection.
    Empty(Loan),
    Full(Seated),
    /// The pool was closed, or what came was taken.
    Done,
}

impl Waiter {
    pub(super) fn new(loan: Loan, since: Instant) -> Self {
        Self {
            hands: Mutex::new(Hands::Empty(loan)),
            woken: Condvar::new(),
            since,
            thread: thread::current(),
        }
    }

    /// Since when it waits.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Who waits.
    pub(super) fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Nothing panics while it has the lock.
    fn lock(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it what `make` makes of its loan. [`wake`](Self::wake) comes later, without the ledger's lock.
    pub(super) fn give(&self, make: impl FnOnce(Loan) -> Seated) {
        let mut hands = self.lock();
        if let Hands::Empty(loan) = mem::replace(&mut *hands, Hands::Done) {
            *hands = Hands::Full(make(loan));
        }
    }

    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Wakes it with nothing.
    pub(super) fn turn_away(&self) {
        *self.lock() = Hands::Done;
        self.woken.notify_one();
    }

    /// What it was given, if that has come.
    pub(super) fn take(&self) -> Option<Seated> {
        take(&mut self.lock())
    }

    /// Waits for what it is given; `None` if it was turned away, or if nothing came before the deadline.
    pub(super) fn wait(&self, deadline: Instant) -> Option<Seated> {
        let mut hands = self.lock();
        while matches!(*hands, Hands::Empty(_)) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.woken.wait_timeout(hands, left);
            hands = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        take(&mut hands)
    }
}

fn take(hands: &mut Hands) -> Option<Seated> {
    if !matches!(hands, Hands::Full(_)) {
        return None;
    }
    match mem::replace(hands, Hands::Done) {
        Hands::Full(seated) => Some(seated),
        Hands::Empty(_) | Hands::Done => None,
    }
}
