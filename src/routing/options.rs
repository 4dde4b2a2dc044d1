//! How reads are spread, and when a server is left out.

use super::policy::Policy;
use crate::error::{Error, ErrorKind, Result};
use std::time::Duration;

/// How reads are spread over the replicas of an engine, and when one is left out.
///
/// ```
/// use rowmill::{Policy, RoutingOptions};
/// use std::time::Duration;
/// let options = RoutingOptions::new()
///     .policy(Policy::LeastInUse)
///     .max_lag(Duration::from_secs(5));
/// assert!(options.validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RoutingOptions {
    /// Which replica serves a read.
    pub policy: Policy,
    /// Which share of the reads the primary serves.
    pub primary_share: f64,
    /// How far a replica may lag behind in time; `None` for as far as it wants.
    pub max_lag: Option<Duration>,
    /// How far a replica may lag behind in bytes of log; `None` for as far as it wants.
    pub max_lag_bytes: Option<u64>,
    /// The pause between two questions to a server.
    pub probe_interval: Duration,
    /// How long a question may take, connecting included.
    pub probe_timeout: Duration,
    /// So many questions in a row without an answer make a server count as gone.
    pub fall: u32,
    /// So many answers in a row make a server count as there again.
    pub rise: u32,
    /// How long a server that came back gets less than its share.
    pub slow_start: Duration,
    /// How long a read after a token waits for a replica.
    pub token_wait: Duration,
    /// How long a write waits for a primary; `None` for as long as a check-out may take.
    pub primary_wait: Option<Duration>,
    /// Where chance begins; `None` for somewhere.
    pub seed: Option<u64>,
}

impl Default for RoutingOptions {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            primary_share: 0.0,
            max_lag: Some(Duration::from_secs(30)),
            max_lag_bytes: None,
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_secs(1),
            fall: 3,
            rise: 2,
            slow_start: Duration::from_secs(10),
            token_wait: Duration::from_secs(1),
            primary_wait: None,
            seed: None,
        }
    }
}

impl RoutingOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which replica serves a read. Default: [`Policy::Weighted`].
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets which share of the reads the primary serves, from 0 to 1. Default: 0, so that it serves
    /// reads only where no replica is fit.
    #[must_use]
    pub fn primary_share(mut self, share: f64) -> Self {
        self.primary_share = share;
        self
    }

    /// Sets how far a replica may lag behind in time before it is left out; it is back once it lags
    /// half as much. Default: 30 seconds. `None` for as far as it wants.
    #[must_use]
    pub fn max_lag(mut self, lag: impl Into<Option<Duration>>) -> Self {
        self.max_lag = lag.into();
        self
    }

    /// Sets how far a replica may lag behind in bytes of log before it is left out; it is back once
    /// it lags half as much. Default: as far as it wants.
    #[must_use]
    pub fn max_lag_bytes(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.max_lag_bytes = bytes.into();
        self
    }

    /// Sets the pause between two questions to a server: what it is, and how far behind. One that
    /// does not answer is asked after pauses that grow to five times as much. While a write waits
    /// for a primary, all are asked at once. Default: 1 second.
    #[must_use]
    pub fn probe_interval(mut self, pause: Duration) -> Self {
        self.probe_interval = pause;
        self
    }

    /// Sets how long a question may take, connecting included; also opening a connection for work
    /// takes no longer, whatever `connect_timeout` says. Default: 1 second.
    #[must_use]
    pub fn probe_timeout(mut self, timeout: Duration) -> Self {
        self.probe_timeout = timeout;
        self
    }

    /// Sets how many questions in a row stay without an answer before a server counts as gone: those
    /// who read from a replica are cut off then. One that refuses to be connected to is gone at once.
    /// Default: 3.
    #[must_use]
    pub fn fall(mut self, questions: u32) -> Self {
        self.fall = questions;
        self
    }

    /// Sets how many answers in a row bring a server back. Default: 2.
    #[must_use]
    pub fn rise(mut self, answers: u32) -> Self {
        self.rise = answers;
        self
    }

    /// Sets how long a server that came back gets less than its share of the reads: a tenth at
    /// first. Default: 10 seconds.
    #[must_use]
    pub fn slow_start(mut self, time: Duration) -> Self {
        self.slow_start = time;
        self
    }

    /// Sets how long a read after a token waits for a replica to have it, before the primary is
    /// read. Default: 1 second.
    #[must_use]
    pub fn token_wait(mut self, time: Duration) -> Self {
        self.token_wait = time;
        self
    }

    /// Sets how long a write waits while there is no primary. Zero fails at once. Default: as long
    /// as a check-out may take.
    #[must_use]
    pub fn primary_wait(mut self, time: Duration) -> Self {
        self.primary_wait = Some(time);
        self
    }

    /// Sets where chance begins, so that it can be repeated. Default: somewhere.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Checks that the options can be used.
    ///
    /// # Errors
    /// `Config`, with the option.
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |what: &str, hint: &str| Err(Error::new(ErrorKind::Config, what).with_hint(hint));
        if !(0.0..=1.0).contains(&self.primary_share) {
            return refuse("primary_share is no share", "it is from 0 to 1");
        }
        let shortest = Duration::from_millis(10);
        if self.probe_interval < shortest || self.probe_timeout < shortest {
            return refuse("probe_interval and probe_timeout are too short", "10 ms is the least");
        }
        let longest = Duration::from_hours(24);
        if self.probe_interval > longest
            || self.probe_timeout > longest
            || self.slow_start > longest
        {
            return refuse("a time of the routing is too long", "a day is the most");
        }
        if self.fall == 0 || self.rise == 0 {
            return refuse("fall and rise must not be 0", "1 is the least");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_cannot_be_used_are_refused_by_name() {
        let options = RoutingOptions::new();
        assert!(options.validate().is_ok());
        for (refused, word) in [
            (options.clone().primary_share(1.5), "primary_share"),
            (options.clone().primary_share(f64::NAN), "primary_share"),
            (options.clone().probe_interval(Duration::ZERO), "probe_interval"),
            (options.clone().slow_start(Duration::MAX), "a time"),
            (options.clone().fall(0), "fall"),
        ] {
            assert!(refused.validate().unwrap_err().message().contains(word), "{word}");
        }
    }
}
