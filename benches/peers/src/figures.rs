//! Medians, percentiles, fairness.

use std::fmt;
use std::time::Duration;

/// What one run of a scenario gave; what it does not measure is 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Rounds of get, use and return in a second.
    pub rate: f64,
    /// Half of the times were shorter, in nanoseconds.
    pub p50: f64,
    /// Ninety-nine of a hundred times were shorter, in nanoseconds.
    pub p99: f64,
    /// The longest time, in nanoseconds.
    pub max: f64,
    /// Jain's index of how often each caller had its turn: 1 is fair, 1/n is one caller for all.
    pub fairness: f64,
}

impl Figures {
    /// Those of callers that each had some turns, with a time for each turn.
    ///
    /// In the percentiles each caller counts the same, however often it had its turn: the many
    /// short waits of one that is always served first must not hide those that it keeps waiting.
    pub fn of_turns(callers: &[Vec<Duration>], elapsed: Duration) -> Self {
        let weighted = callers.iter().flat_map(|times| {
            let weight = 1.0 / (times.len() * callers.len()) as f64;
            times.iter().map(move |time| (time.as_nanos(), weight))
        });
        let mut weighted: Vec<_> = weighted.collect();
        weighted.sort_unstable_by_key(|(time, _)| *time);
        let turns: Vec<_> = callers.iter().map(|times| times.len() as f64).collect();
        Self {
            rate: turns.iter().sum::<f64>() / elapsed.as_secs_f64(),
            p50: percentile(&weighted, 0.5),
            p99: percentile(&weighted, 0.99),
            max: weighted.last().map_or(0.0, |(time, _)| *time as f64),
            fairness: jain(&turns),
        }
    }

    /// Those of one caller whose rounds are too short to be timed one by one: the mean of each of
    /// many equal pieces. The median of these is a figure that a busy machine disturbs little.
    pub fn of_pieces(pieces: &[Duration], rounds: u32) -> Self {
        let pieces: Vec<_> = pieces.iter().map(|piece| *piece / rounds).collect();
        let mut figures = Self::of_turns(&[pieces], Duration::from_secs(1));
        figures.rate = 1e9 / figures.p50;
        figures
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        let (rate, p50, p99, max) = (next()?, next()?, next()?, next()?);
        Some(Self { rate, p50, p99, max, fairness: next()? })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, p50, p99, max, fairness } = self;
        write!(f, "{rate} {p50} {p99} {max} {fairness}")
    }
}

/// The time below which lies this share of the weight.
fn percentile(weighted: &[(u128, f64)], share: f64) -> f64 {
    let mut below = 0.0;
    let found = weighted.iter().find(|(_, weight)| {
        below += weight;
        // Sums of parts fall short of the whole by some rounding.
        below >= share - 1e-9
    });
    found.map_or(0.0, |(time, _)| *time as f64)
}

/// (sum of x)^2 / (n * sum of x^2).
fn jain(turns: &[f64]) -> f64 {
    let sum: f64 = turns.iter().sum();
    let squares: f64 = turns.iter().map(|turns| turns * turns).sum();
    if squares == 0.0 { 0.0 } else { sum * sum / (turns.len() as f64 * squares) }
}

/// The median of each figure, on its own.
pub fn median(rounds: &[Figures]) -> Figures {
    let of = |figure: fn(&Figures) -> f64| {
        let mut figures: Vec<_> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Figures {
        rate: of(|figures| figures.rate),
        p50: of(|figures| figures.p50),
        p99: of(|figures| figures.p99),
        max: of(|figures| figures.max),
        fairness: of(|figures| figures.fairness),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fairness_is_one_for_equal_turns_and_the_nth_part_for_one_winner() {
        assert!((jain(&[5.0, 5.0, 5.0, 5.0]) - 1.0).abs() < 1e-9);
        assert!((jain(&[8.0, 0.0, 0.0, 0.0]) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn figures_are_read_as_they_were_written() {
        let times: Vec<_> = (1..=100).map(Duration::from_nanos).collect();
        let figures = Figures::of_turns(&[times], Duration::from_secs(2));
        let read = Figures::parse(&figures.to_string()).unwrap();
        assert_eq!(format!("{read}"), "50 50 99 100 1");
    }

    #[test]
    fn a_caller_that_is_served_often_does_not_hide_one_that_waits() {
        let often = vec![Duration::from_nanos(1); 999];
        let figures = Figures::of_turns(&[often, vec![Duration::from_secs(1)]], Duration::MAX);
        assert_eq!((figures.p50, figures.p99), (1.0, 1e9));
    }
}
