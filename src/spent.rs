//! Where the time of a thread went.
//!
//! A batch is read, changed, sent and committed on one thread, so whoever takes part notes its time
//! here, and the worker collects it when the batch is done: no clock has to be handed through the
//! layers between them.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// What a batch spends its time with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Waiting for a connection.
    Wait,
    /// Getting the bytes or rows of the source.
    Read,
    /// Closures of the user.
    Transform,
    /// Making packed rows of it.
    Encode,
    /// Handing rows to the other side.
    Send,
    /// Waiting for its answers.
    Server,
    /// Waiting for the answer to COMMIT.
    Commit,
}

const STEPS: usize = 7;

impl Step {
    /// All of them, in the order in which a batch goes through them.
    pub(crate) const ALL: [Self; STEPS] = [
        Self::Read,
        Self::Transform,
        Self::Encode,
        Self::Wait,
        Self::Send,
        Self::Server,
        Self::Commit,
    ];

    /// Its name in a report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Read => "read",
            Self::Transform => "transform",
            Self::Encode => "encode",
            Self::Send => "send",
            Self::Server => "server",
            Self::Commit => "commit",
        }
    }
}

/// The time of each step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent([Duration; STEPS]);

impl Spent {
    /// The time of `step`.
    pub(crate) fn of(&self, step: Step) -> Duration {
        self.0[step as usize]
    }

    /// All steps together.
    pub(crate) fn total(&self) -> Duration {
        self.0.iter().sum()
    }
}

thread_local! {
    static SPENT: Cell<Spent> = const { Cell::new(Spent([Duration::ZERO; STEPS])) };
}

/// Notes that this thread spent `time` with `step`.
pub(crate) fn note(step: Step, time: Duration) {
    let mut spent = SPENT.get();
    spent.0[step as usize] += time;
    SPENT.set(spent);
}

/// Does `work` and notes its time for `step`.
pub(crate) fn on<T>(step: Step, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    note(step, began.elapsed());
    done
}

/// Does `work` and notes for `step` what nothing in it was noted for.
pub(crate) fn rest_on<T>(step: Step, work: impl FnOnce() -> T) -> T {
    let before = SPENT.get().total();
    let began = Instant::now();
    let done = work();
    let noted = SPENT.get().total().saturating_sub(before);
    note(step, began.elapsed().saturating_sub(noted));
    done
}

/// One row in so many is timed where a look at the clock would cost as much as the work.
const SAMPLE: u64 = 16;

/// Does `work` on row `index` of `rows`, and notes for `step` what it took on this row for all rows
/// up to the next one that is timed.
pub(crate) fn sampled<T>(step: Step, index: u32, rows: u64, work: impl FnOnce() -> T) -> T {
    let index = u64::from(index);
    if !index.is_multiple_of(SAMPLE) {
        return work();
    }
    let began = Instant::now();
    let done = work();
    let stands_for = rows.saturating_sub(index).clamp(1, SAMPLE);
    note(step, began.elapsed() * stands_for as u32);
    done
}

/// What was noted on this thread since this was asked last.
pub(crate) fn take() -> Spent {
    SPENT.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_what_nobody_inside_noted() {
        take();
        let hour = Duration::from_hours(1);
        rest_on(Step::Server, || note(Step::Send, hour));
        let spent = take();
        assert_eq!(spent.of(Step::Send), hour);
        // What was noted inside is longer than all, as a sample that was scaled up can be.
        assert_eq!(spent.of(Step::Server), Duration::ZERO);
        assert_eq!(take(), Spent::default());
    }

    #[test]
    fn every_step_has_its_own_place() {
        take();
        for (hours, step) in (1..).zip(Step::ALL) {
            note(step, Duration::from_secs(hours));
        }
        let spent = take();
        let seconds = Step::ALL.map(|step| spent.of(step).as_secs());
        assert_eq!(seconds, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(spent.total().as_secs(), 28);
    }
}
