//! One experiment with a fault: its numbers, its verdict, and a limit to its time.

use super::LIMIT;
use super::subject::Kind;
use serde_json::{Map, Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Whether the experiments run at full size: `tests/faults pool`.
pub fn is_full() -> bool {
    std::env::var("ROWMILL_FAULT_POOL").is_ok_and(|size| size == "full")
}

/// The size of something, in the normal suite and at full size.
pub fn sized<T>(short: T, full: T) -> T {
    if is_full() { full } else { short }
}

/// The numbers of one run of an experiment.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    measured: Map<String, Value>,
    failures: Vec<String>,
}

impl Sheet {
    /// Notes a number.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.measured.insert(name.to_owned(), value.into());
    }

    /// Notes a time, in milliseconds.
    pub fn set_ms(&mut self, name: &str, time: Duration) {
        self.set(name, (time.as_secs_f64() * 1e4).round() / 10.0);
    }

    /// Whether everything held so far.
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
    }

    /// Notes what must hold, if it does not.
    pub fn expect(&mut self, holds: bool, what: impl Into<String>) {
        let what = what.into();
        if !holds && !self.failures.contains(&what) {
            self.failures.push(what);
        }
    }
}

/// How a run of an experiment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
    /// It did not end within its limit: worse than any failure.
    Hang,
}

/// A run of an experiment that is over.
#[derive(Debug)]
pub struct Outcome {
    id: &'static str,
    kind: Kind,
    pub verdict: Verdict,
    pub sheet: Sheet,
}

/// Runs `work` on a thread of its own, waits for it at most `limit`, and prints its record:
/// `FAULT {json}`. One that hangs is left behind.
pub fn measure(
    id: &'static str,
    kind: Kind,
    seed: u64,
    limit: Duration,
    work: impl FnOnce(&mut Sheet) + Send + 'static,
) -> Outcome {
    let (sender, receiver) = sync_channel(1);
    let since = Instant::now();
    let running = thread::Builder::new().name(format!("{id} {}", kind.name())).spawn(move || {
        let mut sheet = Sheet::default();
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut sheet)));
        sheet.expect(outcome.is_ok(), "it panicked");
        let _ = sender.send(sheet);
    });
    let running = running.expect("start a thread for the experiment");
    let (verdict, mut sheet) = match receiver.recv_timeout(limit) {
        Ok(sheet) if sheet.failures.is_empty() => (Verdict::Pass, sheet),
        Ok(sheet) => (Verdict::Fail, sheet),
        Err(RecvTimeoutError::Timeout) => (Verdict::Hang, Sheet::default()),
        Err(RecvTimeoutError::Disconnected) => unreachable!("a panic is caught"),
    };
    if verdict == Verdict::Hang {
        sheet.expect(false, format!("it did not end within {limit:?}"));
    } else {
        running.join().expect("its panic was caught");
    }
    let record = json!({
        "id": id, "subject": kind.name(), "seed": seed,
        "verdict": format!("{verdict:?}").to_uppercase(), "hang": verdict == Verdict::Hang,
        "wall_s": (since.elapsed().as_secs_f64() * 10.0).round() / 10.0,
        "measured": sheet.measured, "failures": sheet.failures,
    });
    eprintln!("FAULT {record}");
    Outcome { id, kind, verdict, sheet }
}

impl Outcome {
    /// Fails the test unless everything held.
    #[track_caller]
    pub fn must_pass(&self) -> &Self {
        let Self { id, kind, verdict, sheet } = self;
        assert_eq!(*verdict, Verdict::Pass, "{id} {}: {:?}", kind.name(), sheet.failures);
        self
    }

    /// Fails the test if everything held: an experiment that the naive baseline passes proves
    /// nothing.
    #[track_caller]
    pub fn must_fail(&self) {
        let Self { id, kind, verdict, sheet } = self;
        assert_ne!(*verdict, Verdict::Pass, "{id} {} proves nothing: {sheet:?}", kind.name());
    }
}

/// An experiment that both pools are put through: rowmill must pass it and the naive baseline must
/// not. `seed` is printed and handed on.
pub fn tell_apart(
    id: &'static str,
    limit: Duration,
    experiment: impl Fn(Kind, u64, &mut Sheet) + Copy + Send + 'static,
) {
    let seed = seed();
    measure(id, Kind::Rowmill, seed, limit, move |sheet| experiment(Kind::Rowmill, seed, sheet))
        .must_pass();
    measure(id, Kind::Naive, seed, limit, move |sheet| experiment(Kind::Naive, seed, sheet))
        .must_fail();
}

/// An experiment that both pools must pass: it guards rowmill, and proves nothing beside that.
pub fn both_pass(
    id: &'static str,
    limit: Duration,
    experiment: impl Fn(Kind, u64, &mut Sheet) + Copy + Send + 'static,
) {
    let seed = seed();
    for kind in [Kind::Rowmill, Kind::Naive] {
        measure(id, kind, seed, limit, move |sheet| experiment(kind, seed, sheet)).must_pass();
    }
}

/// As [`tell_apart`]; but the naive baseline, which hangs, is put through it at full size only,
/// for a minute.
pub fn tell_apart_at_length(
    id: &'static str,
    limit: Duration,
    experiment: impl Fn(Kind, u64, &mut Sheet) + Copy + Send + 'static,
) {
    let seed = seed();
    measure(id, Kind::Rowmill, seed, limit, move |sheet| experiment(Kind::Rowmill, seed, sheet))
        .must_pass();
    if is_full() {
        measure(id, Kind::Naive, seed, LIMIT, move |sheet| experiment(Kind::Naive, seed, sheet))
            .must_fail();
    }
}

/// An experiment with bounds of time: a machine that has other things to do holds up whoever is on it. In
/// the normal suite, beside other tests, ours gets three chances; the naive baseline never needs more than
/// one to fail, and at full size nothing else runs.
pub fn in_time(kind: Kind, sheet: &mut Sheet, experiment: impl Fn(&mut Sheet)) {
    let more = if kind == Kind::Rowmill { sized(2, 0) } else { 0 };
    for _ in 0..more {
        let mut attempt = Sheet::default();
        experiment(&mut attempt);
        if attempt.holds() {
            *sheet = attempt;
            return;
        }
        eprintln!("late: {:?}", attempt.failures);
    }
    experiment(sheet);
}

/// The seed that `ROWMILL_FAULT_SEED` names, or a new one.
pub fn seed() -> u64 {
    let named = std::env::var("ROWMILL_FAULT_SEED").ok().and_then(|seed| seed.parse().ok());
    named.unwrap_or_else(|| u64::from(std::process::id()) ^ Random::of_the_clock())
}

/// Random numbers that a seed repeats (splitmix64).
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    fn of_the_clock() -> u64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::from(now.expect("after 1970").subsec_nanos())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }
}
