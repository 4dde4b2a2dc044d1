//! How many read at once.

use parking_lot::{Condvar, Mutex};
use std::sync::Arc;

/// Lets as many read at once as there are connections for it: who waits here holds nothing, and
/// waits as long as it takes, where a pool would turn it away after its time-out.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<(Mutex<usize>, Condvar)>);

impl Gate {
    pub(super) fn of(places: usize) -> Self {
        Self(Arc::new((Mutex::new(places.max(1)), Condvar::new())))
    }

    /// Waits for a place.
    pub(super) fn enter(&self) -> Pass {
        let (free, left) = &*self.0;
        let mut free = free.lock();
        while *free == 0 {
            left.wait(&mut free);
        }
        *free -= 1;
        Pass(self.clone())
    }
}

/// A place; dropping it gives it back.
pub(super) struct Pass(Gate);

impl Drop for Pass {
    fn drop(&mut self) {
        let (free, left) = &*self.0.0;
        *free.lock() += 1;
        left.notify_one();
    }
}
