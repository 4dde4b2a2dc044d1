//! What a few transactions in a row say of a number of workers.

use std::time::{Duration, Instant};

/// A transaction of a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// The rows of its batches.
    pub(super) rows: u64,
    /// How long it took, from the first row that was read.
    pub(super) time: Duration,
    /// How many batches were in flight when it ended, itself included.
    pub(super) in_flight: usize,
    /// How many batches may share a transaction now.
    pub(super) together: usize,
    /// How many batches are still to be handed out.
    pub(super) left: usize,
    /// Whether nothing was tried again meanwhile.
    pub(super) is_smooth: bool,
    /// Whether a row was refused meanwhile: to find it takes time that is no measure for others.
    pub(super) has_refused: bool,
}

/// What the clocks show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// The processor time of this process; `None` where the system does not tell.
    pub(super) own: Option<Duration>,
    /// For how long processors of this machine had nothing to do, all together.
    pub(super) idle: Option<Duration>,
    /// How long a commit takes at least.
    pub(super) commit: Duration,
}

/// What is measured between two transactions.
#[derive(Debug)]
pub(super) struct Window {
    opened: Instant,
    reading: Reading,
    transactions: usize,
    rows: u64,
    worked: Duration,
    in_flight: usize,
}

/// What a window came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Rows by second.
    pub(super) speed: f64,
    /// How many processors this process kept busy.
    pub(super) own: Option<f64>,
    /// How many processors of the machine had nothing to do.
    pub(super) idle: Option<f64>,
    /// How long a commit takes at least.
    pub(super) commit: Duration,
}

/// A window is no shorter, and has no fewer transactions; of each worker, two.
const LEAST_TIME: Duration = Duration::from_millis(200);
const LEAST_TRANSACTIONS: usize = 4;
const ROUNDS: usize = 2;

impl Window {
    pub(super) fn open(now: Instant, reading: Reading) -> Self {
        let worked = Duration::ZERO;
        Self { opened: now, reading, transactions: 0, rows: 0, worked, in_flight: 0 }
    }

    pub(super) fn add(&mut self, done: &Done) {
        self.transactions += 1;
        self.rows += done.rows;
        self.worked += done.time;
        self.in_flight = self.in_flight.max(done.in_flight);
    }

    /// Whether it says enough of `workers` workers.
    pub(super) fn is_full(&self, workers: usize, now: Instant) -> bool {
        self.transactions >= (ROUNDS * workers).max(LEAST_TRANSACTIONS)
            && now.saturating_duration_since(self.opened) >= LEAST_TIME
    }

    /// Closes it.
    ///
    /// The speed is that of a worker, times those that were at work: transactions that end together
    /// would make it now higher, now lower, if they were counted by the clock on the wall.
    pub(super) fn close(&self, now: Instant, reading: Reading) -> Seen {
        let passed = now.saturating_duration_since(self.opened).as_secs_f64();
        let share = |before: Option<Duration>, after: Option<Duration>| {
            let spent = after?.saturating_sub(before?);
            Some(spent.as_secs_f64() / passed.max(f64::EPSILON))
        };
        let worked = self.worked.as_secs_f64().max(f64::EPSILON);
        Seen {
            speed: self.rows as f64 / worked * self.in_flight as f64,
            own: share(self.reading.own, reading.own),
            idle: share(self.reading.idle, reading.idle),
            commit: reading.commit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn done(rows: u64, time: Duration) -> Done {
        Done {
            rows,
            time,
            in_flight: 2,
            together: 1,
            left: 100,
            is_smooth: true,
            has_refused: false,
        }
    }

    fn reading(own: Duration, idle: Duration) -> Reading {
        Reading { own: Some(own), idle: Some(idle), commit: MS }
    }

    #[test]
    fn a_window_has_two_transactions_of_each_worker_and_a_fifth_of_a_second() {
        let now = Instant::now();
        let mut window = Window::open(now, reading(MS, MS));
        (0..4).for_each(|_| window.add(&done(10, MS)));
        assert!(!window.is_full(2, now + 199 * MS));
        assert!(window.is_full(2, now + 200 * MS) && window.is_full(1, now + 200 * MS));
        assert!(!window.is_full(3, now + 1_000 * MS));
    }

    #[test]
    fn the_speed_is_that_of_a_worker_times_those_that_worked() {
        let now = Instant::now();
        let mut window = Window::open(now, reading(100 * MS, 50 * MS));
        (0..4).for_each(|_| window.add(&done(50, 250 * MS)));
        let seen = window.close(now + 500 * MS, reading(350 * MS, 800 * MS));
        assert_eq!((seen.speed, seen.own, seen.idle), (400.0, Some(0.5), Some(1.5)));
    }
}
