//! Connections that are used again, and never more of them than were allowed.
//!
//! - `queue`:   [`QueuePool`]: check-out, check-in, disposal
//! - `guard`:   [`Pooled`]: a connection on loan, and what happens when it comes back
//! - `ledger`:  the counts, and the line of those who wait
//! - `slots`:   what `r2d2` keeps: slots, each with a connection or without
//! - `nested`:  who holds a connection on which thread
//! - `events`:  [`PoolEvent`]: what a pool tells those who listen
//! - `holder`:  [`Holder`]: who holds a connection, and for what
//! - `backoff`: how long to wait before the next attempt to connect
//! - `stats`:   [`PoolStats`]: a snapshot of the counts
//!
//! # What it promises
//!
//! At most `pool_size + max_overflow` connections are open, at most `pool_size` of them sleep;
//! what is beyond is closed when it comes back. Nothing is opened before it is asked for. Those
//! who wait are served in the order in which they came. One deadline covers waiting and opening.
//! A connection that is broken, or comes back during a panic, is closed; one that comes back in a
//! transaction is rolled back first. A thread that holds a connection of a pool and asks it for
//! another gets an error at once instead of waiting for itself.
//!
//! # How it does it
//!
//! ```text
//! get -> line (first come, first served) -> permit -> slot of r2d2 -> connection, opened here
//! drop -> roll back or close -> slot of r2d2 -> permit -> the first in the line
//! ```
//!
//! `r2d2` is the shelf, not the judge. Its manager makes empty slots, which cannot fail or block,
//! and the borrower opens the connection in an empty slot on its own thread: so a wrong password
//! is an error at once and not a time-out, a hanging server delays only the one who connects to
//! it, and no helper thread ever blocks. There are as many permits as slots, and a slot goes back
//! before its permit does: whoever holds a permit finds a slot, or room for one.
//!
//! What is closed is dropped on the thread that returns it; a backend's connection never blocks
//! the one who drops it.
//!
//! # Where more will go
//!
//! The pool's contract has more lines than this part keeps yet. A reset hook and a report of what
//! was left behind belong to `guard::Pooled::drop`; a leak report to `nested`, which knows who
//! holds what since when; the invalidation of all older connections to the age check in
//! `queue::Shared::is_fit`; a pool that keeps nothing is `ledger::Ledger::keeps` saying no.

mod backoff;
mod badge;
mod budget;
mod check_in;
mod check_out;
mod circuit;
mod clock;
mod detached;
mod disposal;
mod events;
mod failure;
mod fitness;
mod guard;
mod holder;
mod hooks;
mod housekeeper;
mod kinds;
mod ledger;
mod link;
mod opening;
#[expect(clippy::module_inception, reason = "the pool of the pool")]
mod pool;
mod request;
mod search;
mod shared;
mod slot;
mod stats;
mod verdict;
mod voice;
mod watched;

pub use budget::Budget;
pub use clock::Clock;
pub use detached::Detached;
pub use events::{CloseReason, PoolEvent, PoolListener, PoolName};
pub use guard::Pooled;
pub use holder::Holder;
pub use hooks::{ConnectionData, Hooked, PoolHooks, Returning};
pub use kinds::{AssertionPool, NullPool, QueuePool};
pub use pool::{CloseReport, Pool};
pub use stats::PoolStats;
pub use verdict::Verdict;
