//! A scenario with tasks of an async runtime.

use crate::blocking::key;
use crate::figures::Figures;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;

/// How many rounds of get and return are timed as one.
const PIECE: u32 = 1_000;

/// A pool whose callers are tasks.
pub trait Lend: Send + Sync + 'static {
    /// A connection on loan.
    type Loan<'a>: Send
    where
        Self: 'a;

    /// Takes a connection; dropping it gives it back.
    fn get(&self) -> impl Future<Output = Self::Loan<'_>> + Send;
}

/// A pool of connections to the server.
pub trait Serve: Lend {
    /// Runs [`HOLD`](crate::scenario::HOLD).
    fn hold(loan: &mut Self::Loan<'_>) -> impl Future<Output = ()> + Send;

    /// Runs [`POINT`](crate::scenario::POINT) and returns how long the payload is.
    fn point(loan: &mut Self::Loan<'_>, key: i64) -> impl Future<Output = usize> + Send;
}

/// Runs `work` on a runtime with a thread for each core, as `#[tokio::main]` does.
pub fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("start a runtime").block_on(work)
}

/// One caller takes and gives back.
pub async fn uncontended(pool: &impl Lend, time: Duration) -> Figures {
    let piece = async || {
        let start = Instant::now();
        for _ in 0..PIECE {
            drop(pool.get().await);
        }
        start.elapsed()
    };
    piece().await;
    let end = Instant::now() + time;
    let mut pieces = Vec::new();
    while Instant::now() < end {
        pieces.push(piece().await);
    }
    Figures::of_pieces(&pieces, PIECE)
}

/// `callers` tasks take a connection, hold it, and give it back; the times are their waits.
pub async fn waits<P: Serve>(pool: P, callers: u32, time: Duration) -> Figures {
    turns(pool, callers, time, Turn::Hold).await
}

/// `callers` tasks ask one query after the other; the times are those of check-out and query.
pub async fn points<P: Serve>(pool: P, callers: u32, time: Duration) -> Figures {
    turns(pool, callers, time, Turn::Point).await
}

#[derive(Clone, Copy)]
enum Turn {
    Hold,
    Point,
}

impl Turn {
    async fn take<P: Serve>(self, pool: &P, turn: u64) -> Duration {
        let start = Instant::now();
        let mut loan = pool.get().await;
        match self {
            Self::Hold => {
                let waited = start.elapsed();
                P::hold(&mut loan).await;
                waited
            }
            Self::Point => {
                assert_eq!(P::point(&mut loan, key(turn)).await, 64);
                drop(loan);
                start.elapsed()
            }
        }
    }
}

async fn turns<P: Serve>(pool: P, callers: u32, time: Duration, turn: Turn) -> Figures {
    let pool = Arc::new(pool);
    let barrier = Arc::new(Barrier::new(callers as usize + 1));
    let tasks: Vec<_> = (0..callers)
        .map(|number| {
            let (pool, barrier) = (Arc::clone(&pool), Arc::clone(&barrier));
            tokio::spawn(async move { caller(&*pool, &barrier, number, time, turn).await })
        })
        .collect();
    barrier.wait().await;
    let start = Instant::now();
    let mut times = Vec::new();
    for task in tasks {
        times.push(task.await.expect("a caller"));
    }
    Figures::of_turns(&times, start.elapsed())
}

async fn caller<P: Serve>(
    pool: &P,
    barrier: &Barrier,
    number: u32,
    time: Duration,
    turn: Turn,
) -> Vec<Duration> {
    let mut count = u64::from(number) << 32;
    let warm = Instant::now() + time / 5;
    while Instant::now() < warm {
        turn.take(pool, count).await;
        count += 1;
    }
    barrier.wait().await;
    let end = Instant::now() + time;
    let mut times = Vec::new();
    while Instant::now() < end {
        times.push(turn.take(pool, count).await);
        count += 1;
    }
    times
}
