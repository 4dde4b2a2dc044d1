//! How a ledger begins and ends.
//!
//! It is never freed, but used again by the next pool that begins; there are as many as there were pools at
//! once. So a loan that ends can put all it has to sleep, its part of the pool included, for it reaches the
//! ledger by nothing that it has to keep.

use super::super::circuit::Circuit;
use super::super::clock::Clock;
use super::super::stats::PoolStats;
use super::entries::{Entries, Ledger, Terms};
use super::seats::Seats;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;

/// Ledgers that no pool uses now.
static SPARE: Mutex<Vec<&'static Ledger>> = Mutex::new(Vec::new());

impl Entries {
    /// Those of `pool`, when nothing has happened yet.
    fn new(pool: u64, terms: Terms, clock: Clock) -> Self {
        Self {
            pool,
            clock,
            terms,
            seats: Seats::new(terms.limit),
            idle: VecDeque::new(),
            line: VecDeque::new(),
            circuit: Circuit::new(),
            is_closed: false,
            is_suspended: false,
            stats: PoolStats::default(),
        }
    }
}

impl Ledger {
    /// A ledger for `pool`, with nothing in it.
    pub(in super::super) fn open(pool: u64, terms: Terms, clock: Clock) -> &'static Self {
        let entries = Entries::new(pool, terms, clock);
        let spare = SPARE.lock().pop();
        match spare {
            Some(ledger) => {
                *ledger.entries.lock() = entries;
                ledger
            }
            None => Box::leak(Box::new(Self {
                entries: Mutex::new(entries),
                changed: Condvar::new(),
                too_few: Condvar::new(),
            })),
        }
    }

    /// The pool is gone, with all it had: nobody but its housekeeper, who asks, comes here for it any more.
    pub(in super::super) fn leave(&'static self) {
        let mut entries = self.entries.lock();
        let (pool, terms) = (entries.pool, entries.terms);
        let closed = Entries { is_closed: true, ..Entries::new(pool, terms, Clock::default()) };
        let left = std::mem::replace(&mut *entries, closed);
        self.too_few.notify_all();
        drop(entries);
        drop(left);
        SPARE.lock().push(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PoolOptions;
    use std::time::{Duration, Instant};

    fn open(pool: u64) -> &'static Ledger {
        Ledger::open(pool, Terms::new(&PoolOptions::new(), 1), Clock::default())
    }

    #[test]
    fn whoever_comes_after_its_pool_is_told_so_also_where_another_pool_has_the_ledger() {
        let first = open(u64::MAX);
        first.leave();
        let far = Instant::now() + Duration::from_secs(10);
        assert!(first.rest(u64::MAX, far));
        // Whichever of them has it now.
        let others: Vec<_> = (0..64).map(open).collect();
        assert!(first.rest(u64::MAX, far));
        for other in others {
            other.leave();
        }
    }

    #[test]
    fn a_pool_begins_with_nothing_of_the_one_before() {
        for pool in 0..64 {
            let ledger = open(pool);
            assert!(!ledger.is_closed() && ledger.spare_seat(1).is_some(), "{pool}");
            let stats = ledger.stats();
            assert_eq!((stats.in_use, stats.idle, stats.total, stats.check_outs), (1, 0, 0, 0));
            ledger.suspend();
            ledger.close();
            ledger.leave();
        }
    }
}
