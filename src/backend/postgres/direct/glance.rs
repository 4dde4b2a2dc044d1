//! Looking for an answer for a moment, before the thread sleeps for it.
//!
//! A thread that sleeps is woken by the kernel, and so is the core that it slept on; together that takes
//! longer than the server takes for a row by its key. So the thread looks for a moment first, about twice as
//! long as sleeping and waking take, and between two looks leaves the core to whoever else can use it.
//! Then it sleeps: what is lost by a look for nothing is bounded.
//!
//! Where somebody else wants the core, sleeping is the better one: the kernel then lets the server go on
//! at once, on the core that the thread leaves. And where answers take long, looking is for nothing. So what
//! came of looking decides how often sleep comes at once from then on, up to [`MOST`] times.
//!
//! Source: Karlin, Li, Manasse and Owicki, "Empirical studies of competitive spinning for a
//! shared-memory multiprocessor", SOSP 1991.

use std::thread;
use std::time::{Duration, Instant};

/// How long it is looked for an answer. A server that has slept answers behind half of it.
const MOMENT: Duration = Duration::from_micros(100);

/// A core that was left for longer was wanted by somebody.
const OTHERS: Duration = Duration::from_micros(3);

/// How often sleep comes at once, behind one look that was disturbed.
const DISTURBED: u32 = 8;

/// How often sleep comes at once, at most.
const MOST: u32 = 64;

/// Whether it is worth while to look, from what came of it before.
#[derive(Debug, Default)]
pub(super) struct Glance {
    /// How often sleep still comes at once.
    asleep: u32,
    /// How often it did so behind the last look.
    behind: u32,
}

/// One time of looking.
#[derive(Debug)]
pub(super) struct Look {
    end: Instant,
    is_disturbed: bool,
}

impl Glance {
    /// A time of looking, unless it is better to sleep at once.
    pub(super) fn begin(&mut self, now: Instant) -> Option<Look> {
        let is_awake = self.asleep == 0;
        self.asleep = self.asleep.saturating_sub(1);
        is_awake.then(|| Look { end: now + MOMENT, is_disturbed: false })
    }

    /// Notes what came of it.
    pub(super) fn note(&mut self, look: &Look, has_come: bool) {
        self.behind = match (look.is_disturbed, has_come) {
            (true, _) => (4 * self.behind).clamp(DISTURBED, MOST),
            (false, true) => 0,
            (false, false) => (2 * self.behind).clamp(1, MOST),
        };
        self.asleep = self.behind;
    }
}

impl Look {
    /// Leaves the core to others for once; false when it is time to sleep instead.
    pub(super) fn goes_on(&mut self) -> bool {
        self.goes_on_by(Instant::now, thread::yield_now)
    }

    fn goes_on_by(&mut self, clock: impl Fn() -> Instant, leave: impl FnOnce()) -> bool {
        let now = clock();
        if self.is_disturbed || now >= self.end {
            return false;
        }
        leave();
        // Whoever had the core may have been the server: one more look is due.
        self.is_disturbed = clock().saturating_duration_since(now) > OTHERS;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How often a look goes on if the core is away for so long each time.
    fn looks(look: &mut Look, start: Instant, away: Duration) -> u32 {
        let now = Cell::new(start);
        let mut count = 0;
        while look.goes_on_by(|| now.get(), || now.set(now.get() + away)) {
            count += 1;
        }
        count
    }

    /// How often sleep comes at once before it is looked again.
    fn asleep(glance: &mut Glance, now: Instant) -> u32 {
        let mut count = 0;
        while glance.begin(now).is_none() {
            count += 1;
        }
        count
    }

    #[test]
    fn it_is_looked_for_a_moment_or_once_more_when_somebody_had_the_core() {
        let now = Instant::now();
        let mut glance = Glance::default();
        let mut look = glance.begin(now).unwrap();
        assert_eq!(looks(&mut look, now, Duration::from_micros(2)), 50);
        let mut look = glance.begin(now).unwrap();
        assert_eq!(looks(&mut look, now, Duration::from_micros(4)), 1);
    }

    #[test]
    fn the_more_often_it_was_for_nothing_the_more_seldom_it_is_looked() {
        let now = Instant::now();
        let mut glance = Glance::default();
        let for_nothing = Look { end: now, is_disturbed: false };
        let mut times = || {
            glance.note(&for_nothing, false);
            asleep(&mut glance, now)
        };
        assert_eq!([times(), times(), times()], [1, 2, 4]);
        assert_eq!((0..10).map(|_| times()).last(), Some(MOST));
    }

    #[test]
    fn an_answer_that_was_seen_has_the_next_one_looked_for_too() {
        let now = Instant::now();
        let mut glance = Glance { asleep: 0, behind: MOST };
        glance.note(&Look { end: now, is_disturbed: false }, true);
        assert_eq!(asleep(&mut glance, now), 0);
    }

    #[test]
    fn where_others_want_the_core_sleep_comes_at_once_even_if_the_answer_was_seen() {
        let now = Instant::now();
        let mut glance = Glance::default();
        let disturbed = Look { end: now, is_disturbed: true };
        let mut times = |has_come| {
            glance.note(&disturbed, has_come);
            asleep(&mut glance, now)
        };
        assert_eq!([times(true), times(false), times(true)], [DISTURBED, 32, MOST]);
    }
}
