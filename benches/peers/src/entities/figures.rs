//! What one run gave, and medians.

use std::fmt;

/// What one run of a scenario gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Rows in a second.
    pub rate: f64,
    /// Seconds of the client's processor time for a million rows.
    pub processor: f64,
    /// The most memory that the process had at once, in MiB.
    pub memory: f64,
}

impl Figures {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { rate: next()?, processor: next()?, memory: next()? })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rate, self.processor, self.memory)
    }
}

/// The median of each figure, on its own.
pub fn median(rounds: &[Figures]) -> Figures {
    let of = |figure: fn(&Figures) -> f64| middle(rounds.iter().map(figure).collect());
    Figures {
        rate: of(|figures| figures.rate),
        processor: of(|figures| figures.processor),
        memory: of(|figures| figures.memory),
    }
}

/// The median.
pub fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
