//! The part of a key that a batch of a source is.

/// The whole numbers between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// What lies in front of it, and is none of it; `None` without such a bound.
    pub behind: Option<i64>,
    /// The last of it; `None` without such a bound.
    pub last: Option<i64>,
}

impl KeyRange {
    /// The one that has no number.
    pub const EMPTY: Self = Self { behind: Some(i64::MAX), last: Some(i64::MIN) };

    /// Whether a number is one of it.
    pub fn contains(&self, number: i64) -> bool {
        self.behind.is_none_or(|behind| number > behind)
            && self.last.is_none_or(|last| number <= last)
    }
}
