//! Whether one server is there: after how many answers, and for how long it is not trusted.

use super::options::RoutingOptions;
use std::time::{Duration, Instant};

/// The longest time for which a server that comes and goes is left out.
const LONGEST_HOLD: Duration = Duration::from_mins(1);

/// The pause between questions grows to so many times its length.
const MOST_PAUSES: u32 = 5;

/// What a server that comes back gets of its share at first.
const COLD: f64 = 0.1;

/// Whether one server is there, by the answers it gave. It knows no clock: moments are given.
///
/// One that went away soon after it came back has to answer for longer before it is back again:
/// one that comes and goes every second is left out, instead of drawing everybody to it each time.
#[derive(Debug)]
pub(super) struct Health {
    state: State,
    failures: u32,
    answers: u32,
    /// How often it went away soon after it had come.
    flaps: u32,
    /// It is not back before this moment.
    held_until: Option<Instant>,
    /// From when on it gets more and more of its share.
    warms_since: Option<Instant>,
    came: Option<Instant>,
    next: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unknown,
    Up,
    Down,
}

/// What an answer, or none, has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    Came,
    Went,
}

impl Health {
    pub(super) fn new() -> Self {
        Self {
            state: State::Unknown,
            failures: 0,
            answers: 0,
            flaps: 0,
            held_until: None,
            warms_since: None,
            came: None,
            next: None,
        }
    }

    /// It answered at `now`.
    pub(super) fn answered(&mut self, now: Instant, options: &RoutingOptions) -> Change {
        self.failures = 0;
        self.answers = self.answers.saturating_add(1);
        self.next = Some(now + options.probe_interval);
        match self.state {
            State::Up => {
                // It was there for long: what was before is forgotten.
                if self.came.is_some_and(|came| now >= came + calm(options)) {
                    self.flaps = 0;
                }
                Change::Nothing
            }
            State::Unknown => {
                self.state = State::Up;
                Change::Came
            }
            State::Down if self.answers < options.rise => Change::Nothing,
            State::Down if self.held_until.is_some_and(|end| now < end) => Change::Nothing,
            State::Down => {
                self.state = State::Up;
                (self.came, self.warms_since) = (Some(now), Some(now));
                Change::Came
            }
        }
    }

    /// It gave no answer; `is_certain` if it refused to be connected to. `share` is a throw of the
    /// dice: many clients must not come back all at the same moment.
    pub(super) fn failed(
        &mut self,
        now: Instant,
        is_certain: bool,
        share: f64,
        options: &RoutingOptions,
    ) -> Change {
        self.answers = 0;
        self.failures = self.failures.saturating_add(1);
        let pauses = if self.state == State::Up { 1 } else { self.failures.min(MOST_PAUSES) };
        let pause = options.probe_interval * pauses;
        // Sooner by up to a quarter.
        self.next = Some(now + pause.mul_f64(1.0 - share / 4.0));
        if self.state == State::Down || (!is_certain && self.failures < options.fall) {
            return Change::Nothing;
        }
        if self.came.take().is_some_and(|came| now < came + calm(options)) {
            self.flaps = (self.flaps + 1).min(16);
            let hold = (options.probe_interval * (1 << self.flaps.min(8))).min(LONGEST_HOLD);
            self.held_until = Some(now + hold.mul_f64(1.0 + share / 4.0));
        }
        let change = if self.state == State::Up { Change::Went } else { Change::Nothing };
        self.state = State::Down;
        change
    }

    /// It was left out for another reason, and is back at `now`.
    pub(super) fn warm_up(&mut self, now: Instant) {
        self.warms_since = Some(now);
    }

    pub(super) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// Whether it was asked at all, whatever came of it.
    pub(super) fn is_known(&self) -> bool {
        self.state != State::Unknown || self.failures > 0
    }

    /// From 0 to 1: how much of its share it gets.
    pub(super) fn warmth(&self, now: Instant, options: &RoutingOptions) -> f64 {
        let Some(since) = self.warms_since else { return 1.0 };
        let passed = now.saturating_duration_since(since);
        if passed >= options.slow_start {
            return 1.0;
        }
        COLD + (1.0 - COLD) * passed.as_secs_f64() / options.slow_start.as_secs_f64()
    }

    /// When it is to be asked next; `None` for now.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next
    }
}

/// For so long it has to stay before what was before is forgotten.
fn calm(options: &RoutingOptions) -> Duration {
    (options.slow_start * 3).max(options.probe_interval * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    struct Trial {
        health: Health,
        options: RoutingOptions,
        now: Instant,
    }

    impl Trial {
        fn new() -> Self {
            Self { health: Health::new(), options: RoutingOptions::new(), now: Instant::now() }
        }

        fn answers(&mut self) -> Change {
            self.now += SECOND;
            self.health.answered(self.now, &self.options)
        }

        fn fails(&mut self, is_certain: bool) -> Change {
            self.now += SECOND;
            self.health.failed(self.now, is_certain, 0.0, &self.options)
        }

        fn warmth(&self) -> f64 {
            self.health.warmth(self.now, &self.options)
        }
    }

    #[test]
    fn the_first_answer_is_enough_and_has_no_slow_start() {
        let mut trial = Trial::new();
        assert!(!trial.health.is_known());
        assert_eq!(trial.answers(), Change::Came);
        assert!((trial.warmth() - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn one_missed_answer_is_passed_over_and_a_refusal_is_not() {
        let mut trial = Trial::new();
        trial.answers();
        assert_eq!([trial.fails(false), trial.fails(false)], [Change::Nothing; 2]);
        assert!(trial.health.is_up());
        assert_eq!(trial.fails(false), Change::Went);
        let mut trial = Trial::new();
        trial.answers();
        assert_eq!(trial.fails(true), Change::Went);
    }

    #[test]
    fn one_that_comes_back_has_to_answer_twice_and_gets_its_share_slowly() {
        let mut trial = Trial::new();
        trial.answers();
        trial.fails(true);
        assert_eq!([trial.answers(), trial.answers()], [Change::Nothing, Change::Came]);
        assert!((trial.warmth() - COLD).abs() < 1e-9);
        trial.now += SECOND * 5;
        assert!((trial.warmth() - 0.55).abs() < 1e-9);
        trial.now += SECOND * 5;
        assert!((trial.warmth() - 1.0).abs() < 1e-9);
    }

    /// Up for two seconds, away for one, for ten minutes.
    #[test]
    fn one_that_comes_and_goes_is_left_out_for_longer_and_longer() {
        let mut trial = Trial::new();
        trial.answers();
        let (mut came, mut there) = (0, 0);
        for _ in 0..200 {
            trial.fails(true);
            for _ in 0..2 {
                came += u32::from(trial.answers() == Change::Came);
                there += u32::from(trial.health.is_up());
            }
        }
        assert!(came <= 15, "it came back {came} times in ten minutes");
        assert!(there < 40, "it was there in {there} of 400 moments");
        for _ in 0..120 {
            trial.answers();
        }
        assert!(trial.health.is_up(), "it has stayed");
        trial.fails(true);
        assert_eq!([trial.answers(), trial.answers()], [Change::Nothing, Change::Came]);
    }

    #[test]
    fn one_that_is_gone_is_asked_after_pauses_that_grow_and_differ() {
        let mut trial = Trial::new();
        for number in 1..=9 {
            trial.fails(true);
            let pause = trial.health.due().unwrap() - trial.now;
            assert_eq!(pause, SECOND * number.min(MOST_PAUSES));
        }
        trial.health.failed(trial.now, true, 0.999, &trial.options);
        assert!(trial.health.due().unwrap() - trial.now < SECOND * 4);
    }
}
