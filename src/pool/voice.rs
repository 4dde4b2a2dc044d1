//! Telling those who listen.

use super::events::{PoolEvent, PoolListener, PoolName};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The name of a pool, and those who listen to it.
pub(super) struct Voice {
    pub(super) name: PoolName,
    listeners: Vec<Arc<dyn PoolListener>>,
}

impl Voice {
    pub(super) fn new(name: PoolName, listeners: Vec<Arc<dyn PoolListener>>) -> Self {
        Self { name, listeners }
    }

    /// Whether anybody listens.
    pub(super) fn is_heard(&self) -> bool {
        !self.listeners.is_empty()
    }

    /// Tells those who listen. A panic of one is not the pool's.
    pub(super) fn emit(&self, event: &PoolEvent<'_>) {
        for listener in &self.listeners {
            let tell = || listener.observe(&self.name, event);
            let _ = catch_unwind(AssertUnwindSafe(tell));
        }
    }
}
