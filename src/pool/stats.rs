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
    /// How many may be open.
    pub limit: u32,
    /// The most that were in use at once so far.
    pub peak_in_use: u32,
    /// The longest time that a thread stood in the line so far.
    pub longest_wait: Duration,
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { idle, in_use, waiting, limit, .. } = self;
        write!(f, "{in_use} in use, {idle} idle, {waiting} waiting, limit {limit}")
    }
}
