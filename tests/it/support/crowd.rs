//! Many threads at one pool, and what they saw.

use super::subject::{Failure, Subject};
use super::trial::Sheet;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Runs `work` on `threads` threads that begin at the same moment, and returns what each returned.
pub fn together<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    let (start, work) = (&start, &work);
    thread::scope(|scope| {
        let spawn = |index| {
            let run = move || {
                start.wait();
                work(index)
            };
            let thread = thread::Builder::new().stack_size(256 * 1024);
            thread.spawn_scoped(scope, run).expect("start a thread")
        };
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread panicked")).collect()
    })
}

/// Opens `count` connections of a pool at once and gives them all back: it is then full of idle ones.
pub fn fill(pool: &dyn Subject, count: usize) {
    let held = Barrier::new(count);
    let outcomes = together(count, |_| {
        let lent = pool.get();
        held.wait();
        lent.map(drop)
    });
    for outcome in outcomes {
        outcome.unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// The same, until `count` live connections are held at one moment; how long that took.
pub fn time_to_fill(pool: &dyn Subject, count: usize, patience: Duration) -> Option<Duration> {
    let since = Instant::now();
    while since.elapsed() < patience {
        let held = Barrier::new(count);
        let live = together(count, |_| {
            let outcome = pool.get().and_then(|mut lent| {
                lent.text("select 'here'::text")?;
                Ok(lent)
            });
            held.wait();
            outcome.is_ok()
        });
        if live.iter().all(|live| *live) {
            return Some(since.elapsed());
        }
    }
    None
}

/// Waits of many check-outs.
#[derive(Debug, Default)]
pub struct Waits {
    /// How long each was; those of a sum are sorted.
    times: Vec<Duration>,
    /// The same with their ends, in the order of these.
    ended: Vec<(Instant, Duration)>,
    pub failures: Vec<Failure>,
}

impl Waits {
    /// One more, which ends now.
    pub fn push(&mut self, wait: Duration) {
        self.times.push(wait);
        self.ended.push((Instant::now(), wait));
    }

    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// Of several threads, one.
    pub fn sum(threads: Vec<Self>) -> Self {
        let mut sum = Self::default();
        for Self { times, ended, failures } in threads {
            sum.times.extend(times);
            sum.ended.extend(ended);
            sum.failures.extend(failures);
        }
        sum.times.sort_unstable();
        sum.ended.sort_unstable();
        sum
    }

    /// How many times each wait was as long as those that ended next to it, so many on either side, and
    /// there on the side where they were longer: sorted. A machine that stands still for a moment holds
    /// up all who wait, which is no injustice; whoever is passed over waits longer than the others.
    pub fn beside_others(&self, around: usize) -> Vec<f64> {
        let mean = |waits: &[(Instant, Duration)]| {
            let sum: Duration = waits.iter().map(|(_, wait)| *wait).sum();
            sum.as_secs_f64() / waits.len().max(1) as f64
        };
        let all = &self.ended;
        let ratio = |at: usize| {
            let before = mean(&all[at.saturating_sub(around)..at]);
            let behind = mean(&all[at + 1..all.len().min(at + 1 + around)]);
            all[at].1.as_secs_f64() / before.max(behind).max(1e-9)
        };
        let mut ratios: Vec<_> = (0..all.len()).map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    /// By how many that came later each wait was passed, as a share of a crowd of so many: sorted. In a
    /// line nobody is passed, but by those who get a processor before the one who was served.
    pub fn passed_by(&self, threads: usize) -> Vec<f64> {
        let began = |end: Instant, wait| end.checked_sub(wait).unwrap_or(end);
        let all = self.ended.iter().map(|(end, wait)| (began(*end, *wait), *end));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        let share = |at: usize| {
            let (_, end) = all[at];
            let later = all[at + 1..].iter().take_while(|(begun, _)| *begun < end);
            later.filter(|(_, other)| *other < end).count() as f64 / threads as f64
        };
        let mut shares: Vec<_> = (0..all.len()).map(share).collect();
        shares.sort_by(f64::total_cmp);
        shares
    }

    /// The wait that a share of all are shorter than; they must be of a [`sum`](Self::sum).
    pub fn quantile(&self, share: f64) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
    }

    pub fn mean(&self) -> Duration {
        self.times.iter().sum::<Duration>() / self.times.len().max(1) as u32
    }

    pub fn longest(&self) -> Duration {
        self.quantile(1.0)
    }

    /// Notes the numbers of a sheet.
    pub fn note(&self, sheet: &mut Sheet) {
        sheet.set("checkouts", self.times.len());
        sheet.set("failures", self.failures.len());
        sheet.set_ms("wait_p50_ms", self.quantile(0.5));
        sheet.set_ms("wait_p99_ms", self.quantile(0.99));
        sheet.set_ms("wait_mean_ms", self.mean());
        sheet.set_ms("wait_max_ms", self.longest());
        let ratio = self.longest().as_secs_f64() / self.mean().as_secs_f64().max(1e-9);
        sheet.set("max_over_mean", (ratio * 100.0).round() / 100.0);
    }
}

/// Jain's index of the shares that each thread got: 1 is perfectly fair.
pub fn jain(shares: &[usize]) -> f64 {
    let sum: f64 = shares.iter().map(|share| *share as f64).sum();
    let squares: f64 = shares.iter().map(|share| (*share as f64).powi(2)).sum();
    (sum * sum / (shares.len() as f64 * squares.max(1e-9)) * 1000.0).round() / 1000.0
}
