//! Whether a run will miss its deadline.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// How far a phase is, and what that says of its end. What comes after the phase is not known, so
/// that the end is the earliest that can be.
#[derive(Debug, Default)]
pub(super) struct Forecast(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    phase: &'static str,
    began: Option<Instant>,
    units: u64,
    done: u64,
    left: u64,
    told: Option<Instant>,
}

/// So many units must be done before anything is said, and so much time be over.
const LEAST_UNITS: u64 = 3;
const LEAST_TIME: Duration = Duration::from_secs(1);

/// How long after one warning the next may come.
const PACE: Duration = Duration::from_mins(10);

impl Forecast {
    /// Says how much of a phase is left, in whatever units. What others did of it counts, too.
    pub(super) fn left(&self, phase: &'static str, left: u64, now: Instant) {
        let mut state = self.0.lock();
        if state.phase == phase && state.began.is_some() {
            let before = state.left;
            state.done += before.saturating_sub(left);
        } else {
            let told = state.told;
            *state = State { phase, began: Some(now), told, ..State::default() };
        }
        state.left = left;
    }

    /// Notes that so much of the phase is done, and returns by how much the deadline will be missed
    /// where that is to be told.
    pub(super) fn done(&self, amount: u64, deadline: Instant, now: Instant) -> Option<Duration> {
        let mut state = self.0.lock();
        state.units += 1;
        state.done += amount;
        state.left = state.left.saturating_sub(amount);
        let elapsed = now.saturating_duration_since(state.began?);
        if state.units < LEAST_UNITS || elapsed < LEAST_TIME || state.done == 0 {
            return None;
        }
        let rest = elapsed.as_secs_f64() * state.left as f64 / state.done as f64;
        let end = now.checked_add(Duration::try_from_secs_f64(rest).ok()?)?;
        let late = end.checked_duration_since(deadline).filter(|late| !late.is_zero())?;
        if state.told.is_some_and(|told| now.saturating_duration_since(told) < PACE) {
            return None;
        }
        state.told = Some(now);
        Some(late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// batch 3.9.7, exactly-once 10d
    #[test]
    fn a_rate_that_is_too_low_is_told_once_in_ten_minutes() {
        let (forecast, start) = (Forecast::default(), Instant::now());
        let deadline = start + 60 * SECOND;
        forecast.left("load", 1_000, start);
        assert_eq!(forecast.done(10, deadline, start + SECOND), None);
        assert_eq!(forecast.done(10, deadline, start + 2 * SECOND), None);
        // 30 of 1000 in 3 s: the end is at 100 s.
        assert_eq!(forecast.done(10, deadline, start + 3 * SECOND), Some(40 * SECOND));
        assert_eq!(forecast.done(10, deadline, start + 4 * SECOND), None);
        let later = forecast.done(560, deadline, start + 604 * SECOND);
        assert!(later.is_some_and(|late| late > 900 * SECOND), "{later:?}");
    }

    #[test]
    fn a_rate_that_is_high_enough_is_not() {
        let (forecast, start) = (Forecast::default(), Instant::now());
        forecast.left("load", 1_000, start);
        for second in 1..=50 {
            let now = start + second * SECOND;
            assert_eq!(forecast.done(20, start + 60 * SECOND, now), None);
        }
    }

    /// exactly-once 10d
    #[test]
    fn what_others_did_counts_as_speed() {
        let (forecast, start) = (Forecast::default(), Instant::now());
        let deadline = start + 60 * SECOND;
        forecast.left("load", 1_000, start);
        forecast.left("load", 500, start + 2 * SECOND);
        for second in 3..10 {
            assert_eq!(forecast.done(1, deadline, start + second * SECOND), None);
        }
        forecast.left("merge", 100, start + 10 * SECOND);
        assert_eq!(forecast.done(1, deadline, start + 20 * SECOND), None);
        assert_eq!(forecast.done(1, deadline, start + 30 * SECOND), None);
        assert!(forecast.done(1, deadline, start + 40 * SECOND).is_some());
    }
}
