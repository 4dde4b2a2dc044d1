//! Chance that can be repeated.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A generator that many threads throw at once without a lock: `SplitMix64`. The same seed gives the
/// same throws.
#[derive(Debug)]
pub(super) struct Dice(AtomicU64);

impl Dice {
    /// Dice of this seed; of one that nobody knows without it.
    pub(super) fn new(seed: Option<u64>) -> Self {
        Self(AtomicU64::new(seed.unwrap_or_else(|| RandomState::new().hash_one(0))))
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to 1, without 1.
    pub(super) fn share(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `most`, which must not be 0.
    pub(super) fn below(&self, most: usize) -> usize {
        ((self.share() * most as f64) as usize).min(most.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_throws() {
        let throw = |dice: &Dice| (0..5).map(|_| dice.next()).collect::<Vec<_>>();
        // The first numbers of the reference implementation for the seed 1234567.
        assert_eq!(
            throw(&Dice::new(Some(1_234_567)))[..2],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
        assert_ne!(throw(&Dice::new(None)), throw(&Dice::new(None)));
    }
}
