//! The right to be in flight.
//!
//! There are as many permits as connections for the job; a permit is taken before a batch is
//! handed to the workers and comes back after its connection did. How many may be taken at once can
//! change while they are. Each is for the lowest seat that is free, so that as few workers as possible
//! do the work, and keep its memory. The second bound is on bytes: a batch waits until what is in
//! flight leaves room for it, and one that is larger than all the room there is goes alone.

use parking_lot::{Condvar, Mutex};
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Debug)]
struct Room {
    /// The seats that are free.
    free: BTreeSet<usize>,
    /// How many may be taken at once.
    allowed: usize,
    bytes: u64,
    /// The most that were taken at once.
    peak: usize,
}

#[derive(Debug)]
struct Shared {
    room: Mutex<Room>,
    changed: Condvar,
    permits: usize,
    bytes: u64,
}

/// The permits of a job.
#[derive(Clone, Debug)]
pub(super) struct Permits(Arc<Shared>);

impl Permits {
    /// `permits` permits, for `bytes` bytes in flight together.
    pub(super) fn new(permits: usize, bytes: u64) -> Self {
        let free = (0..permits).collect();
        Self(Arc::new(Shared {
            room: Mutex::new(Room { free, allowed: permits, bytes, peak: 0 }),
            changed: Condvar::new(),
            permits,
            bytes,
        }))
    }

    /// Waits for a permit and for room for `bytes` bytes. Only one thread takes permits, so they
    /// are given in the order of the asking.
    pub(super) fn acquire(&self, bytes: u64) -> Permit {
        let bytes = bytes.min(self.0.bytes);
        let mut room = self.0.room.lock();
        loop {
            let taken = self.0.permits - room.free.len();
            if taken < room.allowed
                && room.bytes >= bytes
                && let Some(seat) = room.free.pop_first()
            {
                room.peak = room.peak.max(taken + 1);
                room.bytes -= bytes;
                return Permit { home: Arc::clone(&self.0), seat, bytes };
            }
            self.0.changed.wait(&mut room);
        }
    }

    /// Lets `count` of them be taken at once, at least one. Where more are taken, none is given until
    /// enough came back.
    pub(super) fn allow(&self, count: usize) {
        let mut room = self.0.room.lock();
        let before = std::mem::replace(&mut room.allowed, count.clamp(1, self.0.permits.max(1)));
        let grew = room.allowed > before;
        drop(room);
        if grew {
            self.0.changed.notify_one();
        }
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.0.permits - self.0.room.lock().free.len()
    }

    /// The most that were taken at once so far.
    pub(super) fn peak(&self) -> usize {
        self.0.room.lock().peak
    }
}

/// The right to be in flight; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Permit {
    home: Arc<Shared>,
    seat: usize,
    bytes: u64,
}

impl Permit {
    /// Its place among all permits, from 0: the worker who may use it.
    pub(super) fn seat(&self) -> usize {
        self.seat
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut room = self.home.room.lock();
        room.free.insert(self.seat);
        room.bytes += self.bytes;
        drop(room);
        self.home.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_mins(1);

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
        assert_eq!(permits.taken(), 0);
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

    #[test]
    fn the_lowest_free_seat_is_given() {
        let permits = Permits::new(3, 100);
        let (first, second) = (permits.acquire(1), permits.acquire(1));
        assert_eq!((first.seat(), second.seat()), (0, 1));
        drop(first);
        assert_eq!(permits.acquire(1).seat(), 0);
    }

    /// Waits in another thread for a permit, and sends its seat.
    fn wait_for_one(permits: &Permits) -> mpsc::Receiver<Permit> {
        let (sender, receiver) = mpsc::channel();
        let permits = permits.clone();
        std::thread::spawn(move || sender.send(permits.acquire(1)).unwrap());
        receiver
    }

    #[test]
    fn who_waits_gets_a_permit_as_soon_as_more_are_allowed() {
        let permits = Permits::new(4, 100);
        permits.allow(1);
        let _first = permits.acquire(1);
        let waiting = wait_for_one(&permits);
        assert!(waiting.try_recv().is_err());
        permits.allow(2);
        let second = waiting.recv_timeout(LIMIT).unwrap();
        assert_eq!((second.seat(), permits.taken(), permits.peak()), (1, 2, 2));
    }

    #[test]
    fn where_more_are_taken_than_are_allowed_none_is_given_until_enough_came_back() {
        let permits = Permits::new(4, 100);
        let mut taken: Vec<_> = (0..4).map(|_| permits.acquire(1)).collect();
        permits.allow(2);
        let waiting = wait_for_one(&permits);
        for _ in 0..2 {
            taken.pop();
            assert!(waiting.try_recv().is_err());
        }
        taken.pop();
        assert_eq!(waiting.recv_timeout(LIMIT).unwrap().seat(), 1);
        assert_eq!(permits.peak(), 4);
    }
}
