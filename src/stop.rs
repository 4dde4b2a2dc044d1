//! Asking a run to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How a run was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    No,
    /// Finish the batches in flight, start no other.
    Drain,
    /// Roll back the batches in flight.
    Now,
}

/// A handle that asks a run to stop; all clones are one handle. It can be used from a signal
/// handler: asking only stores a number.
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<AtomicU8>);

impl StopToken {
    /// A token that asks for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to finish what is in flight; asked once more, asks to roll it back.
    pub fn ask(&self) {
        let more = |asked: u8| Some(asked.saturating_add(1).min(2));
        // `fetch_update` fails only where the closure returns `None`.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
    }

    /// How much was asked for.
    pub fn asked(&self) -> Stop {
        match self.0.load(Ordering::Acquire) {
            0 => Stop::No,
            1 => Stop::Drain,
            _ => Stop::Now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_request_is_the_harder_one() {
        let token = StopToken::new();
        let clone = token.clone();
        assert_eq!(token.asked(), Stop::No);
        clone.ask();
        assert_eq!(token.asked(), Stop::Drain);
        clone.ask();
        clone.ask();
        assert_eq!(token.asked(), Stop::Now);
    }
}
