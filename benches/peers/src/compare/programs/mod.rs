//! The contenders' programs, each as its own users would write it.
//!
//! - `rowmill`:      jobs, queries and statements of its public API
//! - `tokio_postgres`: `tokio-postgres` on the pools `deadpool` and `bb8`: rows one by one as one
//!   writes them first, and at its best (text and binary COPY, pipelined clients)
//! - `sqlx`, `sea_orm`, `diesel_async`: the async mappers
//! - `diesel`, `plain`: the blocking ones: Diesel, and `r2d2` with `postgres` and `rayon`

#[cfg(feature = "diesel")]
pub mod diesel;
#[cfg(feature = "diesel")]
pub mod diesel_async;
pub mod plain;
pub mod rowmill;
pub mod sea_orm;
pub mod sqlx;
pub mod tokio_postgres;
pub mod turns;

#[cfg(feature = "diesel")]
pub use diesel as lineitem_of_diesel;

use super::line_item::LineItem;
use super::task::{Answer, Task};
use std::time::Instant;
use tokio::runtime::Builder;

/// Runs a future on as many threads as there are cores, and says how long that took.
pub fn on_runtime(work: impl Future<Output = Answer>) -> Answer {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("make a runtime");
    timed(|| runtime.block_on(work))
}

/// Says how long some work took, unless it said so itself.
pub fn timed(work: impl FnOnce() -> Answer) -> Answer {
    let start = Instant::now();
    let answer = work();
    let seconds = start.elapsed().as_secs_f64();
    if answer.seconds > 0.0 { answer } else { Answer { seconds, ..answer } }
}

/// Adds up what parts of the work answered.
pub fn total(parts: impl IntoIterator<Item = Answer>) -> Answer {
    parts.into_iter().fold(Answer::default(), |all, part| Answer {
        rows: all.rows + part.rows,
        sum: all.sum.wrapping_add(part.sum),
        ..all
    })
}

/// So many rows, and nothing else to say.
pub fn rows(rows: u64) -> Answer {
    Answer { rows, ..Answer::default() }
}

/// The numbers of the rows of each of `parts` connections.
pub fn shares(rows: u64, parts: usize) -> Vec<std::ops::Range<u64>> {
    let parts = parts as u64;
    (0..parts).map(|part| rows * part / parts..rows * (part + 1) / parts).collect()
}

/// The rows of a load, made and dropped on two threads: what each contender pays for them.
pub fn made(task: &Task) -> Answer {
    timed(|| {
        let sum = |share: std::ops::Range<u64>| Answer {
            rows: share.end - share.start,
            sum: share
                .map(|number| std::hint::black_box(LineItem::nth(number)).l_partkey as u64)
                .sum(),
            ..Answer::default()
        };
        let sum = &sum;
        std::thread::scope(|scope| {
            let shares = shares(task.rows, task.connections).into_iter();
            let threads: Vec<_> = shares.map(|share| scope.spawn(move || sum(share))).collect();
            total(threads.into_iter().map(|thread| thread.join().expect("a thread")))
        })
    })
}
