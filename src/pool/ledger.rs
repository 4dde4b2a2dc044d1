//! The counts, and the line of those who wait.
//!
//! All of it is under one lock, which is never held while anything is opened, closed or asked.

use super::stats::PoolStats;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The counts and the line of a pool.
pub(super) struct Ledger {
    entries: Mutex<Entries>,
    /// Wakes those who pause between two attempts to connect.
    changed: Condvar,
    pool_size: u32,
    limit: u32,
}

struct Entries {
    free: u32,
    idle: u32,
    open: u32,
    is_closed: bool,
    line: VecDeque<Arc<Waiter>>,
    peak_in_use: u32,
    longest_wait: Duration,
}

/// One who waits. The flag is written and read under the lock of the ledger.
#[derive(Default)]
struct Waiter {
    woken: Condvar,
    has_permit: AtomicBool,
}

/// Why there is no permit.
#[derive(Debug)]
pub(super) enum NoPermit {
    /// The pool was disposed of.
    Closed,
    /// The deadline passed; the counts are those of that moment, with the one who gives up.
    TimedOut(PoolStats),
}

impl Ledger {
    pub(super) fn new(pool_size: u32, limit: u32) -> Self {
        let entries = Entries {
            free: limit,
            idle: 0,
            open: 0,
            is_closed: false,
            line: VecDeque::new(),
            peak_in_use: 0,
            longest_wait: Duration::ZERO,
        };
        Self { entries: Mutex::new(entries), changed: Condvar::new(), pool_size, limit }
    }

    /// Takes a permit, or stands in the line for one until `deadline`. Each permit is to be given
    /// back with [`give_back`](Self::give_back).
    pub(super) fn take(&self, deadline: Instant) -> Result<(), NoPermit> {
        let mut entries = self.entries.lock();
        if entries.is_closed {
            return Err(NoPermit::Closed);
        }
        // A permit is free only when nobody waits: those that come back go to the line directly.
        if entries.free > 0 {
            entries.free -= 1;
            entries.peak_in_use = entries.peak_in_use.max(self.limit - entries.free);
            return Ok(());
        }
        let since = Instant::now();
        let waiter = Arc::new(Waiter::default());
        entries.line.push_back(Arc::clone(&waiter));
        let result = loop {
            let timed_out = waiter.woken.wait_until(&mut entries, deadline).timed_out();
            // The permit is looked at first: one that was handed over at the last moment is kept.
            if waiter.has_permit.load(Ordering::Relaxed) {
                break Ok(());
            }
            if entries.is_closed {
                break Err(NoPermit::Closed);
            }
            if timed_out {
                let stats = self.stats_of(&entries);
                entries.line.retain(|other| !Arc::ptr_eq(other, &waiter));
                break Err(NoPermit::TimedOut(stats));
            }
        };
        entries.longest_wait = entries.longest_wait.max(since.elapsed());
        result
    }

    /// Gives a permit back: to the first in the line, if anybody waits.
    pub(super) fn give_back(&self) {
        let mut entries = self.entries.lock();
        match entries.line.pop_front() {
            Some(waiter) => {
                waiter.has_permit.store(true, Ordering::Relaxed);
                waiter.woken.notify_one();
            }
            None => entries.free += 1,
        }
    }

    /// A connection was opened.
    pub(super) fn opened(&self) {
        self.entries.lock().open += 1;
    }

    /// A connection was closed.
    pub(super) fn closed(&self) {
        self.entries.lock().open -= 1;
    }

    /// Whether a connection that comes back is kept; if so it counts as idle from now on.
    pub(super) fn keeps(&self) -> bool {
        let mut entries = self.entries.lock();
        let keeps = entries.idle < self.pool_size;
        entries.idle += u32::from(keeps);
        keeps
    }

    /// Wakes one who pauses: there is an idle connection on the shelf.
    pub(super) fn shelved(&self) {
        self.changed.notify_one();
    }

    /// An idle connection was taken off the shelf.
    pub(super) fn unshelved(&self) {
        self.entries.lock().idle -= 1;
    }

    /// Whether there is an idle connection.
    pub(super) fn has_idle(&self) -> bool {
        self.entries.lock().idle > 0
    }

    /// Waits until `end`, until a connection is idle or until the pool is disposed of.
    pub(super) fn pause(&self, end: Instant) {
        let mut entries = self.entries.lock();
        while entries.idle == 0 && !entries.is_closed {
            if self.changed.wait_until(&mut entries, end).timed_out() {
                return;
            }
        }
    }

    /// Turns away all who wait and all who come.
    pub(super) fn close(&self) {
        let mut entries = self.entries.lock();
        entries.is_closed = true;
        for waiter in entries.line.drain(..) {
            waiter.woken.notify_one();
        }
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.entries.lock().is_closed
    }

    pub(super) fn stats(&self) -> PoolStats {
        self.stats_of(&self.entries.lock())
    }

    fn stats_of(&self, entries: &Entries) -> PoolStats {
        PoolStats {
            idle: entries.idle,
            in_use: self.limit - entries.free,
            waiting: entries.line.len() as u32,
            total: entries.open,
            limit: self.limit,
            peak_in_use: entries.peak_in_use,
            longest_wait: entries.longest_wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LIMIT: Duration = Duration::from_mins(1);

    /// Runs `wait` on another thread until it waits, then `wake`; returns what `wait` returned.
    fn woken<T: Send>(
        wait: impl FnOnce() -> T + Send,
        waits: impl Fn() -> bool,
        wake: impl FnOnce(),
    ) -> T {
        thread::scope(|scope| {
            let waiter = scope.spawn(wait);
            while !waits() {
                thread::park_timeout(Duration::from_millis(1));
            }
            wake();
            waiter.join().unwrap()
        })
    }

    #[test]
    fn a_permit_that_comes_at_the_last_moment_is_kept() {
        let ledger = Ledger::new(1, 1);
        let deadline = Instant::now() + Duration::from_millis(20);
        ledger.take(deadline).unwrap();
        let hand_over_late = || {
            // The waiter's time runs out while the lock is held here, and then it gets the permit.
            let mut entries = ledger.entries.lock();
            while Instant::now() < deadline + Duration::from_millis(30) {
                thread::park_timeout(Duration::from_millis(10));
            }
            let waiter = entries.line.pop_front().unwrap();
            waiter.has_permit.store(true, Ordering::Relaxed);
            waiter.woken.notify_one();
        };
        let result =
            woken(|| ledger.take(deadline), || ledger.stats().waiting == 1, hand_over_late);
        assert!(result.is_ok());
    }

    #[test]
    fn one_who_pauses_is_woken_by_a_connection_that_comes_back() {
        let ledger = Ledger::new(1, 1);
        let since = Instant::now();
        let wake = || {
            thread::park_timeout(Duration::from_millis(20));
            assert!(ledger.keeps());
            ledger.shelved();
        };
        woken(|| ledger.pause(since + LIMIT), || true, wake);
        assert!(since.elapsed() < LIMIT);
    }

    #[test]
    fn one_who_pauses_is_woken_by_the_end_of_the_pool() {
        let ledger = Ledger::new(1, 1);
        let since = Instant::now();
        let wake = || {
            thread::park_timeout(Duration::from_millis(20));
            ledger.close();
        };
        woken(|| ledger.pause(since + LIMIT), || true, wake);
        assert!(since.elapsed() < LIMIT && ledger.is_closed());
    }
}
