//! When a run ends before its work does: it was asked to, or its deadline has come.
//!
//! First no further batch is begun, and those in flight are finished. What is not finished within
//! the grace is rolled back: its statements are cancelled, and a connection on which that does not
//! help is cut. One that commits is never cancelled, only cut: whether it held shows in the ledger.

use crate::backend::interrupt::Interrupt;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Clock;
use crate::stop::{Stop, StopToken};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// When a run has to end; made from a [`SystemTime`], or from a `Duration` that counts from its
/// start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(When);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    At(SystemTime),
    After(Duration),
    On(Instant),
}

impl From<SystemTime> for Deadline {
    fn from(moment: SystemTime) -> Self {
        Self(When::At(moment))
    }
}

impl From<Duration> for Deadline {
    fn from(time: Duration) -> Self {
        Self(When::After(time))
    }
}

impl Deadline {
    /// The moment, for a run that begins `now`; none if it is further away than a clock goes.
    fn counted_from(self, now: Instant) -> Option<Instant> {
        match self.0 {
            When::On(moment) => Some(moment),
            When::After(time) => now.checked_add(time),
            When::At(moment) => {
                let left = moment.duration_since(SystemTime::now()).unwrap_or_default();
                now.checked_add(left)
            }
        }
    }
}

/// How a run is made to end.
#[derive(Clone, Debug)]
pub(super) struct EndingOptions {
    pub(super) stop: StopToken,
    pub(super) deadline: Option<Deadline>,
    pub(super) grace: Duration,
    pub(super) clock: Clock,
}

/// Of Kubernetes' 30 seconds, and Slurm's, some are left for the rest.
const GRACE: Duration = Duration::from_secs(20);

impl Default for EndingOptions {
    fn default() -> Self {
        let (stop, clock) = (StopToken::new(), Clock::default());
        Self { stop, deadline: None, grace: GRACE, clock }
    }
}

/// How one run ends early, and what it has in flight then.
#[derive(Debug)]
pub(super) struct Ending {
    stop: StopToken,
    clock: Clock,
    deadline: Option<Instant>,
    grace: Duration,
    asked_at: Mutex<Option<Instant>>,
    flights: Mutex<Flights>,
    over: Mutex<bool>,
    told: Condvar,
    /// Asked when the time is up, for whoever knows nothing of runs.
    up: StopToken,
}

#[derive(Debug, Default)]
struct Flights {
    next: u64,
    open: Vec<Flight>,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    interrupt: Arc<dyn Interrupt>,
    commits: bool,
    struck: Option<Instant>,
}

/// How often it is looked whether a run has to end.
const LOOK: Duration = Duration::from_millis(50);

/// How long a statement that was cancelled may take to end before its connection is cut.
const CUT_AFTER: Duration = Duration::from_secs(3);

impl Ending {
    pub(super) fn of(options: &EndingOptions) -> Self {
        let EndingOptions { stop, deadline, grace, clock } = options.clone();
        let deadline = deadline.and_then(|deadline| deadline.counted_from(clock.now()));
        Self {
            stop,
            clock,
            deadline,
            grace,
            asked_at: Mutex::default(),
            flights: Mutex::default(),
            over: Mutex::default(),
            told: Condvar::new(),
            up: StopToken::new(),
        }
    }

    /// The options of runs that are parts of this one: its deadline is theirs.
    pub(super) fn of_parts(&self, options: &EndingOptions) -> EndingOptions {
        let deadline = self.deadline.map(|deadline| Deadline(When::On(deadline)));
        EndingOptions { deadline, ..options.clone() }
    }

    /// A token that says that what is in flight is to be rolled back, for a source that reads for
    /// long.
    pub(super) fn token(&self) -> StopToken {
        self.up.clone()
    }

    /// What a run has to do now, be it asked to or at its deadline.
    pub(super) fn asked(&self) -> Stop {
        let now = self.clock.now();
        let by_deadline = self.deadline.filter(|deadline| *deadline <= now);
        let by_token = match self.stop.asked() {
            Stop::Now => return Stop::Now,
            Stop::Drain => Some(*self.asked_at.lock().get_or_insert(now)),
            Stop::No => None,
        };
        let since = match (by_deadline, by_token) {
            (Some(deadline), Some(token)) => deadline.min(token),
            (Some(since), None) | (None, Some(since)) => since,
            (None, None) => return Stop::No,
        };
        if now.saturating_duration_since(since) < self.grace { Stop::Drain } else { Stop::Now }
    }

    /// The error of a run that ends early.
    pub(super) fn stopped(&self) -> Error {
        let is_late = self.deadline.is_some_and(|deadline| deadline <= self.clock.now());
        let message = match is_late && self.stop.asked() == Stop::No {
            true => "stopped at its deadline, before the end",
            false => "stopped before the end",
        };
        Error::new(ErrorKind::Stopped, message).with_hint("the same command carries on")
    }

    /// The deadline and the time, by the same clock.
    pub(super) fn deadline(&self) -> Option<(Instant, Instant)> {
        self.deadline.map(|deadline| (deadline, self.clock.now()))
    }

    /// How long something that waits may do so: no longer than the grace after the deadline.
    pub(super) fn left(&self) -> Option<Duration> {
        self.deadline().map(|(deadline, now)| {
            deadline.saturating_duration_since(now).saturating_add(self.grace)
        })
    }

    /// Notes what ends a unit in flight, until what is returned is dropped.
    pub(super) fn enter(&self, interrupt: Option<Arc<dyn Interrupt>>) -> InFlight<'_> {
        let mut flights = self.flights.lock();
        flights.next += 1;
        let number = flights.next;
        flights.open.extend(interrupt.map(|interrupt| Flight {
            number,
            interrupt,
            commits: false,
            struck: None,
        }));
        InFlight { home: self, number }
    }

    /// Does `work` beside a thread that ends what is in flight when it is time to.
    ///
    /// # Errors
    /// What `work` returns; `Config` if the system does not start a thread.
    pub(super) fn watched<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        thread::scope(|scope| {
            thread::Builder::new()
                .name("rowmill-ending".to_owned())
                .spawn_scoped(scope, || self.watch())
                .map_err(|error| {
                    Error::new(ErrorKind::Config, "a thread cannot be started").with_source(error)
                })?;
            // A panic in here must not leave the scope waiting for the thread.
            let over = Over(self);
            let done = work();
            drop(over);
            done
        })
    }

    /// Ends what is in flight when it is time to, until [`over`](Self::over).
    fn watch(&self) {
        loop {
            let mut over = self.over.lock();
            if !*over {
                self.told.wait_for(&mut over, LOOK);
            }
            if *over {
                return;
            }
            drop(over);
            if self.asked() == Stop::Now {
                // Asked twice: not to finish it, but to roll it back.
                self.up.ask();
                self.up.ask();
                self.strike(Instant::now());
            }
        }
    }

    /// Says that the run is through, so that nobody watches it any more.
    fn over(&self) {
        *self.over.lock() = true;
        self.told.notify_all();
    }

    fn strike(&self, now: Instant) {
        for flight in &mut self.flights.lock().open {
            match flight.struck {
                None => {
                    flight.struck = Some(now);
                    if !flight.commits {
                        flight.interrupt.cancel();
                    }
                }
                Some(struck) if now.saturating_duration_since(struck) >= CUT_AFTER => {
                    flight.interrupt.sever();
                }
                Some(_) => {}
            }
        }
    }
}

/// Ends the watch when it is dropped.
struct Over<'a>(&'a Ending);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over();
    }
}

/// A unit that is in flight.
#[derive(Debug)]
pub(super) struct InFlight<'a> {
    home: &'a Ending,
    number: u64,
}

impl InFlight<'_> {
    /// Says that it commits from now on: a COMMIT that waits for a standby and is cancelled would
    /// hold, and no standby would have it.
    pub(super) fn commits(&self) {
        for flight in &mut self.home.flights.lock().open {
            flight.commits |= flight.number == self.number;
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.home.flights.lock().open.retain(|flight| flight.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn ending(deadline: Option<Duration>) -> (Ending, StopToken, Clock) {
        let (clock, stop) = (Clock::manual(), StopToken::new());
        let options = EndingOptions {
            stop: stop.clone(),
            deadline: deadline.map(Deadline::from),
            clock: clock.clone(),
            ..EndingOptions::default()
        };
        (Ending::of(&options), stop, clock)
    }

    #[test]
    fn a_deadline_finishes_what_is_in_flight_and_its_grace_ends_it() {
        let (ending, _, clock) = ending(Some(MINUTE));
        clock.advance(Duration::from_millis(59_999));
        assert_eq!(ending.asked(), Stop::No);
        clock.advance(Duration::from_millis(1));
        assert_eq!(ending.asked(), Stop::Drain);
        assert!(ending.stopped().message().contains("deadline"));
        clock.advance(GRACE);
        assert_eq!(ending.asked(), Stop::Now);
    }

    #[test]
    fn who_was_asked_once_has_the_grace_and_who_was_asked_twice_has_none() {
        let (ending, stop, clock) = ending(None);
        stop.ask();
        assert_eq!(ending.asked(), Stop::Drain);
        clock.advance(Duration::from_millis(19_999));
        assert_eq!(ending.asked(), Stop::Drain);
        clock.advance(Duration::from_millis(1));
        assert_eq!(ending.asked(), Stop::Now);
        let (ending, stop, _) = self::ending(None);
        stop.ask();
        stop.ask();
        assert_eq!(ending.asked(), Stop::Now);
        assert!(!ending.stopped().message().contains("deadline"));
    }

    #[test]
    fn a_deadline_that_has_passed_is_now_and_one_that_never_comes_is_none() {
        let now = Instant::now();
        assert_eq!(Deadline::from(SystemTime::UNIX_EPOCH).counted_from(now), Some(now));
        assert_eq!(Deadline::from(Duration::MAX).counted_from(now), None);
    }

    #[derive(Debug, Default)]
    struct Ends(Mutex<Vec<&'static str>>);

    impl Interrupt for Ends {
        fn cancel(&self) {
            self.0.lock().push("cancel");
        }

        fn sever(&self) {
            self.0.lock().push("sever");
        }
    }

    #[test]
    fn what_does_not_end_is_cancelled_then_cut_and_a_commit_is_only_cut() {
        let (ending, ..) = ending(None);
        let now = Instant::now();
        for (commits, ends) in [(false, &["cancel", "sever"][..]), (true, &["sever"])] {
            let interrupt = Arc::new(Ends::default());
            let flight = ending.enter(Some(Arc::<Ends>::clone(&interrupt)));
            if commits {
                flight.commits();
            }
            ending.strike(now);
            ending.strike(now + Duration::from_millis(2_999));
            ending.strike(now + CUT_AFTER);
            drop(flight);
            ending.strike(now + CUT_AFTER);
            assert_eq!(*interrupt.0.lock(), ends);
        }
    }
}
