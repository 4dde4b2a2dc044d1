//! What a run did.

use super::receipt::Receipt;
use super::shards::report::ShardReport;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Every batch is in.
    Complete,
    /// Every batch was in before it began.
    AlreadyComplete,
    /// Another process runs the job; nothing was done.
    AlreadyRunning,
    /// More rows were rejected than the job allows.
    RejectLimit,
    /// A signal, a stop token or a deadline ended it; the next run carries on.
    Stopped,
    /// An error ended it.
    #[default]
    Failed,
}

impl Status {
    /// Whether the target has everything the job promised.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::AlreadyComplete)
    }
}

/// How the pool of a run was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PoolReport {
    /// The most connections that were in use at once.
    pub peak_in_use: u32,
    /// The longest time a check-out took.
    pub longest_wait_seconds: f64,
}

/// What one of several processes did of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Batches of the plan.
    pub batches: u64,
    /// Rows that were read.
    pub read: u64,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows that the target had already.
    pub unchanged: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Rows in the reject store.
    pub rejected: u64,
}

/// What a run did. Rows count from the first run of the job on, also those of batches that an
/// earlier run did; seconds and retries are of this run.
///
/// As JSON it is one object with exactly these keys; `share` is there where several processes could
/// work on the job, `shards` where its rows go to several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The name of the job.
    pub job: String,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
    /// How the run ended.
    pub status: Status,
    /// Rows of the source that were read.
    pub read: u64,
    /// Rows inserted or updated.
    pub written: u64,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows that the target had already, and those that `insert-ignore` passed over.
    pub unchanged: u64,
    /// Rows of the target that were deleted because the source has them no longer.
    pub deleted: u64,
    /// Rows that a closure left out.
    pub filtered: u64,
    /// Rows that another row of the source with the same key superseded.
    pub duplicates: u64,
    /// Rows in the reject store.
    pub rejected: u64,
    /// Batches of the plan; over shards, a batch counts once for each of them.
    pub batches: u64,
    /// Batches that an earlier run had done.
    pub batches_reused: u64,
    /// Batches that were done again after an error that passed.
    pub retries: u64,
    /// How long the run took.
    pub seconds: f64,
    /// Rows that this run read, by second.
    pub rows_per_second: f64,
    /// Seconds by phase, summed over the workers: `read` (the source), `transform` (closures),
    /// `encode` (making rows), `wait` (for a connection), `send` (rows to the target), `server` (its
    /// answers) and `commit`; beside them `plan` and `seal`, which no worker does.
    pub phases: BTreeMap<String, f64>,
    /// How the pool was used.
    pub pool: PoolReport,
    /// The bottleneck, the slowest batches, the peaks, and the runs before.
    pub receipt: Receipt,
    /// What this process did of it, where several could work on the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// What it did on each shard, where its rows go to several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<ShardReport>,
    /// The version of rowmill.
    pub version: &'static str,
}

impl Report {
    /// The report of a run of `job` that has done nothing yet; its status is `failed`.
    pub fn new(job: impl Into<String>, params: BTreeMap<String, String>) -> Self {
        Self {
            job: job.into(),
            params,
            status: Status::default(),
            read: 0,
            written: 0,
            inserted: 0,
            updated: 0,
            unchanged: 0,
            deleted: 0,
            filtered: 0,
            duplicates: 0,
            rejected: 0,
            batches: 0,
            batches_reused: 0,
            retries: 0,
            seconds: 0.0,
            rows_per_second: 0.0,
            phases: BTreeMap::new(),
            pool: PoolReport::default(),
            receipt: Receipt::default(),
            share: None,
            shards: Vec::new(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Whether every row that was read went somewhere:
    /// read = written + unchanged + filtered + duplicates + rejected, and
    /// written = inserted + updated. A run that does not balance is no success.
    pub fn balances(&self) -> bool {
        let parts = [self.written, self.unchanged, self.filtered, self.duplicates, self.rejected];
        sum(&parts) == Some(self.read) && sum(&[self.inserted, self.updated]) == Some(self.written)
    }
}

/// The sum, or `None` where it does not fit: then it is no number of rows.
fn sum(parts: &[u64]) -> Option<u64> {
    parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balanced() -> Report {
        Report {
            read: 21,
            inserted: 1,
            updated: 2,
            written: 3,
            unchanged: 4,
            filtered: 5,
            duplicates: 6,
            rejected: 3,
            ..Report::new("runways", BTreeMap::new())
        }
    }

    #[test]
    fn every_row_that_was_read_went_somewhere() {
        assert!(balanced().balances());
        assert!(!Report { read: 22, ..balanced() }.balances());
        assert!(!Report { rejected: 4, ..balanced() }.balances());
        assert!(!Report { inserted: 2, ..balanced() }.balances());
        assert!(!Report { filtered: u64::MAX, ..balanced() }.balances());
    }

    #[test]
    fn deleted_rows_were_never_read() {
        assert!(Report { deleted: 7, ..balanced() }.balances());
    }

    #[test]
    fn as_json_it_has_exactly_the_keys_of_the_manual() {
        let params = BTreeMap::from([("night".to_owned(), "2026-08-20".to_owned())]);
        let mut report = Report::new("runways", params);
        report.status = Status::AlreadyComplete;
        report.phases.insert("read".to_owned(), 0.5);
        let json = serde_json::to_string(&report).unwrap();
        let expected = r#"{"job":"runways","params":{"night":"2026-08-20"},"#.to_owned()
            + r#""status":"already_complete","#
            + r#""read":0,"written":0,"inserted":0,"updated":0,"unchanged":0,"deleted":0,"#
            + r#""filtered":0,"duplicates":0,"rejected":0,"batches":0,"batches_reused":0,"#
            + r#""retries":0,"seconds":0.0,"rows_per_second":0.0,"phases":{"read":0.5},"#
            + r#""pool":{"peak_in_use":0,"longest_wait_seconds":0.0},"#
            + r#""receipt":{"bottleneck":null,"stages":{},"slowest":[],"peak_in_flight":0,"workers":null,"#
            + r#""transactions":null,"peak_memory_bytes":null,"before":null},"version":""#
            + env!("CARGO_PKG_VERSION")
            + r#""}"#;
        assert_eq!(json, expected);
    }
}
