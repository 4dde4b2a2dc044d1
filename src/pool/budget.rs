//! A budget of connections that several pools share.

use super::slot::Taken;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// For so long the connections of a pool stay with those who ask it for one, while another pool of the
/// budget waits: to close one and to open another takes some milliseconds, and where every return did so,
/// pools that are all at work would do little else.
const LOYALTY: Duration = Duration::from_millis(100);

/// A budget of connections for several pools of one process, as for the shards or the replicas
/// that stand on one server.
///
/// A pool opens a connection only within the budget. When it is used up, a connection that sleeps
/// in another pool of the budget is closed to make room; when none sleeps, the pools wait in one
/// line, first come, first served, within the deadlines of their borrowers.
///
/// A connection that comes back is lent again to those who ask the same pool for one. It is closed
/// for another pool that waits where nobody does, or once the other has waited for 100 ms.
///
/// ```
/// use rowmill::Budget;
/// let budget = Budget::new(80);
/// assert_eq!((budget.limit(), budget.open()), (80, 0));
/// ```
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

struct Inner {
    limit: u32,
    state: Mutex<State>,
    members: Mutex<Vec<Weak<dyn Member>>>,
}

struct State {
    open: u32,
    line: VecDeque<Arc<Waiter>>,
}

struct Waiter {
    given: Mutex<Option<Given>>,
    since: Instant,
    pool: u64,
    member: Weak<dyn Member>,
}

/// What one who stands in the line is given.
pub(super) enum Given {
    /// The right to open a connection.
    Unit(Unit),
    /// A connection that came back to its own pool.
    Connection(Taken),
}

/// A pool that takes part in a budget.
pub(super) trait Member: Send + Sync {
    /// The number of the pool.
    fn id(&self) -> u64;

    /// Closes a connection that sleeps; no if none does.
    fn close_one_idle(&self) -> bool;

    /// Wakes those who wait for the budget.
    fn wake(&self);
}

impl Budget {
    /// A budget of `connections`, at least one.
    pub fn new(connections: u32) -> Self {
        Self(Arc::new(Inner {
            limit: connections.max(1),
            state: Mutex::new(State { open: 0, line: VecDeque::new() }),
            members: Mutex::new(Vec::new()),
        }))
    }

    /// How many connections all its pools may have open together.
    pub fn limit(&self) -> u32 {
        self.0.limit
    }

    /// How many they have open now.
    pub fn open(&self) -> u32 {
        self.0.state.lock().open
    }

    /// How many borrowers have their turn in their own pool, and wait for the budget.
    pub fn waiting(&self) -> usize {
        self.0.state.lock().line.len()
    }

    pub(super) fn join(&self, member: Weak<dyn Member>) {
        let mut members = self.0.members.lock();
        members.retain(|member| member.strong_count() > 0);
        members.push(member);
    }

    /// The right to open one connection, if there is one for somebody who does not wait.
    pub(super) fn try_take(&self) -> Option<Unit> {
        let mut state = self.0.state.lock();
        let is_free = state.line.is_empty() && state.open < self.0.limit;
        state.open += u32::from(is_free);
        is_free.then(|| Unit(self.clone()))
    }

    /// Closes a connection that sleeps in another pool than `pool`, which takes its own as they are.
    pub(super) fn make_room(&self, pool: u64) -> bool {
        let members: Vec<_> = self.0.members.lock().iter().filter_map(Weak::upgrade).collect();
        members.iter().any(|member| member.id() != pool && member.close_one_idle())
    }

    /// Stands in the line, for a pool that is known by its number.
    pub(super) fn wait(&self, pool: u64, member: Weak<dyn Member>) -> Place {
        let given = Mutex::new(None);
        let waiter = Arc::new(Waiter { given, since: Instant::now(), pool, member });
        let mut state = self.0.state.lock();
        if state.line.is_empty() && state.open < self.0.limit {
            // It became free between the last look and this one.
            state.open += 1;
            waiter.give(Given::Unit(Unit(self.clone())));
        } else {
            state.line.push_back(Arc::clone(&waiter));
        }
        drop(state);
        Place { budget: self.clone(), waiter }
    }

    /// Whether a connection of `pool` is to be closed for another pool that waits; `is_needed` says
    /// whether somebody waits for a turn in its own.
    pub(super) fn is_wanted(&self, pool: u64, is_needed: bool) -> bool {
        let state = self.0.state.lock();
        let Some(other) = state.line.iter().find(|waiter| waiter.pool != pool) else {
            return false;
        };
        let is_needed = is_needed || state.line.iter().any(|waiter| waiter.pool == pool);
        !is_needed || other.since.elapsed() >= LOYALTY
    }

    /// Gives a connection to the first in the line who waits for one of `pool`; it comes back where there
    /// is nobody.
    pub(super) fn hand_over(&self, pool: u64, slot: Taken) -> Option<Taken> {
        let mut state = self.0.state.lock();
        let first = state.line.iter().position(|waiter| waiter.pool == pool);
        let Some(waiter) = first.and_then(|at| state.line.remove(at)) else { return Some(slot) };
        waiter.give(Given::Connection(slot));
        drop(state);
        waiter.wake();
        None
    }

    fn give_back(&self) {
        let mut state = self.0.state.lock();
        let Some(waiter) = state.line.pop_front() else {
            state.open -= 1;
            return;
        };
        waiter.give(Given::Unit(Unit(self.clone())));
        drop(state);
        waiter.wake();
    }
}

impl Waiter {
    /// ORDER: under the lock of the line, so that who leaves the line finds what it was given.
    fn give(&self, given: Given) {
        *self.given.lock() = Some(given);
    }

    fn wake(&self) {
        if let Some(member) = self.member.upgrade() {
            member.wake();
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Budget({} of {})", self.open(), self.limit())
    }
}

/// The right to have one connection open; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Unit(Budget);

impl Drop for Unit {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// A place in the line of a budget; dropping it leaves the line.
pub(super) struct Place {
    budget: Budget,
    waiter: Arc<Waiter>,
}

impl Place {
    pub(super) fn is_served(&self) -> bool {
        self.waiter.given.lock().is_some()
    }

    /// Leaves the line, with what this one was given, if it was its turn.
    pub(super) fn leave(self) -> Option<Given> {
        self.budget.0.leave(&self.waiter);
        self.waiter.given.lock().take()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.budget.0.leave(&self.waiter);
    }
}

impl Inner {
    fn leave(&self, waiter: &Arc<Waiter>) {
        self.state.lock().line.retain(|other| !Arc::ptr_eq(other, waiter));
    }
}
