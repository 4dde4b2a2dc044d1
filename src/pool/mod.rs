//! Connections that are used again, and never more of them than were allowed.
//!
//! What its users call:
//!
//! - `pool`:    [`Pool`]: check-out, disposal, counts
//! - `kinds`:   [`QueuePool`], [`NullPool`], [`AssertionPool`]: the kinds by their names
//! - `guard`:   [`Pooled`]: a connection on loan
//! - `detached`: [`Detached`]: a connection that left the pool
//! - `hooks`:   [`PoolHooks`]: listeners, hooks and what else a user adds
//! - `events`:  [`PoolEvent`]: what a pool tells those who listen
//! - `holder`:  [`Holder`]: who holds a connection, and for what
//! - `stats`:   [`PoolStats`]: a snapshot of the counts
//! - `budget`:  [`Budget`]: connections that several pools share
//! - `clock`:   [`Clock`]: the clock by which ages are judged
//!
//! The way of a connection:
//!
//! - `check_out`: from a request to a loan; `request` is what is asked for
//! - `search`:  what the holder of a seat does until it has a connection that is fit
//! - `fitness`: whether a connection can be lent
//! - `opening`: opening one and making it ready; `circuit` says who may try, `backoff` how soon
//! - `watched`: a connection in the hands of its holder
//! - `check_in`: making it clean when it comes back, or closing it
//! - `disposal`: closing one while somebody waits for its seat
//! - `housekeeper`: what has to be done when nobody asks
//!
//! What it is made of:
//!
//! - `shared`:  what a pool and its connections on loan have in common
//! - `ledger`:  the counts, the line of those who wait, what sleeps
//! - `slot`:    places for connections, of which `r2d2` has the number
//! - `link`:    a connection and what the pool knows of it; `badge` is what other threads may know
//! - `verdict`: which errors say that a connection was lost
//! - `failure`: the errors of a pool
//! - `voice`:   telling those who listen
//!
//! # What it promises
//!
//! **Room.** At most `pool_size + max_overflow` connections are open, at most `pool_size` of them
//! sleep; what is beyond is closed when it comes back. A connection that is being closed still
//! takes its room.
//!
//! Sizes can be changed while the pool is used: more is there at once, and what is too much is closed
//! as soon as nobody has it.
//!
//! **Time.** Those who wait are served in the order in which they came. One deadline covers
//! waiting, opening and asking for a sign of life; it holds also where closing takes long. A
//! time-out says who holds what since when, and why none could be opened.
//!
//! **Health.** A connection that is broken, too old, given up or cannot be made clean is closed,
//! and so is one that comes back during a panic. One that is lost gives up all that were opened
//! before it, once for all that are lost together. A server that is not known to answer is asked
//! by one thread at a time, with pauses of at most a second; a refusal that stays, such as a wrong
//! password, is told to all who ask within the next second without asking again.
//!
//! **Threads.** A thread that holds a connection of a pool and asks it for another gets an error
//! at once instead of waiting for itself, unless the options allow for it. The pool starts one
//! thread at most, and only if its options ask for something to be done when nobody asks.
//!
//! **Hooks** that fail or panic cost their connection and nothing else; listeners that panic cost
//! nothing.
//!
//! # How it does it
//!
//! ```text
//! get -> line (first come, first served) -> seat -> a connection that slept, or one opened here
//! drop -> reset or close -> asleep again, or its slot back to r2d2 -> seat -> the first in the line
//! ```
//!
//! `r2d2` is the store of slots, not the judge. Its manager makes empty slots, which cannot fail
//! or block, and never more than may be open; the borrower opens the connection in an empty slot
//! on its own thread: so a wrong password is an error at once and not a time-out, a hanging server
//! delays only the one who connects to it, and no helper thread ever blocks. The slot of a closed
//! connection goes back to `r2d2`. Those whose connections sleep are kept at hand by the ledger,
//! in their order, beside the seats and the line: taking a connection and giving it back is one
//! lock each, where `r2d2` and a ledger beside it would be five.
//!
//! There are as many seats as slots, and a slot goes back before its seat does: whoever has a seat
//! finds a slot, or room for one. Seats that are taken and connections that sleep are together
//! never more than may be open.
//!
//! The clock of ages can be set by hand, so that tests need not sleep.

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
