//! The steps by which the number of workers is found.
//!
//! Pure: it is told of each transaction that ended and when, looks at the clocks of the processors
//! only where a window opens or closes, and says how many batches may be in flight.

use super::choice::{WorkerChoice, WorkerReason, WorkerTrial};
use super::window::{Done, Reading, Seen, Window};
use std::time::{Duration, Instant};

/// A trial stays if rows came in faster by this share: in two windows, or in one by [`CLEAR`]. What
/// differs from window to window without a reason is less, and to go back costs one more window.
const GAIN: f64 = 0.1;
const CLEAR: f64 = 0.5;

/// More are tried while this process keeps less than this share of its workers, and of its
/// processors, busy ...
const OWN_OF_WORKERS: f64 = 0.5;
const OWN_OF_PROCESSORS: f64 = 0.75;

/// ... and, for the server may be on this machine, at least this share of the processors has
/// nothing to do; or if a commit takes so long at least: then it is the way to the server, or its
/// disk, that is waited for.
const IDLE: f64 = 0.2;
const FAR: Duration = Duration::from_millis(5);

/// Only the first windows are looked at: what comes later is another trial at best.
const MOST_WINDOWS: usize = 6;

/// A trial is begun only with so many transactions ahead for each of the workers that are tried.
const WORTH_ROUNDS: usize = 4;

/// So often something may come in between, and trials be cut short by it.
const MOST_UPSETS: usize = 50;
const MOST_CUT_SHORT: usize = 3;

/// Looks for the number of workers with which rows come in fastest.
#[derive(Debug)]
pub(super) struct Search {
    count: usize,
    most: usize,
    processors: usize,
    stage: Stage,
    trials: Vec<WorkerTrial>,
    /// So many transactions are passed over before a window opens.
    settling: usize,
    window: Option<Window>,
    /// How many batches shared a transaction last.
    together: usize,
    upsets: usize,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// How fast it goes with the number that there is: `last` was the speed of the last window, and in
    /// the last `waiting` of all `windows` the workers mostly waited.
    Watching {
        windows: usize,
        waiting: usize,
        last: f64,
    },
    /// `count` are tried in place of `from`, which came to `base` rows by second.
    Trying {
        from: usize,
        base: f64,
        first: Option<f64>,
    },
    Over(WorkerReason),
}

impl Stage {
    const START: Self = Self::Watching { windows: 0, waiting: 0, last: 0.0 };
}

impl Search {
    /// From `count` workers up to `most`, on a machine with so many processors.
    pub(super) fn new(count: usize, most: usize, processors: usize) -> Self {
        Self {
            count,
            most,
            processors,
            stage: Stage::START,
            trials: Vec::new(),
            settling: settling(count),
            window: None,
            together: 1,
            upsets: 0,
        }
    }

    /// How many batches may be in flight now.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether the number is found.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    /// What was found so far.
    pub(super) fn choice(&self) -> WorkerChoice {
        let Self { count, most, ref trials, .. } = *self;
        let (mut count, mut trials) = (count, trials.clone());
        let mut reason = match self.stage {
            Stage::Over(reason) => reason,
            Stage::Watching { windows, waiting: 0, .. } if windows > 0 => WorkerReason::Busy,
            Stage::Watching { .. } => WorkerReason::TooFewBatches,
            Stage::Trying { from, .. } => {
                trials.push(WorkerTrial { from, to: count, gain: None, kept: false });
                count = from;
                WorkerReason::Measured
            }
        };
        if !trials.is_empty() {
            reason = WorkerReason::Measured;
        }
        WorkerChoice { count, most, reason, trials }
    }

    /// Notes a transaction that ended `now`; `look` reads the clocks.
    pub(super) fn ended(&mut self, done: &Done, now: Instant, look: impl FnOnce() -> Reading) {
        if self.is_over() {
            return;
        }
        if done.has_refused {
            return;
        }
        if !done.is_smooth || done.together != self.together {
            self.upset(done);
            return;
        }
        // The last ones share transactions otherwise, so that all workers end at the same time.
        if done.left < 2 * self.count * self.together {
            self.begin_anew();
            return;
        }
        if self.settling > 0 {
            self.settling -= 1;
            return;
        }
        let Some(window) = &mut self.window else {
            self.window = Some(Window::open(now, look()));
            return;
        };
        window.add(done);
        if !window.is_full(self.count, now) {
            return;
        }
        let reading = look();
        let seen = window.close(now, reading);
        self.window = Some(Window::open(now, reading));
        self.judge(seen, done.left);
    }

    fn begin_anew(&mut self) {
        self.window = None;
        // What is in flight.
        self.settling = self.count;
    }

    /// What was measured so far is no measure for what comes.
    fn upset(&mut self, done: &Done) {
        self.upsets += 1;
        let has_grown = done.together > self.together;
        self.together = done.together;
        match self.stage {
            // It may be the trial that made it fail: a server without room, a lock, a deadlock.
            Stage::Trying { from, .. } if !done.is_smooth => self.go_back(from, None),
            // More in a transaction would be faster without the trial, too.
            Stage::Trying { from, .. } if has_grown => {
                self.go_back(from, None);
                if self.cut_short() < MOST_CUT_SHORT {
                    self.stage = Stage::START;
                }
            }
            Stage::Watching { .. } => self.stage = Stage::START,
            Stage::Trying { .. } | Stage::Over(_) => {}
        }
        self.begin_anew();
        if self.upsets >= MOST_UPSETS {
            match self.stage {
                Stage::Watching { .. } => self.stage = Stage::Over(WorkerReason::Unsteady),
                Stage::Trying { from, .. } => self.go_back(from, None),
                Stage::Over(_) => {}
            }
        }
    }

    fn judge(&mut self, seen: Seen, left: usize) {
        match self.stage {
            Stage::Watching { windows, waiting, last } => {
                let waiting = if self.mostly_waits(&seen) { waiting + 1 } else { 0 };
                self.watched(windows + 1, waiting, last, seen, left);
            }
            Stage::Trying { from, base, first } => self.tried(from, base, first, seen, left),
            Stage::Over(_) => {}
        }
    }

    fn watched(&mut self, windows: usize, waiting: usize, last: f64, seen: Seen, left: usize) {
        // The faster of two: what held one of them up would look like a gain of whatever comes next. Where
        // the server is far, more workers do no harm even so, and every transaction takes its time.
        let enough = if seen.commit >= FAR { 1 } else { 2 };
        self.stage = if waiting >= enough && self.has_ahead(left) {
            self.widen(last.max(seen.speed))
        } else if windows < MOST_WINDOWS {
            Stage::Watching { windows, waiting, last: seen.speed }
        } else if waiting == 0 {
            Stage::Over(WorkerReason::Busy)
        } else {
            Stage::Over(WorkerReason::TooFewBatches)
        };
    }

    fn tried(&mut self, from: usize, base: f64, first: Option<f64>, seen: Seen, left: usize) {
        let gain_of = |speed: f64| speed / base.max(f64::EPSILON) - 1.0;
        let gain = gain_of(seen.speed);
        if gain < GAIN {
            return self.go_back(from, Some(gain));
        }
        let Some(first) = first.or((gain >= CLEAR).then_some(seen.speed)) else {
            self.stage = Stage::Trying { from, base, first: Some(seen.speed) };
            return;
        };
        let gain = Some(gain.min(gain_of(first)));
        self.trials.push(WorkerTrial { from, to: self.count, gain, kept: true });
        let goes_on = self.count < self.most && self.mostly_waits(&seen) && self.has_ahead(left);
        self.stage = match goes_on {
            true => self.widen(first.max(seen.speed)),
            false => Stage::Over(WorkerReason::Measured),
        };
    }

    /// Begins a trial against `base` rows by second.
    fn widen(&mut self, base: f64) -> Stage {
        let from = self.count;
        self.count = self.next();
        self.window = None;
        self.settling = settling(self.count);
        Stage::Trying { from, base, first: None }
    }

    fn go_back(&mut self, from: usize, gain: Option<f64>) {
        self.trials.push(WorkerTrial { from, to: self.count, gain, kept: false });
        self.count = from;
        self.stage = Stage::Over(WorkerReason::Measured);
    }

    fn cut_short(&self) -> usize {
        self.trials.iter().filter(|trial| trial.gain.is_none()).count()
    }

    fn next(&self) -> usize {
        (self.count * 2).min(self.most)
    }

    /// Whether so much is left that a trial can pay.
    fn has_ahead(&self, left: usize) -> bool {
        left >= WORTH_ROUNDS * self.next() * self.together
    }

    /// Whether the workers mostly wait, and not for a processor of this machine.
    fn mostly_waits(&self, seen: &Seen) -> bool {
        let processors = self.processors as f64;
        let most = (self.count as f64 * OWN_OF_WORKERS).min(processors * OWN_OF_PROCESSORS);
        let has_idle = seen.idle.is_none_or(|idle| idle >= processors * IDLE);
        seen.own.is_none_or(|own| own < most) && (has_idle || seen.commit >= FAR)
    }
}

/// The first transaction of each worker takes longer, for one that is new opens its connection, and
/// meanwhile others are through with another one.
fn settling(workers: usize) -> usize {
    2 * workers
}

#[cfg(test)]
mod tests;
