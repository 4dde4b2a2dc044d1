//! A budget of connections that several pools share.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// A budget of connections for several pools of one process, as for the shards or the replicas
/// that stand on one server.
///
/// A pool opens a connection only within the budget. When it is used up, a connection that sleeps
/// in another pool of the budget is closed to make room; when none sleeps, the pools wait in one
/// line, first come, first served, within the deadlines of their borrowers. A connection that
/// comes back while another pool waits is closed and not kept.
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
    is_served: AtomicBool,
    member: Weak<dyn Member>,
}

/// A pool that takes part in a budget.
pub(super) trait Member: Send + Sync {
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

    /// Closes a connection that sleeps in some pool.
    pub(super) fn make_room(&self) -> bool {
        let members: Vec<_> = self.0.members.lock().iter().filter_map(Weak::upgrade).collect();
        members.iter().any(|member| member.close_one_idle())
    }

    /// Stands in the line.
    pub(super) fn wait(&self, member: Weak<dyn Member>) -> Place {
        let waiter = Arc::new(Waiter { is_served: AtomicBool::new(false), member });
        let mut state = self.0.state.lock();
        if state.line.is_empty() && state.open < self.0.limit {
            // It became free between the last look and this one.
            state.open += 1;
            waiter.is_served.store(true, Ordering::Release);
        } else {
            state.line.push_back(Arc::clone(&waiter));
        }
        drop(state);
        Place { budget: self.clone(), waiter }
    }

    /// Whether somebody waits for a connection to be closed.
    pub(super) fn is_wanted(&self) -> bool {
        !self.0.state.lock().line.is_empty()
    }

    fn give_back(&self) {
        let mut state = self.0.state.lock();
        let Some(waiter) = state.line.pop_front() else {
            state.open -= 1;
            return;
        };
        waiter.is_served.store(true, Ordering::Release);
        drop(state);
        if let Some(member) = waiter.member.upgrade() {
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
        self.waiter.is_served.load(Ordering::Acquire)
    }

    /// The right, if it is this one's turn.
    pub(super) fn take(self) -> Option<Unit> {
        // Taken once: what is dropped afterwards finds nothing to give back.
        self.waiter.is_served.swap(false, Ordering::AcqRel).then(|| Unit(self.budget.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.budget.0.state.lock().line.retain(|other| !Arc::ptr_eq(other, &self.waiter));
        if self.waiter.is_served.swap(false, Ordering::AcqRel) {
            self.budget.give_back();
        }
    }
}
