//! A snapshot of the counts.

use std::fmt;
use std::time::Duration;

/// A snapshot of the counts of a pool.
///
/// `Display` is the form of the time-out's message: `5 in use, 0 idle, 3 waiting, limit 15`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Connections that sleep in the pool.
    pub idle: u32,
    /// Connections on loan, and those being opened for a borrower.
    pub in_use: u32,
    /// Threads that wait for a connection.
    pub waiting: u32,
    /// Connections that are open, on loan or not.
    pub total: u32,
    /// How many are kept.
    pub pool_size: u32,
    /// How many may be open.
    pub limit: u32,
    /// The most that were in use at once so far.
    pub peak_in_use: u32,
    /// The longest time that a thread stood in the line so far.
    pub longest_wait: Duration,
    /// How long threads stood in the line so far, together.
    pub total_wait: Duration,
    /// How long connections were on loan so far, together; those still out are not counted.
    pub total_use: Duration,
    /// How many times a connection was lent.
    pub check_outs: u64,
    /// How many threads stood in the line so far.
    pub waits: u64,
    /// How many got no connection in time, or were not let into the line.
    pub timeouts: u64,
    /// How many connections were opened.
    pub connects: u64,
    /// How many attempts to open one failed.
    pub connect_failures: u64,
    /// How many connections were closed, for whatever reason.
    pub closed: u64,
    /// How many of those were lost, given up or not clean.
    pub discarded: u64,
    /// How many of those had reached their age.
    pub recycled: u64,
    /// How many came back with something left behind that was taken away.
    pub resets: u64,
    /// How many loans were longer than `leak_after`.
    pub leaks: u64,
}

impl PoolStats {
    /// How many connections are open beyond the kept ones; less than 0 while there are fewer. This
    /// is the number that SQLAlchemy calls overflow.
    pub fn overflow(&self) -> i64 {
        i64::from(self.total) - i64::from(self.pool_size)
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { idle, in_use, waiting, limit, .. } = self;
        write!(f, "{in_use} in use, {idle} idle, {waiting} waiting, limit {limit}")
    }
}
