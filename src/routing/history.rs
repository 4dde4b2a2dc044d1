//! Where the log of the primary was when: by that a lag in bytes becomes one in time.

use crate::backend::server_state::LogPosition;
use std::collections::VecDeque;
use std::time::Instant;

/// So many moments are kept: ten minutes of one a second.
const MOST: usize = 600;

/// Where the log of the primary was when, by our own clock, the newest last.
///
/// A replica that shows a position shows all that was committed before the moment at which the
/// primary was there. That holds also where the primary has nothing to do, and needs no clock of
/// any server. It is the most that the replica can lag.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<(Instant, LogPosition)>);

impl History {
    /// The primary, asked at `asked`, said that it was at `position`.
    pub(super) fn push(&mut self, asked: Instant, position: LogPosition) {
        if let Some((at, last)) = self.0.back_mut() {
            // An answer that was overtaken by another.
            if asked <= *at || position < *last {
                return;
            }
            if position == *last {
                *at = asked;
                return;
            }
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((asked, position));
    }

    /// Another primary: positions of the one before say nothing of it.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Where the primary was when it was last heard of.
    pub(super) fn last(&self) -> Option<LogPosition> {
        self.0.back().map(|(_, position)| *position)
    }

    /// When the primary was last heard of.
    pub(super) fn last_heard(&self) -> Option<Instant> {
        self.0.back().map(|(at, _)| *at)
    }

    /// When the primary was first heard of, as far as that is kept.
    pub(super) fn first_heard(&self) -> Option<Instant> {
        self.0.front().map(|(at, _)| *at)
    }

    /// A moment before which all that was committed is shown by one that shows `position`; `None` if
    /// that was before all that is known.
    pub(super) fn shown(&self, position: LogPosition) -> Option<Instant> {
        let behind = self.0.partition_point(|(_, at)| *at <= position);
        self.0.get(behind.checked_sub(1)?).map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// As of when the primary was last heard of.
    fn lag(history: &History, position: u64) -> Option<Duration> {
        let shown = history.shown(LogPosition(position))?;
        Some(history.last_heard()?.saturating_duration_since(shown))
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_position_shows_what_was_committed_before_the_primary_was_there() {
        let (mut history, start) = (History::default(), Instant::now());
        for second in 0..=9 {
            history.push(start + SECOND * second, LogPosition(u64::from(second) * 100));
        }
        assert_eq!(lag(&history, 900), Some(Duration::ZERO));
        assert_eq!(lag(&history, 2_000), Some(Duration::ZERO), "asked a bit later");
        assert_eq!(lag(&history, 899), Some(SECOND));
        assert_eq!(lag(&history, 450), Some(SECOND * 5));
        history.push(start + SECOND * 10, LogPosition(1_000));
        assert_eq!(lag(&history, 450), Some(SECOND * 6), "it stands still");
    }

    #[test]
    fn a_primary_that_has_nothing_to_do_makes_nobody_lag() {
        let (mut history, start) = (History::default(), Instant::now());
        for second in 0..100 {
            history.push(start + SECOND * second, LogPosition(7));
        }
        assert_eq!(lag(&history, 7), Some(Duration::ZERO));
    }

    #[test]
    fn of_what_was_before_all_that_is_known_nothing_is_known() {
        let (mut history, start) = (History::default(), Instant::now());
        assert_eq!(lag(&history, 7), None);
        history.push(start, LogPosition(8));
        assert_eq!(lag(&history, 7), None);
    }

    #[test]
    fn it_stays_small_and_is_not_confused_by_answers_that_come_late() {
        let (mut history, start) = (History::default(), Instant::now());
        for second in 0..5_000 {
            history.push(start + SECOND * second, LogPosition(u64::from(second)));
        }
        history.push(start + SECOND, LogPosition(9_999));
        history.push(start + SECOND * 6_000, LogPosition(3));
        assert_eq!((history.0.len(), history.last()), (MOST, Some(LogPosition(4_999))));
    }
}
