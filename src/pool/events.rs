//! What a pool tells those who listen.

use super::holder::Holder;
use super::stats::PoolStats;
use crate::backend::leftovers::Leftovers;
use crate::error::Error;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// Which pool an event comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PoolName {
    /// A number that no other pool of this process has.
    pub id: u64,
    /// What it connects to, without the password.
    pub database: String,
}

/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// It was lost, or gave no sign of life.
    Broken,
    /// A holder, a hook or the pool as a whole gave it up.
    Invalidated,
    /// It reached its age.
    Recycled,
    /// Nobody used it for long.
    Idle,
    /// There are enough without it: an overflow connection, or a pool that keeps none.
    Surplus,
    /// It could not be made clean.
    Unclean,
    /// Its holder panicked.
    Panicked,
    /// A hook refused it.
    Refused,
    /// Another pool of the budget needed the room.
    Budget,
    /// The pool was closed.
    PoolClosed,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => "it was lost",
            Self::Invalidated => "it was given up",
            Self::Recycled => "it reached its age",
            Self::Idle => "nobody used it for long",
            Self::Surplus => "there are enough without it",
            Self::Unclean => "it could not be made clean",
            Self::Panicked => "its holder panicked",
            Self::Refused => "a hook refused it",
            Self::Budget => "another pool needed the room",
            Self::PoolClosed => "the pool was closed",
        })
    }
}

/// What happens in a pool. A `connection` is a number that no other connection of this process
/// had; a `label` is what the borrower called its purpose.
///
/// For one borrower the order is `FirstConnect` (once for each pool), `Connect` (once for each new
/// connection), `CheckOut`, `Reset`, `CheckIn`, `Close`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum PoolEvent<'a> {
    /// The first connection of the pool was opened and made ready.
    FirstConnect {
        /// Which.
        connection: u64,
    },
    /// A connection was opened and made ready.
    Connect {
        /// Which.
        connection: u64,
        /// How long it took.
        took: Duration,
    },
    /// A connection could not be opened or made ready.
    ConnectFailed {
        /// Why.
        error: &'a Error,
        /// How long it took.
        took: Duration,
    },
    /// A connection was lent.
    CheckOut {
        /// Which.
        connection: u64,
        /// For what.
        label: Option<&'a str>,
        /// Where it was asked for.
        place: &'static Location<'static>,
        /// How long the borrower waited for it, opening it included.
        waited: Duration,
    },
    /// A connection that came back was made clean. It is worth a warning if anything was left.
    Reset {
        /// Which.
        connection: u64,
        /// For what it was lent.
        label: Option<&'a str>,
        /// What the borrower had left behind.
        leftovers: Leftovers,
    },
    /// A connection that came back could not be made clean; it is closed.
    ResetFailed {
        /// Which.
        connection: u64,
        /// For what it was lent.
        label: Option<&'a str>,
        /// Why.
        error: &'a Error,
    },
    /// A connection came back; what happened to it follows as `Close`, or it sleeps now.
    CheckIn {
        /// Which.
        connection: u64,
        /// For what it was lent.
        label: Option<&'a str>,
        /// How long it was on loan.
        used: Duration,
    },
    /// A connection is given up, and closed at once.
    Invalidate {
        /// Which.
        connection: u64,
        /// The error that made it unusable, if there was one.
        cause: Option<&'a Error>,
    },
    /// A connection is given up: it is replaced when it is next asked for.
    SoftInvalidate {
        /// Which.
        connection: u64,
        /// The error that made it doubtful, if there was one.
        cause: Option<&'a Error>,
    },
    /// All connections opened so far are given up: one was lost, or somebody asked for it.
    InvalidateAll {
        /// The error of the one that was lost; none if somebody asked.
        cause: Option<&'a Error>,
    },
    /// A connection left the pool; it belongs to its holder alone.
    Detach {
        /// Which.
        connection: u64,
        /// For what it was lent.
        label: Option<&'a str>,
    },
    /// A connection of the pool was closed.
    Close {
        /// Which.
        connection: u64,
        /// Why.
        reason: CloseReason,
        /// How old it was.
        age: Duration,
    },
    /// A connection that had left the pool was closed.
    CloseDetached {
        /// Which.
        connection: u64,
    },
    /// A borrower got no connection in time, or was not let into the line.
    Timeout {
        /// For what it was asked.
        label: Option<&'a str>,
        /// How long the borrower waited.
        waited: Duration,
        /// What the borrower was told.
        error: &'a Error,
    },
    /// A connection is on loan for longer than `leak_after`. Told once for each loan.
    Leak {
        /// Who has it.
        holder: &'a Holder,
    },
    /// A connection that was told of as [`Leak`](Self::Leak) came back after all.
    LeakReturned {
        /// Which.
        connection: u64,
        /// For what it was lent.
        label: Option<&'a str>,
        /// How long it was on loan.
        held: Duration,
    },
    /// A hook of the user panicked; the connection it was called for is closed.
    HookPanicked {
        /// Which hook.
        hook: &'static str,
    },
    /// How many there are of all: told after each round of the housekeeper (see
    /// [`Pool::tend`](super::Pool::tend)) and after [`Pool::resize`](super::Pool::resize).
    Counts {
        /// The counts of that moment.
        stats: &'a PoolStats,
    },
    /// The pool was closed.
    PoolClosed,
}

/// Is told what happens in a pool, on the thread on which it happens and without any lock held.
///
/// A listener must be quick and must not ask the pool for a connection. A panic of it is caught
/// and forgotten. Listeners are called in the order in which they were added.
pub trait PoolListener: Send + Sync {
    /// Something happened. Does nothing by default.
    fn observe(&self, pool: &PoolName, event: &PoolEvent<'_>) {
        let _ = (pool, event);
    }
}
