//! What others may know of a connection while somebody uses it.

use crate::backend::interrupt::Interrupt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the pool and other threads may know of a connection while its holder uses it.
#[derive(Debug)]
pub(super) struct Badge {
    /// A number that no other connection of this process had.
    pub(super) id: u64,
    /// What ends its statement from another thread.
    pub(super) interrupt: Option<Arc<dyn Interrupt>>,
    /// How many calls began and ended: odd while one runs. Only the holder writes it, so no
    /// read-modify-write is needed.
    calls: AtomicU64,
}

impl Badge {
    pub(super) fn new(interrupt: Option<Arc<dyn Interrupt>>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), interrupt, calls: AtomicU64::new(0) }
    }

    /// Whether a call runs now.
    pub(super) fn is_running(&self) -> bool {
        self.calls.load(Ordering::Relaxed) % 2 == 1
    }

    /// A call begins; it ends when the mark is dropped, also by a panic.
    pub(super) fn begin(&self) -> Running<'_> {
        self.step();
        Running(self)
    }

    fn step(&self) {
        let calls = self.calls.load(Ordering::Relaxed);
        self.calls.store(calls.wrapping_add(1), Ordering::Relaxed);
    }
}

/// Stands for a call that runs.
pub(super) struct Running<'a>(&'a Badge);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.step();
    }
}
