//! The options of a pool, each with its default.

use super::choices::{Order, Overflow, PoolKind, ResetPolicy, Start};
use crate::url::{DatabaseUrl, PoolQuery};
use std::time::Duration;

/// The options of a pool.
///
/// ```
/// use rowmill::PoolOptions;
/// use std::time::Duration;
/// let options = PoolOptions::new().pool_size(4).max_overflow(0).timeout(Duration::from_secs(5));
/// assert_eq!(options.capacity(), 4);
/// assert!(options.validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolOptions {
    /// Which kind of pool it is.
    pub kind: PoolKind,
    /// How many connections are kept; 0 for all.
    pub pool_size: u32,
    /// How many more may be open.
    pub max_overflow: Overflow,
    /// Which of the kept connections is lent next.
    pub order: Order,
    /// What the pool does when it is made.
    pub start: Start,
    /// How many connections sleep at least.
    pub min_idle: u32,
    /// How many threads may wait; `None` for any number.
    pub max_waiting: Option<u32>,
    /// How many connections one thread may hold at once.
    pub nested: u32,
    /// How many threads hold so many.
    pub nested_threads: u32,
    /// How long a check-out may take.
    pub timeout: Duration,
    /// How long opening one connection may take.
    pub connect_timeout: Duration,
    /// Whether a kept connection is asked for a sign of life before it is handed out.
    pub pre_ping: bool,
    /// How long a sign of life may take.
    pub ping_timeout: Duration,
    /// A connection that was in use for less than this long ago is not asked.
    pub ping_bypass: Duration,
    /// The age at which a connection is replaced; `None` for never.
    pub recycle: Option<Duration>,
    /// By how much sooner it may be replaced; `None` for 2.5 %.
    pub recycle_jitter: Option<Duration>,
    /// How long a connection may sleep before it is closed; `None` for any time.
    pub idle_timeout: Option<Duration>,
    /// How long a connection may sleep before it is asked for a sign of life; `None` for any time.
    pub keepalive: Option<Duration>,
    /// What happens to a transaction that is open when a connection comes back.
    pub reset: ResetPolicy,
    /// How long making a connection clean may take when it comes back.
    pub reset_timeout: Duration,
    /// How long a connection may be on loan before it is reported; `None` for any time.
    pub leak_after: Option<Duration>,
}

/// More connections than this are a mistake in a pool that is to make one server faster; it is
/// what "unlimited" means.
pub(super) const MOST_CONNECTIONS: u32 = 10_000;

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            kind: PoolKind::default(),
            pool_size: 5,
            max_overflow: Overflow::default(),
            order: Order::default(),
            start: Start::default(),
            min_idle: 0,
            max_waiting: None,
            nested: 1,
            nested_threads: 1,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            pre_ping: false,
            ping_timeout: Duration::from_secs(5),
            ping_bypass: Duration::from_millis(500),
            recycle: None,
            recycle_jitter: None,
            idle_timeout: None,
            keepalive: None,
            reset: ResetPolicy::default(),
            reset_timeout: Duration::from_secs(5),
            leak_after: None,
        }
    }
}

impl PoolOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The defaults with the options that `url` names.
    pub fn from_url(url: &DatabaseUrl) -> Self {
        Self::default().with(&url.pool)
    }

    /// These options with those that `query` names.
    #[must_use]
    pub fn with(self, query: &PoolQuery) -> Self {
        Self {
            pool_size: query.pool_size.unwrap_or(self.pool_size),
            max_overflow: match query.max_overflow {
                None => self.max_overflow,
                Some(None) => Overflow::Unlimited,
                Some(Some(connections)) => Overflow::AtMost(connections),
            },
            timeout: query.pool_timeout.unwrap_or(self.timeout),
            recycle: query.pool_recycle.or(self.recycle),
            pre_ping: query.pool_pre_ping.unwrap_or(self.pre_ping),
            order: match query.pool_use_lifo {
                None => self.order,
                Some(true) => Order::Lifo,
                Some(false) => Order::Fifo,
            },
            min_idle: query.min_idle.unwrap_or(self.min_idle),
            idle_timeout: query.idle_timeout.or(self.idle_timeout),
            keepalive: query.pool_keepalive.or(self.keepalive),
            max_waiting: query.max_waiting.or(self.max_waiting),
            leak_after: query.leak_after.or(self.leak_after),
            connect_timeout: query.connect_timeout.unwrap_or(self.connect_timeout),
            ..self
        }
    }

    /// How many connections may be open at once: `pool_size + max_overflow`.
    ///
    /// "Unlimited" is 10,000, more than any server takes: whatever needs a number, as the permits
    /// of a job do, has one. A job is then bounded by its workers, of which there are as many as
    /// processors unless it says otherwise.
    pub fn capacity(&self) -> u32 {
        match (self.kind, self.max_overflow) {
            (PoolKind::Assertion, _) => 1,
            (_, Overflow::AtMost(more)) if self.pool_size > 0 => {
                self.pool_size.saturating_add(more)
            }
            _ => MOST_CONNECTIONS,
        }
    }

    /// Whether as many connections may be open as are asked for.
    pub fn is_unlimited(&self) -> bool {
        let has_no_end = self.pool_size == 0 || self.max_overflow == Overflow::Unlimited;
        has_no_end && self.kind != PoolKind::Assertion
    }

    /// How many connections may sleep.
    pub fn kept(&self) -> u32 {
        match (self.kind, self.pool_size) {
            (PoolKind::Null, _) => 0,
            (PoolKind::Assertion, _) => 1,
            (PoolKind::Queue, 0) => self.capacity(),
            (PoolKind::Queue, kept) => kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_sqlalchemy() {
        let options = PoolOptions::new();
        assert_eq!((options.pool_size, options.kept(), options.capacity()), (5, 5, 15));
        assert_eq!(options.timeout, Duration::from_secs(30));
        assert!(options.validate().is_ok());
    }

    #[test]
    fn unlimited_is_more_than_any_server_takes() {
        let options = PoolOptions::new().pool_size(0).max_overflow(3);
        assert_eq!((options.capacity(), options.kept()), (MOST_CONNECTIONS, MOST_CONNECTIONS));
        let options = PoolOptions::new().pool_size(3).unlimited_overflow();
        assert_eq!((options.capacity(), options.kept()), (MOST_CONNECTIONS, 3));
        assert!(options.validate().is_ok());
    }
}
