//! The options of a pool: their defaults, where they come from, and what they may be.
//!
//! A typed option wins over one in the URL, and that over the default.

use crate::error::{Error, ErrorKind, Result};
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
    /// How many connections are kept.
    pub pool_size: u32,
    /// How many more may be open.
    pub max_overflow: u32,
    /// How long a check-out may take.
    pub timeout: Duration,
    /// The age at which a connection is replaced; `None` for never.
    pub recycle: Option<Duration>,
    /// Whether a kept connection is asked for a sign of life before it is handed out.
    pub pre_ping: bool,
    /// How long opening one connection may take.
    pub connect_timeout: Duration,
}

/// More connections than this are a mistake in a pool that is to make one server faster.
const MOST_CONNECTIONS: u32 = 10_000;

/// Longer than this is taken for a mistake; it also keeps sums of times in range.
const LONGEST: Duration = Duration::from_hours(10 * 366 * 24);

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            pool_size: 5,
            max_overflow: 10,
            timeout: Duration::from_secs(30),
            recycle: None,
            pre_ping: false,
            connect_timeout: Duration::from_secs(10),
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
            max_overflow: query.max_overflow.unwrap_or(self.max_overflow),
            timeout: query.pool_timeout.unwrap_or(self.timeout),
            recycle: query.pool_recycle.or(self.recycle),
            pre_ping: query.pool_pre_ping.unwrap_or(self.pre_ping),
            connect_timeout: query.connect_timeout.unwrap_or(self.connect_timeout),
        }
    }

    /// Sets how many connections are kept open when nobody uses them.
    ///
    /// They are opened one by one when they are first needed, never in advance.
    ///
    /// Default: 5. At least 1: a pool without a bound would let a job outgrow its server.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.pool_size = connections;
        self
    }

    /// Sets how many connections may exist beyond `pool_size`.
    ///
    /// They are opened when every pooled connection is in use and closed when they come back: at
    /// most `pool_size + max_overflow` exist, at most `pool_size` sleep.
    ///
    /// Default: 10. With 0, `pool_size` is a hard limit.
    #[must_use]
    pub fn max_overflow(mut self, connections: u32) -> Self {
        self.max_overflow = connections;
        self
    }

    /// Sets how long a check-out may take: waiting for a connection and opening one together.
    ///
    /// Default: 30 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Replaces connections older than this when they are next asked for.
    ///
    /// Default: never. Set it below the idle limit of the server or of a firewall.
    #[must_use]
    pub fn recycle(mut self, age: Duration) -> Self {
        self.recycle = Some(age);
        self
    }

    /// Sets whether a kept connection is asked for a sign of life before it is handed out; one
    /// that gives none is replaced.
    ///
    /// Default: no. It costs a round trip for each check-out.
    #[must_use]
    pub fn pre_ping(mut self, pre_ping: bool) -> Self {
        self.pre_ping = pre_ping;
        self
    }

    /// Sets how long opening one connection may take: TCP, authentication and set-up together.
    /// The check-out's own time-out holds beside it.
    ///
    /// Default: 10 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How many connections may be open at once: `pool_size + max_overflow`.
    pub fn capacity(&self) -> u32 {
        self.pool_size.saturating_add(self.max_overflow)
    }

    /// Checks that every option can be used.
    ///
    /// # Errors
    /// `Config`, naming the option.
    pub fn validate(&self) -> Result<()> {
        if self.pool_size == 0 {
            return Err(refused("pool_size must not be 0", "leave it out for 5"));
        }
        if self.capacity() > MOST_CONNECTIONS {
            return Err(refused(
                "pool_size and max_overflow together are more than 10000 connections",
                "a server is fastest with a few for each of its cores",
            ));
        }
        check("timeout", self.timeout)?;
        check("connect_timeout", self.connect_timeout)?;
        self.recycle.map_or(Ok(()), |age| check("recycle", age))
    }
}

fn check(name: &str, duration: Duration) -> Result<()> {
    if duration.is_zero() {
        return Err(refused(&format!("{name} must not be 0"), "leave it out for the default"));
    }
    if duration > LONGEST {
        return Err(refused(&format!("{name} is more than ten years"), "nothing waits so long"));
    }
    Ok(())
}

fn refused(message: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Config, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_sqlalchemy() {
        let options = PoolOptions::new();
        assert_eq!((options.pool_size, options.max_overflow, options.capacity()), (5, 10, 15));
        assert_eq!(options.timeout, Duration::from_secs(30));
        assert!(options.validate().is_ok());
    }

    #[test]
    fn a_refusal_names_the_option() {
        let day = Duration::from_hours(24);
        for (options, name) in [
            (PoolOptions::new().pool_size(0), "pool_size"),
            (PoolOptions::new().max_overflow(u32::MAX), "max_overflow"),
            (PoolOptions::new().timeout(Duration::ZERO), "timeout"),
            (PoolOptions::new().connect_timeout(Duration::MAX), "connect_timeout"),
            (PoolOptions::new().recycle(day * 4000), "recycle"),
        ] {
            let error = options.validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
