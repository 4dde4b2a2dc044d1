//! Whose turn it is to write, first come, first served.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// A door for one at a time. Those who wait get through in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    next_ticket: u64,
    waiting: VecDeque<u64>,
}

impl Gate {
    /// Waits for its turn; `None` if it did not come before `deadline`, or `gives_up` said so.
    pub(super) fn pass(
        self: &Arc<Self>,
        deadline: Instant,
        gives_up: &dyn Fn() -> bool,
    ) -> Option<Pass> {
        let mut state = self.state.lock();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back(ticket);
        while state.held || state.waiting.front() != Some(&ticket) {
            let late = self.changed.wait_until(&mut state, deadline).timed_out();
            if gives_up() || late && !state.is_turn_of(ticket) {
                state.waiting.retain(|other| *other != ticket);
                // The one behind may have been waiting for this ticket only.
                self.changed.notify_all();
                return None;
            }
        }
        state.waiting.pop_front();
        state.held = true;
        Some(Pass(Arc::clone(self)))
    }

    /// Has everybody who waits ask again whether to give up.
    pub(super) fn look_again(&self) {
        // ORDER: the lock is taken once, so that nobody is between the question and the wait.
        drop(self.state.lock());
        self.changed.notify_all();
    }

    /// How many wait for their turn.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().waiting.len()
    }
}

impl State {
    fn is_turn_of(&self, ticket: u64) -> bool {
        !self.held && self.waiting.front() == Some(&ticket)
    }
}

/// The right to be behind the gate; dropping it lets the next one through.
#[derive(Debug)]
pub(super) struct Pass(Arc<Gate>);

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.state.lock().held = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    fn wait_for_waiters(gate: &Gate, count: usize) {
        while gate.waiting() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn those_who_wait_pass_in_the_order_in_which_they_came() {
        let gate = Arc::new(Gate::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = gate.pass(in_a_minute(), &|| false);
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let (mine, order) = (Arc::clone(&gate), Arc::clone(&order));
                let thread = thread::spawn(move || {
                    let _pass = mine.pass(in_a_minute(), &|| false).unwrap();
                    order.lock().push(number);
                });
                wait_for_waiters(&gate, number + 1);
                thread
            })
            .collect();
        drop(first);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*order.lock(), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn one_who_gives_up_does_not_stand_in_the_way() {
        let gate = Arc::new(Gate::default());
        let first = gate.pass(in_a_minute(), &|| false).unwrap();
        assert!(gate.pass(Instant::now(), &|| false).is_none());
        assert_eq!(gate.waiting(), 0);
        drop(first);
        assert!(gate.pass(Instant::now(), &|| false).is_some());
    }

    #[test]
    fn nobody_passes_before_one_who_came_first_even_while_the_gate_is_free() {
        let gate = Arc::new(Gate::default());
        gate.state.lock().waiting.push_back(u64::MAX);
        assert!(gate.pass(Instant::now(), &|| false).is_none());
    }
}
