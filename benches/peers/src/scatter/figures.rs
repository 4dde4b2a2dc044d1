//! What one run gave, and medians.

use std::fmt;

/// What one run of a scenario gave, in milliseconds for each piece of work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// The median.
    pub p50: f64,
    /// 19 of 20 are done by then.
    pub p95: f64,
    /// The client's processor time.
    pub processor: f64,
}

/// The figures of a run, or why there are none.
pub type Measured = Result<Figures, String>;

impl Figures {
    /// Reads what a child has printed: the figures, and what it found.
    pub fn parse(text: &str) -> Option<(Self, String)> {
        let line = text.lines().rev().find_map(|line| line.strip_prefix("figures "))?;
        let (figures, answer) = line.split_once(" answer ")?;
        let mut numbers = figures.split(' ').map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some((Self { p50: next()?, p95: next()?, processor: next()? }, answer.trim().to_owned()))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.p50, self.p95, self.processor)
    }
}

/// What all rounds gave: the median of each figure, and the spread of the medians of the rounds.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    pub figures: Figures,
    /// From the fastest round to the slowest, as a share of the middle.
    pub spread: f64,
}

/// The medians; an error where a round gave none.
pub fn median(rounds: &[Measured]) -> Result<Summary, String> {
    let rounds: Vec<Figures> = rounds.iter().cloned().collect::<Result<_, _>>()?;
    let sorted = |figure: fn(&Figures) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures
    };
    let middle = |figures: &[f64]| figures[figures.len() / 2];
    let p50 = sorted(|figures| figures.p50);
    let spread = (p50[p50.len() - 1] - p50[0]) / middle(&p50);
    let figures = Figures {
        p50: middle(&p50),
        p95: middle(&sorted(|figures| figures.p95)),
        processor: middle(&sorted(|figures| figures.processor)),
    };
    Ok(Summary { figures, spread })
}
