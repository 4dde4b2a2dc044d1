//! What became of the rows of an entity when many of them were upserted last.

use std::sync::atomic::{AtomicI32, Ordering};

/// What is thought of the next rows, by those before them: only ever a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// They may be new or there.
    Either,
    /// All of them are there, and differ.
    There,
    /// All of them are new.
    New,
}

/// What became of the rows that were upserted last: of an entity, wherever its table is.
#[derive(Debug, Default)]
pub(crate) struct Trend(AtomicI32);

/// A guess that was wrong has cost as much as it saves in some right ones.
const PAUSE: i32 = 16;
/// So often in a row all were new, or all were there, before it is guessed.
const OFTEN: i32 = 2;
/// What is counted for rows that were there lies above this, and for new ones below its opposite; between
/// the two it is how many more are not guessed.
const BASE: i32 = 1_000;

impl Trend {
    /// What is thought of the next rows.
    pub(super) fn guess(&self) -> Guess {
        match self.0.load(Ordering::Relaxed) {
            there if there >= BASE + OFTEN => Guess::There,
            new if new <= -BASE - OFTEN => Guess::New,
            _ => Guess::Either,
        }
    }

    /// Notes what became of rows about which nothing was guessed, or of which a guess was right.
    pub(super) fn note(&self, rows: u64, inserted: u64, updated: u64) {
        let was = self.0.load(Ordering::Relaxed);
        let next = match was {
            pausing if pausing.abs() < BASE && pausing > 0 => pausing - 1,
            _ if updated == rows => (BASE + 1).max(was.saturating_add(1)).min(BASE + OFTEN),
            _ if inserted == rows => (-BASE - 1).min(was.saturating_sub(1)).max(-BASE - OFTEN),
            _ => 0,
        };
        self.0.store(next, Ordering::Relaxed);
    }

    /// Notes that a guess was wrong.
    pub(super) fn was_wrong(&self) {
        self.0.store(PAUSE, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_twice_is_guessed_and_a_wrong_guess_is_not_repeated_soon() {
        let trend = Trend::default();
        trend.note(10, 0, 10);
        assert_eq!(trend.guess(), Guess::Either);
        trend.note(10, 0, 10);
        trend.note(10, 0, 10);
        assert_eq!(trend.guess(), Guess::There);
        trend.was_wrong();
        for _ in 0..PAUSE {
            assert_eq!(trend.guess(), Guess::Either);
            trend.note(10, 10, 0);
        }
        trend.note(10, 10, 0);
        trend.note(10, 10, 0);
        assert_eq!(trend.guess(), Guess::New);
        trend.note(10, 9, 0);
        assert_eq!(trend.guess(), Guess::Either);
    }
}
