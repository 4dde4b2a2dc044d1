//! A place where threads stop until the test lets them through: a race becomes a sequence.

use super::LIMIT;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A gate; all clones are one gate. It is closed at first and never closes again once open.
///
/// ```ignore
/// let gate = Gate::closed();
/// let worker = spawn({ let gate = gate.clone(); move || { gate.pass(); 42 } });
/// gate.wait_until_reached();   // the worker stands before the gate, and nowhere else
/// gate.open();
/// ```
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    open: bool,
    arrived: usize,
}

impl Gate {
    /// A closed gate that nobody has reached.
    pub fn closed() -> Self {
        let state = Mutex::new(State { open: false, arrived: 0 });
        Self(Arc::new(Inner { state, changed: Condvar::new() }))
    }

    /// Reports that the thread is here and waits until the gate is open.
    pub fn pass(&self) {
        let mut state = self.lock();
        state.arrived += 1;
        self.0.changed.notify_all();
        self.wait_for(state, "the gate was never opened", |state| state.open);
    }

    /// Waits until a thread has reached the gate.
    pub fn wait_until_reached(&self) {
        self.wait_until_reached_by(1);
    }

    /// Waits until threads have reached the gate `times` times in all.
    pub fn wait_until_reached_by(&self, times: usize) {
        self.wait_for(self.lock(), "the gate was not reached", |state| state.arrived >= times);
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.lock().open = true;
        self.0.changed.notify_all();
    }

    /// How often the gate has been reached.
    pub fn arrived(&self) -> usize {
        self.lock().arrived
    }

    // A test that failed while it held the lock must not hide its reason behind a second panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(
        &self,
        mut state: MutexGuard<'_, State>,
        failure: &str,
        done: impl Fn(&State) -> bool,
    ) {
        let deadline = Instant::now() + LIMIT;
        while !done(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{failure} within {LIMIT:?}: reached {} times", state.arrived);
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
