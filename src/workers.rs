//! The set of threads that does the work: a `rayon` pool of its own, never the global one.
//!
//! Whoever holds a connection, a lock or a permit's critical section must not come here: a rayon
//! worker that waits takes up other work, and would meet itself at the pool. A thread says that it
//! holds something with [`Holding`]; [`Workers::run`] refuses a thread that does.

use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

/// A place in the program.
type Place = &'static Location<'static>;

/// One connection that was taken on this thread; it may have come back since.
struct Held {
    owner: u64,
    place: Place,
    mark: Mark,
    number: u64,
}

impl Held {
    fn is_held(&self) -> bool {
        self.mark.0.load(Ordering::Relaxed) == self.number
    }
}

thread_local! {
    static HELD: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

/// A fixed number of threads.
#[derive(Debug)]
pub(crate) struct Workers {
    pool: rayon::ThreadPool,
    count: usize,
}

impl Workers {
    /// Starts `count` threads, at least one.
    ///
    /// # Errors
    /// `Config` if the system does not start them.
    pub(crate) fn new(count: usize) -> Result<Self> {
        let count = count.max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|index| format!("rowmill-{index}"))
            .build()
            .map_err(|error| {
                let message = format!("{count} worker threads cannot be started");
                Error::new(ErrorKind::Config, message).with_source(error)
            })?;
        Ok(Self { pool, count })
    }

    /// How many threads there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Runs `work` once on every thread, with its number from 0, and `lead` on the caller's, and returns
    /// when all are done.
    ///
    /// # Errors
    /// `Internal` if the caller's thread holds a connection.
    pub(crate) fn run<R>(
        &self,
        work: impl Fn(usize) + Sync,
        lead: impl FnOnce() -> R,
    ) -> Result<R> {
        if holds_something() {
            return Err(Error::new(
                ErrorKind::Internal,
                "a thread that holds a connection entered the worker set",
            ));
        }
        let work = &work;
        Ok(self.pool.in_place_scope(|scope| {
            for number in 0..self.count {
                scope.spawn(move |_| work(number));
            }
            lead()
        }))
    }
}

/// Says that a thread holds a connection: one holding after the other, each on its own thread.
///
/// It is made once and used again, so that saying it costs no allocation.
#[derive(Debug)]
pub(crate) struct Holding(Mark);

/// Where a holding is written down. The number changes with every beginning and every end, so that a
/// holding is over when its number is not there any more.
///
/// It is never freed but used again: a thread can look at it without a count of those who do, and a
/// number that was there once does not come again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(&'static AtomicU64);

/// Marks that nobody uses now.
static SPARE: Mutex<Vec<Mark>> = Mutex::new(Vec::new());

impl Holding {
    pub(crate) fn new() -> Self {
        let spare = SPARE.lock().pop();
        Self(spare.unwrap_or_else(|| Mark(Box::leak(Box::new(AtomicU64::new(0))))))
    }

    /// Where the thread that begins to hold writes it down.
    pub(crate) fn mark(&self) -> Mark {
        self.0
    }

    /// It is held no more; on whatever thread.
    pub(crate) fn end(&self) {
        self.0.step();
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.end();
        SPARE.lock().push(self.0);
    }
}

impl Mark {
    /// The current thread holds a connection of `owner`, taken at `place`.
    pub(crate) fn begin(self, owner: u64, place: Place) {
        let number = self.step();
        // In the last moments of a thread its marks are gone already, and it enters nothing more.
        let _ = HELD.try_with(|held| {
            held.borrow_mut().push(Held { owner, place, mark: self, number });
        });
    }

    /// The next number. Whoever has the seat is the only one who writes it.
    fn step(self) -> u64 {
        let number = self.0.load(Ordering::Relaxed) + 1;
        self.0.store(number, Ordering::Relaxed);
        number
    }
}

/// How many connections of `owner` the current thread holds, and where it took the first.
pub(crate) fn held_of(owner: u64) -> (u32, Option<Place>) {
    let count = |held: &RefCell<Vec<Held>>| {
        let mut held = held.borrow_mut();
        held.retain(Held::is_held);
        let mut own = held.iter().filter(|held| held.owner == owner);
        let first = own.next().map(|held| held.place);
        (u32::from(first.is_some()) + own.count() as u32, first)
    };
    HELD.try_with(count).unwrap_or_default()
}

fn holds_something() -> bool {
    HELD.try_with(|held| held.borrow().iter().any(Held::is_held)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_worker_runs_once_beside_the_lead() {
        let ran = AtomicUsize::new(0);
        let workers = Workers::new(3).unwrap();
        let lead = workers.run(
            |number| {
                ran.fetch_add(1 << (8 * number), Ordering::Relaxed);
            },
            || "lead",
        );
        assert_eq!((lead.unwrap(), ran.load(Ordering::Relaxed)), ("lead", 0x01_01_01));
    }

    #[test]
    fn a_holding_is_known_by_its_owner_and_ends_on_any_thread() {
        let (one, other) = (Holding::new(), Holding::new());
        one.mark().begin(7, Location::caller());
        other.mark().begin(8, Location::caller());
        assert_eq!((held_of(7).0, held_of(8).0, held_of(9).0), (1, 1, 0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(held_of(7).0, 0);
                one.end();
            });
        });
        assert_eq!((held_of(7), held_of(8).0), ((0, None), 1));
        one.mark().begin(7, Location::caller());
        assert_eq!(held_of(7).0, 1);
        one.end();
        other.end();
    }

    #[test]
    fn a_mark_that_is_used_again_says_nothing_of_who_had_it_before() {
        let before = Holding::new();
        before.mark().begin(11, Location::caller());
        drop(before);
        // Whichever of them has the mark now: it is the holding of another thread.
        let after: Vec<_> = (0..64).map(|_| Holding::new()).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| after.iter().for_each(|one| one.mark().begin(11, Location::caller())));
        });
        assert_eq!(held_of(11).0, 0);
    }

    /// batch 3.7.2
    #[test]
    fn a_thread_that_holds_a_connection_is_turned_away() {
        let workers = Workers::new(1).unwrap();
        let held = Holding::new();
        held.mark().begin(0, Location::caller());
        assert_eq!(workers.run(|_| (), || ()).unwrap_err().kind(), ErrorKind::Internal);
        held.end();
        assert!(workers.run(|_| (), || ()).is_ok());
    }
}
