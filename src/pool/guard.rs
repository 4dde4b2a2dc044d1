//! A connection on loan.

use super::nested::Mark;
use super::queue::{Shared, contained};
use super::slots::{Slot, Slots};
use crate::backend::Connection;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long making a connection clean may take when it comes back.
const RESET_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection on loan from a pool; dropping it gives it back.
///
/// One that comes back in a transaction is rolled back. One that is broken, or is dropped by a
/// panic, is closed. It may be moved to another thread; for the pool, its holder stays the thread
/// that took it.
pub struct Pooled {
    // ORDER: fields are dropped from top to bottom. The slot is back on the shelf before the
    // permit goes to the next in the line, who relies on finding it there.
    slot: r2d2::PooledConnection<Slots>,
    permit: Permit,
    _mark: Mark,
}

impl Pooled {
    pub(super) fn new(slot: r2d2::PooledConnection<Slots>, permit: Permit, mark: Mark) -> Self {
        Self { slot, permit, _mark: mark }
    }

    /// When the connection was opened; `None` once it was given up.
    pub fn opened(&self) -> Option<Instant> {
        self.slot.opened
    }

    /// Closes the connection now; every later call on it is a `Disconnect`. The pool opens
    /// another when one is needed.
    pub fn invalidate(&mut self) {
        self.permit.shared.discard(&mut self.slot);
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Self { slot, permit, .. } = self;
        let shared = &permit.shared;
        if slot.is_empty() {
            return;
        }
        if std::thread::panicking() || !contained(|| is_clean(slot)) || !shared.ledger.keeps() {
            shared.discard(slot);
        }
    }
}

/// Whether the next borrower can have it; what was left behind is taken away before.
fn is_clean(slot: &mut Slot) -> bool {
    let connection = &mut *slot.connection;
    if connection.is_broken() {
        return false;
    }
    let is_reset = connection.reset(Instant::now() + RESET_TIMEOUT).is_ok();
    is_reset && !connection.in_transaction() && !connection.is_broken()
}

impl Deref for Pooled {
    type Target = dyn Connection;

    fn deref(&self) -> &Self::Target {
        &*self.slot.connection
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.slot.connection
    }
}

impl fmt::Debug for Pooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pooled").field(&self.slot.connection).finish()
    }
}

/// The right to one slot of the pool.
pub(super) struct Permit {
    pub(super) shared: Arc<Shared>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.returned();
    }
}
