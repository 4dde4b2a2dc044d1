//! The options of a pool that are a word and not a number.

/// Which kind of pool it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PoolKind {
    /// Keeps connections and lends them again. The default.
    #[default]
    Queue,
    /// Keeps none: a connection is opened when it is asked for and closed when it comes back.
    /// What has to do with kept connections (pinging, recycling, idle time) means nothing here.
    Null,
    /// Lends one connection at a time; asking for a second one is an error at once that names the
    /// place of the first. For tests.
    Assertion,
}

/// How many connections may be open beyond `pool_size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// At most so many.
    AtMost(u32),
    /// As many as are asked for: `max_overflow=-1` in a URL.
    Unlimited,
}

impl Default for Overflow {
    fn default() -> Self {
        Self::AtMost(10)
    }
}

impl From<u32> for Overflow {
    fn from(connections: u32) -> Self {
        Self::AtMost(connections)
    }
}

/// Which of the connections that sleep is lent next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The one that came back last: few connections are hot, the others may be closed as idle.
    /// The default.
    #[default]
    Lifo,
    /// The one that came back first: all are used in turn.
    Fifo,
}

/// What a pool does when it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Start {
    /// Nothing: connections are opened when they are first asked for. The default.
    #[default]
    Lazy,
    /// Opens `min_idle` connections, or `pool_size` without one, in parallel and within
    /// `timeout`; that some cannot be opened is no error.
    Eager,
    /// Opens one connection and fails with its error if that cannot be done.
    FailFast,
}

/// What happens to a transaction that is open when a connection comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResetPolicy {
    /// It is rolled back, and what the session kept (settings, locks, temporary tables) is taken
    /// away. The default.
    #[default]
    Rollback,
    /// As `Rollback`, and the session is made new after every loan in which a statement ran, also
    /// where nothing is known to have changed it: one round trip. Without it, PostgreSQL is asked
    /// every ten seconds at most which code in the database can change a session, so that code that
    /// somebody installed just now may go unnoticed, and so may what a function in C does.
    Thorough,
    /// It is committed, and what the session kept is taken away.
    Commit,
    /// Nothing is sent. A connection that comes back in a transaction is closed, for the next
    /// borrower must not see it; what else the session kept stays.
    None,
}
