//! The right to be in flight.
//!
//! There are as many permits as connections for the job; a permit is taken before a batch is
//! handed to the workers and comes back after its connection did. The second bound is on bytes: a
//! batch waits until what is in flight leaves room for it, and one that is larger than all the
//! room there is goes alone.

use parking_lot::{Condvar, Mutex};
use std::sync::Arc;

#[derive(Debug)]
struct Room {
    permits: usize,
    bytes: u64,
    /// The fewest permits that there were.
    fewest: usize,
}

#[derive(Debug)]
struct Shared {
    room: Mutex<Room>,
    released: Condvar,
    permits: usize,
    bytes: u64,
}

/// The permits of a job.
#[derive(Clone, Debug)]
pub(super) struct Permits(Arc<Shared>);

impl Permits {
    /// `permits` permits, for `bytes` bytes in flight together.
    pub(super) fn new(permits: usize, bytes: u64) -> Self {
        Self(Arc::new(Shared {
            room: Mutex::new(Room { permits, bytes, fewest: permits }),
            released: Condvar::new(),
            permits,
            bytes,
        }))
    }

    /// Waits for a permit and for room for `bytes` bytes. Only one thread takes permits, so they
    /// are given in the order of the asking.
    pub(super) fn acquire(&self, bytes: u64) -> Permit {
        let bytes = bytes.min(self.0.bytes);
        let mut room = self.0.room.lock();
        while room.permits == 0 || room.bytes < bytes {
            self.0.released.wait(&mut room);
        }
        room.permits -= 1;
        room.fewest = room.fewest.min(room.permits);
        room.bytes -= bytes;
        Permit { home: Arc::clone(&self.0), bytes }
    }

    /// The most that were taken at once so far.
    pub(super) fn peak(&self) -> usize {
        self.0.permits - self.0.room.lock().fewest
    }
}

/// The right to be in flight; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Permit {
    home: Arc<Shared>,
    bytes: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut room = self.home.room.lock();
        room.permits += 1;
        room.bytes += self.bytes;
        drop(room);
        self.home.released.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_batch_waits_until_a_permit_comes_back() {
        let permits = Permits::new(1, 100);
        let first = permits.acquire(1);
        let (sender, receiver) = mpsc::channel();
        let waiter = std::thread::spawn({
            let permits = permits.clone();
            move || {
                let permit = permits.acquire(1);
                sender.send(()).unwrap();
                drop(permit);
            }
        });
        assert!(receiver.try_recv().is_err());
        drop(first);
        receiver.recv().unwrap();
        waiter.join().unwrap();
        assert_eq!(permits.0.room.lock().permits, 1);
    }

    /// batch 3.7.3
    #[test]
    fn bytes_in_flight_are_bounded_and_a_giant_goes_alone() {
        let permits = Permits::new(8, 100);
        let giant = permits.acquire(1_000);
        assert_eq!(permits.0.room.lock().bytes, 0);
        drop(giant);
        let (small, other) = (permits.acquire(60), permits.acquire(40));
        assert_eq!(permits.0.room.lock().bytes, 0);
        drop((small, other));
        assert_eq!(permits.0.room.lock().bytes, 100);
        assert_eq!(permits.peak(), 2);
    }
}
