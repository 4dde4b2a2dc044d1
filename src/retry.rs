//! Again: how long, and how often.

use crate::error::Error;
use crate::sqlstate::Class;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// How patient a run, or a transaction, is with a server that is away and with locks of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How long to wait for a server that is away: from the first failure of a batch or a
    /// transaction on, or from when the check-out began that failed. At least 1 s, the time a
    /// server needs to answer. Default: 60 s.
    pub patience: Duration,
    /// How often a batch or a transaction is tried that meets deadlocks, locks of others, and tables
    /// that changed since its statements were prepared. Default: 20.
    pub attempts: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { patience: Duration::from_mins(1), attempts: 20 }
    }
}

/// The attempts of one batch or transaction.
#[derive(Debug)]
pub(crate) struct Attempts {
    policy: RetryPolicy,
    failures: u32,
    first_failure: Option<Instant>,
}

const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

impl Attempts {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self { policy, failures: 0, first_failure: None }
    }

    /// How long a server that is away is still waited for.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        let waited = self.first_failure.map_or(Duration::ZERO, |first| now.duration_since(first));
        self.policy.patience.saturating_sub(waited)
    }

    /// Says that what fails now was begun at `start`: the wait counts from then on.
    pub(crate) fn failing_since(&mut self, start: Instant) {
        self.first_failure.get_or_insert(start);
    }

    /// How long to wait before the next attempt after `error`; `None` if there is to be none.
    pub(crate) fn after(&mut self, error: &Error, now: Instant) -> Option<Duration> {
        let first = *self.first_failure.get_or_insert(now);
        self.failures += 1;
        let again = match error.class() {
            Class::Transient => self.failures < self.policy.attempts,
            Class::Disconnect | Class::Unavailable => {
                now.saturating_duration_since(first) < self.policy.patience
            }
            _ => false,
        };
        again.then(|| jittered(SHORTEST * 2_u32.pow(self.failures.min(6)), self.failures))
    }
}

/// Between half of `delay` and all of it, so that workers that failed together do not return
/// together.
fn jittered(delay: Duration, salt: u32) -> Duration {
    let random = RandomState::new().hash_one(salt) % 1_000;
    let delay = delay.min(LONGEST);
    delay / 2 + delay * (random as u32) / 2_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::sqlstate::SqlState;

    fn error(code: &str) -> Error {
        Error::new(ErrorKind::Database, "x").with_sqlstate(SqlState::parse(code).unwrap())
    }

    /// exactly-once 4b
    #[test]
    fn those_that_failed_together_do_not_return_together() {
        let delay = Duration::from_millis(400);
        let delays: Vec<_> = (0..64).map(|_| jittered(delay, 1)).collect();
        assert!(delays.iter().all(|it| (delay / 2..=delay).contains(it)), "{delays:?}");
        let (shortest, longest) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
        assert!(longest.saturating_sub(*shortest) > delay / 8, "{delays:?}");
        assert!(jittered(LONGEST * 9, 1) <= LONGEST);
    }

    /// exactly-once 4b
    #[test]
    fn a_deadlock_is_tried_a_bounded_number_of_times() {
        let mut attempts = Attempts::new(RetryPolicy { attempts: 3, ..RetryPolicy::default() });
        let now = Instant::now();
        assert!(attempts.after(&error("40P01"), now).is_some());
        assert!(attempts.after(&error("40P01"), now).is_some());
        assert_eq!(attempts.after(&error("40P01"), now), None);
    }

    #[test]
    fn a_server_that_is_away_is_waited_for_as_long_as_the_policy_says() {
        let mut attempts = Attempts::new(RetryPolicy::default());
        let now = Instant::now();
        for _ in 0..100 {
            let delay = attempts.after(&error("57P03"), now).unwrap();
            assert!(delay <= LONGEST && delay >= SHORTEST / 2);
        }
        assert_eq!(attempts.after(&error("57P03"), now + Duration::from_secs(61)), None);
    }

    #[test]
    fn the_time_of_a_check_out_that_failed_is_part_of_the_wait() {
        let policy = RetryPolicy { patience: Duration::from_secs(10), ..RetryPolicy::default() };
        let mut attempts = Attempts::new(policy);
        let start = Instant::now();
        assert_eq!(attempts.left(start), Duration::from_secs(10));
        attempts.failing_since(start);
        let later = start + Duration::from_secs(4);
        assert_eq!(attempts.left(later), Duration::from_secs(6));
        assert!(attempts.after(&error("57P03"), later).is_some());
        assert_eq!(attempts.after(&error("57P03"), start + Duration::from_secs(10)), None);
    }

    #[test]
    fn what_needs_a_person_is_not_tried_again() {
        let mut attempts = Attempts::new(RetryPolicy::default());
        for code in ["28P01", "42P01", "53100", "22003"] {
            assert_eq!(attempts.after(&error(code), Instant::now()), None, "{code}");
        }
    }
}
