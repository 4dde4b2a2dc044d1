//! The clock by which a pool judges ages.

use std::sync::Arc;
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

    /// The real time that is `time` from now, where `now` is what this clock said just now.
    pub(super) fn deadline(&self, now: Instant, time: Duration) -> Instant {
        if self.0.is_none() { now + time } else { Instant::now() + time }
    }
}
