//! Waking those who ask the servers, and those who wait for what comes of it.

use parking_lot::{Condvar, Mutex};
use std::time::Instant;

/// Wakes those who ask the servers. It outlives the router, so that they learn of its end.
#[derive(Debug)]
pub(super) struct Signal {
    state: Mutex<Calls>,
    called: Condvar,
}

#[derive(Debug)]
struct Calls {
    nodes: Vec<bool>,
    is_over: bool,
}

impl Signal {
    pub(super) fn new(nodes: usize) -> Self {
        let calls = Calls { nodes: vec![false; nodes], is_over: false };
        Self { state: Mutex::new(calls), called: Condvar::new() }
    }

    /// Has `node` asked now.
    pub(super) fn call(&self, node: usize) {
        if let Some(called) = self.state.lock().nodes.get_mut(node) {
            *called = true;
        }
        self.called.notify_all();
    }

    /// Has all asked now.
    pub(super) fn call_all(&self) {
        self.state.lock().nodes.fill(true);
        self.called.notify_all();
    }

    /// `node` is being asked: that answers who called for it before.
    pub(super) fn answer(&self, node: usize) {
        if let Some(called) = self.state.lock().nodes.get_mut(node) {
            *called = false;
        }
    }

    /// Ends all who ask.
    pub(super) fn end(&self) {
        self.state.lock().is_over = true;
        self.called.notify_all();
    }

    /// Waits until `node` is called, but not before `soonest`, or until `latest`; says whether all is
    /// over.
    pub(super) fn wait(&self, node: usize, soonest: Instant, latest: Instant) -> bool {
        let mut calls = self.state.lock();
        while !calls.is_over {
            let is_called = calls.nodes.get(node).copied().unwrap_or(false);
            let until = if is_called { soonest } else { latest };
            if self.called.wait_until(&mut calls, until).timed_out() {
                break;
            }
        }
        calls.is_over
    }
}
