//! How far a run is: a bar on a terminal, lines in a log, or nothing.

use super::console::Console;
use super::figures::{bytes, counted, grouped};
use super::tally::Tally;
use crate::batch::observer::{BatchDone, Observer, PlanTotals, Unobserved};
use crate::error::Error;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The least time between two lines in a log.
const PACE: Duration = Duration::from_secs(10);

/// The observer that fits `console`, and how to print a line beside it.
pub(super) fn observer(console: Console) -> (Arc<dyn Observer>, Beside) {
    let beside = Beside { console, bar: None };
    if console.is_quiet() {
        (Arc::new(Unobserved), beside)
    } else if console.is_terminal() {
        let bar = Bar::new();
        let beside = Beside { bar: Some(bar.bar.clone()), ..beside };
        (Arc::new(bar), beside)
    } else {
        (Arc::new(Lines::new(move |line: &str| console.note(line), Instant::now)), beside)
    }
}

/// Prints lines while a bar may be on the screen: they stand above it, and it stays whole.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    console: Console,
    bar: Option<ProgressBar>,
}

impl Beside {
    pub(super) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.console.note(line)),
            None => self.console.note(line),
        }
    }
}

fn plan_line(plan: &PlanTotals) -> String {
    let rows = counted(plan.rows, "row", "rows");
    let mut parts = vec![format!("plan: {rows} in {}", counted(plan.batches, "batch", "batches"))];
    if plan.bytes > 0 {
        parts.push(bytes(plan.bytes));
    }
    if plan.done_batches > 0 {
        parts.push(format!("{} done by earlier runs", grouped(plan.done_batches)));
    }
    parts.join(", ")
}

/// Lines in a log: at the start, at most one in [`PACE`], and at the end.
struct Lines<P, C> {
    print: P,
    clock: C,
    state: Mutex<(Tally, Instant)>,
}

impl<P: Fn(&str), C: Fn() -> Instant> Lines<P, C> {
    fn new(print: P, clock: C) -> Self {
        let now = clock();
        Self { print, clock, state: Mutex::new((Tally::new(now), now)) }
    }

    /// Changes the state and says what is to be printed, if it is time; prints without the lock.
    fn tell(&self, change: impl FnOnce(&mut Tally, Instant, bool) -> Option<String>) {
        let now = (self.clock)();
        let line = {
            let mut state = self.state.lock();
            let due = now.saturating_duration_since(state.1) >= PACE;
            let line = change(&mut state.0, now, due);
            if line.is_some() {
                state.1 = now;
            }
            line
        };
        if let Some(line) = line {
            (self.print)(&line);
        }
    }
}

impl<P: Fn(&str) + Send + Sync, C: Fn() -> Instant + Send + Sync> Observer for Lines<P, C> {
    fn planned(&self, plan: &PlanTotals) {
        self.tell(|tally, now, _| {
            tally.plan(plan, now);
            Some(plan_line(plan))
        });
    }

    fn batch_done(&self, done: &BatchDone) {
        self.tell(|tally, now, due| {
            tally.add(done);
            (due || tally.is_finished()).then(|| tally.line(now))
        });
    }

    fn phase(&self, name: &str) {
        self.tell(|_, _, _| Some(format!("phase: {name}")));
    }

    fn waiting(&self, why: &Error) {
        self.tell(|_, _, due| due.then(|| format!("waiting: {why}")));
    }

    fn held_back(&self) {
        self.tell(|_, _, _| Some(HELD_BACK.to_owned()));
    }

    fn indexes_kept(&self, why: &Error) {
        self.tell(|_, _, _| Some(indexes_kept(why)));
    }
}

const HELD_BACK: &str = "nothing was deleted: a rejected record may hide the key of any row";

fn indexes_kept(why: &Error) -> String {
    format!("indexes were kept up row by row, for one could not be built: {why}")
}

/// The bar where it is not known how much there is to do, and where it is. A `wide_msg` is cut
/// off at the edge of the terminal: a bar of two lines would leave its first one behind.
const TEMPLATES: [&str; 2] =
    ["{spinner} {prefix} {elapsed} {wide_msg}", "{prefix} {bar:16} {percent:>3}% {wide_msg}"];

/// A bar on a terminal; it is wiped out at the end, where the summary takes its place.
struct Bar {
    bar: ProgressBar,
    tally: Mutex<Tally>,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(Self::style(TEMPLATES[0]));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, tally: Mutex::new(Tally::new(Instant::now())) }
    }

    fn style(template: &str) -> ProgressStyle {
        // A template is a constant; one that indicatif does not take shows its own bar.
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }
}

impl Observer for Bar {
    fn planned(&self, plan: &PlanTotals) {
        let now = Instant::now();
        let line = {
            let mut tally = self.tally.lock();
            tally.plan(plan, now);
            tally.short_line(now)
        };
        let (all, done) = match plan.bytes {
            0 => (plan.rows, plan.done_rows),
            all => (all, plan.done_bytes),
        };
        self.bar.set_length(all);
        self.bar.set_position(done);
        self.bar.set_message(line);
    }

    fn batch_done(&self, done: &BatchDone) {
        let (line, by) = {
            let mut tally = self.tally.lock();
            tally.add(done);
            (
                tally.short_line(Instant::now()),
                if tally.plan.bytes == 0 { done.rows } else { done.bytes },
            )
        };
        self.bar.inc(by);
        self.bar.set_message(line);
    }

    fn phase(&self, name: &str) {
        self.bar.set_prefix(name.to_owned());
        if name == "load" {
            self.bar.set_style(Self::style(TEMPLATES[1]));
        } else {
            self.bar.set_style(Self::style(TEMPLATES[0]));
            self.bar.set_message("");
        }
    }

    fn waiting(&self, why: &Error) {
        self.bar.set_message(format!("waiting: {why}"));
    }

    fn held_back(&self) {
        self.bar.println(HELD_BACK);
    }

    fn indexes_kept(&self, why: &Error) {
        self.bar.println(indexes_kept(why));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// A clock that stands still until it is moved, and what was printed.
    struct Log {
        now: Mutex<Instant>,
        lines: Mutex<Vec<String>>,
    }

    fn log() -> Log {
        Log { now: Mutex::new(Instant::now()), lines: Mutex::default() }
    }

    impl Log {
        fn observer(&self) -> impl Observer + '_ {
            let print = |line: &str| self.lines.lock().push(line.to_owned());
            Lines::new(print, || *self.now.lock())
        }

        fn pass(&self, seconds: u64) {
            *self.now.lock() += Duration::from_secs(seconds);
        }

        fn taken(&self) -> Vec<String> {
            std::mem::take(&mut self.lines.lock())
        }
    }

    const BATCH: BatchDone =
        BatchDone { rows: 1_000, bytes: 2_048, rejected: 0, time: Duration::ZERO };

    fn plan(batches: u64, done_batches: u64) -> PlanTotals {
        PlanTotals {
            batches,
            rows: batches * BATCH.rows,
            bytes: batches * BATCH.bytes,
            done_batches,
            done_rows: done_batches * BATCH.rows,
            done_bytes: done_batches * BATCH.bytes,
        }
    }

    #[test]
    fn a_log_gets_a_line_at_the_start_every_ten_seconds_and_at_the_end() {
        let log = log();
        let observer = log.observer();
        observer.planned(&plan(4, 0));
        assert_eq!(log.taken(), ["plan: 4,000 rows in 4 batches, 8.0 KiB"]);
        log.pass(9);
        observer.batch_done(&BATCH);
        assert_eq!(log.taken(), [""; 0]);
        log.pass(1);
        observer.batch_done(&BatchDone { rejected: 3, ..BATCH });
        let half = "2,000 of 4,000 rows, batch 2 of 4, 200 rows/s, 3 rejected, 10.0 s left";
        assert_eq!(log.taken(), [half]);
        observer.batch_done(&BATCH);
        observer.batch_done(&BATCH);
        assert_eq!(log.taken(), ["4,000 of 4,000 rows, batch 4 of 4, 400 rows/s, 3 rejected"]);
    }

    #[test]
    fn what_earlier_runs_did_is_counted_but_not_timed() {
        let log = log();
        let observer = log.observer();
        observer.planned(&plan(10, 7));
        assert_eq!(
            log.taken(),
            ["plan: 10,000 rows in 10 batches, 20.0 KiB, 7 done by earlier runs"]
        );
        log.pass(10);
        observer.batch_done(&BATCH);
        assert_eq!(log.taken(), ["8,000 of 10,000 rows, batch 8 of 10, 100 rows/s, 20.0 s left"]);
    }

    #[test]
    fn the_bar_takes_its_templates_and_counts_on_from_earlier_runs() {
        for template in TEMPLATES {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
        let bar = Bar::new();
        bar.planned(&plan(4, 1));
        bar.batch_done(&BATCH);
        assert_eq!((bar.bar.position(), bar.bar.length()), (2 * 2_048, Some(4 * 2_048)));
        bar.planned(&PlanTotals { bytes: 0, done_bytes: 0, ..plan(4, 1) });
        bar.batch_done(&BATCH);
        assert_eq!((bar.bar.position(), bar.bar.length()), (2_000, Some(4_000)));
    }

    #[test]
    fn waiting_is_not_told_more_often_than_every_ten_seconds() {
        let log = log();
        let observer = log.observer();
        let why = Error::new(ErrorKind::Connect, "connection refused");
        for _ in 0..5 {
            observer.waiting(&why);
        }
        assert_eq!(log.taken(), [""; 0]);
        log.pass(10);
        observer.waiting(&why);
        observer.waiting(&why);
        assert_eq!(log.taken(), ["waiting: connection refused"]);
    }
}
