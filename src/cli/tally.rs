//! How much of a plan is done, and how fast.

use super::figures::{duration, grouped};
use crate::batch::observer::{BatchDone, PlanTotals};
use std::time::Instant;

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    pub(super) plan: PlanTotals,
    pub(super) done: PlanTotals,
    pub(super) rejected: u64,
    since: Instant,
}

impl Tally {
    pub(super) fn new(now: Instant) -> Self {
        Self { plan: PlanTotals::default(), done: PlanTotals::default(), rejected: 0, since: now }
    }

    pub(super) fn plan(&mut self, plan: &PlanTotals, now: Instant) {
        *self = Self { plan: *plan, ..Self::new(now) };
    }

    pub(super) fn add(&mut self, done: &BatchDone) {
        self.done.batches += 1;
        self.done.rows += done.rows;
        self.done.bytes += done.bytes;
        self.rejected += done.rejected;
    }

    fn all_batches(&self) -> u64 {
        self.plan.done_batches + self.done.batches
    }

    pub(super) fn is_finished(&self) -> bool {
        self.all_batches() >= self.plan.batches
    }

    /// Rows that this run has done, by second.
    fn rows_per_second(&self, now: Instant) -> u64 {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        if seconds > 0.0 { (self.done.rows as f64 / seconds) as u64 } else { 0 }
    }

    /// The seconds that are left, by bytes, or by rows where there are no bytes.
    fn seconds_left(&self, now: Instant) -> Option<f64> {
        let (all, before, done) = match self.plan.bytes {
            0 => (self.plan.rows, self.plan.done_rows, self.done.rows),
            all => (all, self.plan.done_bytes, self.done.bytes),
        };
        let left = all.saturating_sub(before + done);
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        (done > 0).then(|| seconds * left as f64 / done as f64)
    }

    /// The rows that are done, and all of them.
    fn rows(&self) -> (String, String) {
        (grouped(self.plan.done_rows + self.done.rows), grouped(self.plan.rows))
    }

    /// For a log, in which the line stands alone.
    pub(super) fn line(&self, now: Instant) -> String {
        let (done, all) = self.rows();
        let (batch, batches) = (grouped(self.all_batches()), grouped(self.plan.batches));
        let speed = format!("{} rows/s", grouped(self.rows_per_second(now)));
        let line = format!("{done} of {all} rows, batch {batch} of {batches}, {speed}");
        line + &self.rest(now)
    }

    /// For a bar, which shows the rest itself and has one line on the screen.
    pub(super) fn short_line(&self, now: Instant) -> String {
        let (done, all) = self.rows();
        let speed = grouped(self.rows_per_second(now));
        format!("{done}/{all} rows, {speed}/s{}", self.rest(now))
    }

    fn rest(&self, now: Instant) -> String {
        let mut rest = String::new();
        if self.rejected > 0 {
            rest.extend([", ", grouped(self.rejected).as_str(), " rejected"]);
        }
        if let Some(left) = self.seconds_left(now).filter(|_| !self.is_finished()) {
            rest.extend([", ", duration(left).as_str(), " left"]);
        }
        rest
    }
}
