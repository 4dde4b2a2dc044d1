//! The clock by which a pool judges ages.

#[cfg(target_os = "linux")]
use rustix::time::{ClockId, Timespec, clock_gettime};
#[cfg(target_os = "linux")]
use std::cell::Cell;
use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The clock by which a pool judges ages: recycling, idle time, leaks. Waiting is by real time.
///
/// The default is the system's; a manual one is for tests, which set it forward instead of
/// sleeping. All clones of a manual clock are one.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Manual>>);

#[derive(Debug)]
struct Manual {
    start: Instant,
    passed: AtomicU64,
}

impl Clock {
    /// A clock that stands still until it is set forward.
    pub fn manual() -> Self {
        Self(Some(Arc::new(Manual { start: Instant::now(), passed: AtomicU64::new(0) })))
    }

    /// Sets a manual clock forward; the system's cannot be set.
    pub fn advance(&self, time: Duration) {
        if let Some(manual) = &self.0 {
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            manual.passed.fetch_add(nanoseconds, Ordering::SeqCst);
        }
    }

    /// What it says now.
    pub fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(manual) => {
                manual.start + Duration::from_nanos(manual.passed.load(Ordering::SeqCst))
            }
        }
    }

    /// What it said at its last tick, not more than some milliseconds ago; much cheaper than [`now`](Self::now).
    #[inline]
    pub(super) fn about(&self) -> Instant {
        if self.0.is_none() { last_tick() } else { self.now() }
    }

    /// The real time that is `time` from now, where `now` is what this clock said just now.
    pub(super) fn deadline(&self, now: Instant, time: Duration) -> Instant {
        if self.0.is_none() { now + time } else { Instant::now() + time }
    }
}

/// The system's clock as its last tick left it: reading it is no more than a load, where the exact
/// time asks the processor for its counter.
#[cfg(target_os = "linux")]
fn last_tick() -> Instant {
    thread_local! {
        /// The tick that this thread saw last. There are some hundred in a second, so that most who ask
        /// see it again.
        static SEEN: Cell<Option<(Timespec, Instant)>> = const { Cell::new(None) };
    }
    let tick = clock_gettime(ClockId::MonotonicCoarse);
    match SEEN.get() {
        Some((seen, instant)) if seen == tick => instant,
        _ => {
            let instant = instant_of(tick);
            SEEN.set(Some((tick, instant)));
            instant
        }
    }
}

#[cfg(target_os = "linux")]
fn instant_of(tick: Timespec) -> Instant {
    fn passed(time: Timespec) -> Duration {
        Duration::try_from(time).unwrap_or_default()
    }
    // ORDER: the `Instant` first; the other way round, this clock would be ahead by what came between.
    static START: LazyLock<(Instant, Duration)> =
        LazyLock::new(|| (Instant::now(), passed(clock_gettime(ClockId::Monotonic))));
    let (start, exact) = &*START;
    *start + passed(tick).saturating_sub(*exact)
}

#[cfg(not(target_os = "linux"))]
fn last_tick() -> Instant {
    Instant::now()
}

/// How long it is since `then`; most often no time at all, of which this makes little.
#[inline]
pub(super) fn passed(then: Instant, now: Instant) -> Duration {
    if now > then { now.saturating_duration_since(then) } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tick_is_not_ahead_and_goes_on() {
        let clock = Clock::default();
        let first = clock.about();
        assert!(first <= clock.now());
        while clock.about() == first {
            std::hint::spin_loop();
        }
        assert!(first < clock.about() && clock.about() <= clock.now());
        assert!(clock.now() - clock.about() < Duration::from_secs(1));
    }

    #[test]
    fn a_manual_clock_is_exact() {
        let clock = Clock::manual();
        let start = clock.about();
        clock.advance(Duration::from_nanos(1));
        assert_eq!(clock.about() - start, Duration::from_nanos(1));
    }
}
