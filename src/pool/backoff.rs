//! How long to wait before the next attempt to connect.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);

/// Pauses that grow from 100 ms to at most 1 s. They are random, so that many processes do not
/// come back to a server that just started all at the same moment.
#[derive(Debug)]
pub(super) struct Backoff {
    most: Duration,
    dice: RandomState,
    thrown: u64,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { most: SHORTEST * 2, dice: RandomState::new(), thrown: 0 }
    }

    /// The next pause.
    pub(super) fn pause(&mut self) -> Duration {
        let share = self.share();
        let pause = SHORTEST + self.most.saturating_sub(SHORTEST).mul_f64(share);
        self.most = (self.most * 2).min(LONGEST);
        pause
    }

    /// Begins again with short pauses.
    pub(super) fn restart(&mut self) {
        self.most = SHORTEST * 2;
    }

    /// A random number from 0 to 1.
    pub(super) fn share(&mut self) -> f64 {
        self.thrown += 1;
        self.dice.hash_one(self.thrown) as f64 / u64::MAX as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_stay_between_a_tenth_and_a_whole_second() {
        let mut backoff = Backoff::new();
        assert!(backoff.pause() <= SHORTEST * 2);
        for _ in 0..1000 {
            let pause = backoff.pause();
            assert!((SHORTEST..=LONGEST).contains(&pause), "{pause:?}");
        }
    }
}
