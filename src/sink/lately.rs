//! How the last batches of a run fared, so that the next one is not tried in vain as they were.
//!
//! All workers of a run share it. It is a guess: where it is wrong something is tried that could have
//! been spared, and no row ends otherwise.

use crate::error::Error;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// How the last rows fared of which some were refused.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// Whether many of them were, by whatever.
    many: AtomicBool,
    /// Whether some of them were for other rows.
    related: AtomicBool,
    /// One in so many was refused by what no query finds; 0 where it was none.
    unexplained: AtomicU32,
    /// Why indexes could not be rebuilt.
    kept_indexes: OnceLock<Error>,
    /// Whether the table was emptied at once.
    emptied: AtomicBool,
}

/// Of so many refused rows in one batch the next one hardly has none.
const MANY: usize = 3;

/// So many rows are stored together where nobody knows how many of them are refused.
const UNKNOWN: u32 = 16;

/// More are not worth it: what each statement costs beside its rows is spread over enough of them.
const MOST: u32 = 32;

impl Lately {
    /// Whether a batch is likely to have rows that are refused.
    pub(super) fn expects_many(&self) -> bool {
        self.many.load(Ordering::Relaxed)
    }

    /// Notes that `refused` rows of a batch were refused.
    pub(super) fn note(&self, refused: usize) {
        self.many.store(refused >= MANY, Ordering::Relaxed);
    }

    /// Whether some of its rows are likely to be refused for other rows.
    pub(super) fn expects_related(&self) -> bool {
        self.related.load(Ordering::Relaxed)
    }

    /// Notes whether rows were refused for other rows.
    pub(super) fn note_related(&self, some: bool) {
        self.related.store(some, Ordering::Relaxed);
    }

    /// Whether some of its rows are likely to be refused by what no query finds.
    pub(super) fn expects_unexplained(&self) -> bool {
        self.unexplained.load(Ordering::Relaxed) > 0
    }

    /// Notes that of `rows` rows, among which a query finds nothing, `refused` were refused.
    pub(super) fn note_unexplained(&self, rows: u64, refused: usize) {
        let one_in = match refused {
            0..MANY => 0,
            refused => u32::try_from(rows / refused as u64).unwrap_or(u32::MAX).max(1),
        };
        self.unexplained.store(one_in, Ordering::Relaxed);
    }

    /// Notes why indexes were kept up row by row that were to be rebuilt.
    pub(super) fn keep_indexes(&self, why: Error) {
        self.kept_indexes.get_or_init(|| why);
    }

    /// Why indexes were kept up row by row that were to be rebuilt.
    pub(super) fn kept_indexes(&self) -> Option<&Error> {
        self.kept_indexes.get()
    }

    /// Notes that the table was emptied at once.
    pub(super) fn note_emptied(&self) {
        self.emptied.store(true, Ordering::Relaxed);
    }

    /// Whether the table was emptied at once.
    pub(super) fn has_emptied(&self) -> bool {
        self.emptied.load(Ordering::Relaxed)
    }

    /// How many rows are best stored by one statement, where each that refuses one of them is
    /// followed by one for each: about the root of how many there are for one that is refused.
    pub(super) fn together(&self) -> u32 {
        match self.unexplained.load(Ordering::Relaxed) {
            0 => UNKNOWN,
            one_in => match one_in.isqrt() {
                0..4 => 1,
                root => root.min(MOST),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_rows_are_refused_the_fewer_are_stored_together() {
        let lately = Lately::default();
        assert!(!lately.expects_unexplained());
        assert_eq!(lately.together(), UNKNOWN);
        for (refused, together) in [(3, MOST), (5, 31), (50, 10), (300, 4), (500, 1), (5_000, 1)] {
            lately.note_unexplained(5_000, refused);
            assert!(lately.expects_unexplained());
            assert_eq!(lately.together(), together, "{refused}");
        }
    }

    #[test]
    fn after_a_batch_of_good_rows_nothing_bad_is_expected() {
        let lately = Lately::default();
        for (refused, expects) in [(2, false), (3, true), (0, false)] {
            lately.note(refused);
            lately.note_unexplained(1_000, refused);
            lately.note_related(refused > 0);
            assert_eq!((lately.expects_many(), lately.expects_unexplained()), (expects, expects));
            assert_eq!(lately.expects_related(), refused > 0);
        }
    }
}
