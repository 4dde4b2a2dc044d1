//! Figures of the runs of a job.

use super::names;
use crate::batch::observer::{BatchDone, Observer, PlanTotals};
use crate::error::Error;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Makes figures of the runs of a job; the names are in [`observe`](crate::observe).
///
/// It keeps to the recorder that was installed when it was made.
pub struct RunMetrics {
    rows: Counter,
    bytes: Counter,
    batches: Counter,
    rejects: Counter,
    retries: Counter,
    batch: Histogram,
    planned_rows: Gauge,
    planned_batches: Gauge,
}

impl RunMetrics {
    /// Figures with the label `job` = `name`, for the recorder that is installed.
    pub fn of(name: impl Into<String>) -> Self {
        let name = name.into();
        let counter = |of: &'static str| counter!(of, "job" => name.clone());
        let gauge = |of: &'static str| gauge!(of, "job" => name.clone());
        Self {
            rows: counter(names::RUN_ROWS),
            bytes: counter(names::RUN_BYTES),
            batches: counter(names::RUN_BATCHES),
            rejects: counter(names::RUN_REJECTS),
            retries: counter(names::RUN_RETRIES),
            batch: histogram!(names::RUN_BATCH, "job" => name.clone()),
            planned_rows: gauge(names::RUN_PLANNED_ROWS),
            planned_batches: gauge(names::RUN_PLANNED_BATCHES),
        }
    }
}

impl Observer for RunMetrics {
    fn planned(&self, plan: &PlanTotals) {
        self.planned_rows.set(plan.rows as f64);
        self.planned_batches.set(plan.batches as f64);
    }

    fn batch_done(&self, done: &BatchDone) {
        self.rows.increment(done.rows);
        self.bytes.increment(done.bytes);
        self.batches.increment(1);
        self.rejects.increment(done.rejected);
        self.batch.record(done.time.as_secs_f64());
    }

    fn rejected(&self, rows: u64) {
        self.rejects.increment(rows);
    }

    fn waiting(&self, _: &Error) {
        self.retries.increment(1);
    }
}

impl std::fmt::Debug for RunMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunMetrics").finish_non_exhaustive()
    }
}
