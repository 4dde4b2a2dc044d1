//! Which of several replicas serves a read.

use super::dice::Dice;
use std::time::Duration;

/// Which of several replicas serves a read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// By chance, each as often as its weight says. The default.
    #[default]
    Weighted,
    /// One after the other.
    RoundRobin,
    /// By chance, all alike.
    Random,
    /// The one with the fewest connections on loan for its weight.
    LeastInUse,
    /// The one that answers fastest; those that are hardly slower share the reads with it.
    LowestLatency,
}

/// One that could serve a read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) node: usize,
    pub(super) weight: f64,
    /// From 0 to 1: how much of its share it gets, after it came back.
    pub(super) warmth: f64,
    pub(super) in_use: u32,
    pub(super) latency: Option<Duration>,
}

/// Slower by less than this part, or by less than this time, is not slower.
const EQUAL_SHARE: f64 = 1.25;
const EQUAL_TIME: Duration = Duration::from_micros(200);

impl Policy {
    /// The one of `candidates` whose turn it is; `turn` counts the reads.
    pub(super) fn choose(
        self,
        candidates: &[Candidate],
        turn: usize,
        dice: &Dice,
    ) -> Option<usize> {
        if self == Self::Weighted {
            return weighted(candidates, dice);
        }
        // One that came back is passed over as often as it is cold, if there is another.
        let warm: Vec<_> = candidates
            .iter()
            .copied()
            .filter(|one| one.warmth >= 1.0 || dice.share() < one.warmth)
            .collect();
        let candidates = if warm.is_empty() { candidates } else { &warm[..] };
        let best = |least: &dyn Fn(&Candidate) -> f64, slack: &dyn Fn(f64) -> f64| {
            let lowest = candidates.iter().map(least).fold(f64::INFINITY, f64::min);
            let equal: Vec<_> =
                candidates.iter().filter(|one| least(one) <= slack(lowest)).collect();
            pick(&equal, dice).map(|one| one.node)
        };
        match self {
            Self::Weighted | Self::Random => {
                pick(&candidates.iter().collect::<Vec<_>>(), dice).map(|one| one.node)
            }
            Self::RoundRobin => candidates.get(turn % candidates.len().max(1)).map(|one| one.node),
            Self::LeastInUse => {
                best(&|one| f64::from(one.in_use) / one.weight.max(f64::MIN_POSITIVE), &|lowest| {
                    lowest
                })
            }
            Self::LowestLatency => best(
                &|one| one.latency.map_or(f64::MAX, |latency| latency.as_secs_f64()),
                &|lowest| (lowest * EQUAL_SHARE).max(lowest + EQUAL_TIME.as_secs_f64()),
            ),
        }
    }
}

fn pick<'a>(equal: &[&'a Candidate], dice: &Dice) -> Option<&'a Candidate> {
    if equal.is_empty() { None } else { equal.get(dice.below(equal.len())).copied() }
}

fn weighted(candidates: &[Candidate], dice: &Dice) -> Option<usize> {
    let share = |one: &Candidate| one.weight * one.warmth;
    let mut left = dice.share() * candidates.iter().map(share).sum::<f64>();
    for one in candidates {
        left -= share(one);
        if left < 0.0 {
            return Some(one.node);
        }
    }
    candidates.last().map(|one| one.node)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THROWS: usize = 30_000;

    fn warm(node: usize, weight: f64) -> Candidate {
        Candidate { node, weight, warmth: 1.0, in_use: 0, latency: None }
    }

    fn counts<const N: usize>(policy: Policy, candidates: &[Candidate]) -> [usize; N] {
        let dice = Dice::new(Some(7));
        let mut counts = [0; N];
        for turn in 0..THROWS {
            counts[policy.choose(candidates, turn, &dice).unwrap()] += 1;
        }
        counts
    }

    /// With one degree of freedom less than shares, 13.8 is passed once in a thousand times for two
    /// of them.
    fn chi_square(counts: &[usize], shares: &[f64]) -> f64 {
        let expected = shares.iter().map(|share| share * THROWS as f64);
        counts.iter().zip(expected).map(|(n, e)| (*n as f64 - e).powi(2) / e).sum()
    }

    #[test]
    fn weights_are_shares() {
        let found = counts::<3>(Policy::Weighted, &[warm(0, 1.0), warm(1, 2.0), warm(2, 5.0)]);
        let chi = chi_square(&found, &[0.125, 0.25, 0.625]);
        assert!(chi < 13.8, "{found:?}: {chi}");
    }

    #[test]
    fn chance_is_fair_whatever_the_weights() {
        let found = counts::<3>(Policy::Random, &[warm(0, 1.0), warm(1, 2.0), warm(2, 5.0)]);
        let chi = chi_square(&found, &[1.0 / 3.0; 3]);
        assert!(chi < 13.8, "{found:?}: {chi}");
    }

    #[test]
    fn one_after_the_other_is_exact() {
        let found = counts::<3>(Policy::RoundRobin, &[warm(0, 1.0), warm(1, 9.0), warm(2, 1.0)]);
        assert_eq!(found, [THROWS / 3; 3]);
    }

    #[test]
    fn one_that_came_back_gets_a_part_of_its_share_by_every_policy() {
        let cold = |node, warmth| Candidate { warmth, ..warm(node, 1.0) };
        for policy in [Policy::Weighted, Policy::Random, Policy::LeastInUse, Policy::LowestLatency]
        {
            let found = counts::<2>(policy, &[warm(0, 1.0), cold(1, 0.1)]);
            assert!((500..4_000).contains(&found[1]), "{policy:?}: {found:?}");
            assert_eq!(counts::<2>(policy, &[cold(1, 0.1)])[1], THROWS, "there is no other");
        }
    }

    #[test]
    fn the_least_used_for_its_weight_is_taken() {
        let used = |node, weight, in_use| Candidate { in_use, ..warm(node, weight) };
        let found = counts::<2>(Policy::LeastInUse, &[used(0, 1.0, 3), used(1, 2.0, 4)]);
        assert_eq!(found, [0, THROWS]);
    }

    #[test]
    fn those_that_are_hardly_slower_share_with_the_fastest() {
        let slow = |node, micros| Candidate {
            latency: Some(Duration::from_micros(micros)),
            ..warm(node, 1.0)
        };
        let found =
            counts::<3>(Policy::LowestLatency, &[slow(0, 900), slow(1, 9_000), slow(2, 950)]);
        assert!(found[1] == 0 && found[0] > 10_000 && found[2] > 10_000, "{found:?}");
    }

    #[test]
    fn of_none_none_is_chosen() {
        let dice = Dice::new(Some(1));
        for policy in [Policy::Weighted, Policy::RoundRobin, Policy::Random, Policy::LeastInUse] {
            assert_eq!(policy.choose(&[], 3, &dice), None);
        }
    }
}
