//! A scenario with threads.

use crate::figures::Figures;
use crate::scenario::KEYS;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// How many rounds of get and return are timed as one.
const PIECE: u32 = 1_000;

/// A pool whose callers are threads.
pub trait Lend: Sync {
    /// A connection on loan.
    type Loan;

    /// Takes a connection; dropping it gives it back.
    fn get(&self) -> Self::Loan;
}

/// A pool of connections to the server.
pub trait Serve: Lend {
    /// Runs [`HOLD`](crate::scenario::HOLD).
    fn hold(loan: &mut Self::Loan);

    /// Runs [`POINT`](crate::scenario::POINT) and returns how long the payload is.
    fn point(loan: &mut Self::Loan, key: i64) -> usize;
}

/// One caller takes and gives back.
pub fn uncontended(pool: &impl Lend, time: Duration) -> Figures {
    let piece = || {
        let start = Instant::now();
        for _ in 0..PIECE {
            drop(pool.get());
        }
        start.elapsed()
    };
    // Opens the connection, and warms up.
    piece();
    let end = Instant::now() + time;
    let mut pieces = Vec::new();
    while Instant::now() < end {
        pieces.push(piece());
    }
    Figures::of_pieces(&pieces, PIECE)
}

/// `callers` threads take a connection, hold it, and give it back; the times are their waits.
pub fn waits<P: Serve>(pool: &P, callers: u32, time: Duration) -> Figures {
    turns(callers, time, |_| {
        let start = Instant::now();
        let mut loan = pool.get();
        let waited = start.elapsed();
        P::hold(&mut loan);
        waited
    })
}

/// `callers` threads ask one query after the other; the times are those of check-out and query.
pub fn points<P: Serve>(pool: &P, callers: u32, time: Duration) -> Figures {
    turns(callers, time, |turn| {
        let start = Instant::now();
        let mut loan = pool.get();
        assert_eq!(P::point(&mut loan, key(turn)), 64);
        drop(loan);
        start.elapsed()
    })
}

/// The key of a turn: all over the table, the same for every pool.
pub fn key(turn: u64) -> i64 {
    (turn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as i64 % KEYS + 1
}

fn turns(callers: u32, time: Duration, turn: impl Fn(u64) -> Duration + Sync) -> Figures {
    // Every connection is open, and every statement known, before the clock starts.
    let warm_up = time / 5;
    let barrier = Barrier::new(callers as usize + 1);
    let caller = |number: u64| {
        let mut count = number << 32;
        let mut until = |end: Instant| {
            let mut times = Vec::new();
            while Instant::now() < end {
                times.push(turn(count));
                count += 1;
            }
            times
        };
        until(Instant::now() + warm_up);
        barrier.wait();
        until(Instant::now() + time)
    };
    let caller = &caller;
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..callers).map(|number| scope.spawn(move || caller(u64::from(number)))).collect();
        barrier.wait();
        let start = Instant::now();
        let times: Vec<_> =
            threads.into_iter().map(|thread| thread.join().expect("a caller")).collect();
        Figures::of_turns(&times, start.elapsed())
    })
}
