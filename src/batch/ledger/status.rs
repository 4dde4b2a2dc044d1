//! What there is to see from outside, also while a job runs.

use super::{Counts, Ledger, all, field, one};
use crate::backend::{Connection, RowRef};
use crate::batch::identity::Identity;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::param::Param;
use crate::sql::ledger::COUNTS;

/// Which jobs are looked at.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those of this name; all without one.
    pub name: Option<String>,
    /// Of those, the one with this identity.
    pub identity: Option<Identity>,
}

impl Wanted {
    /// The condition on the table of jobs, `j`, with its parameters.
    pub(super) fn condition(&self) -> (&'static str, [Param<'static>; 2]) {
        let identity = self.identity.as_ref().map(Identity::hash);
        (
            "(CAST($1 AS text) IS NULL OR j.name = CAST($1 AS text)) \
             AND (CAST($2 AS text) IS NULL OR j.identity = CAST($2 AS text))",
            [Param::from(self.name.clone()), Param::from(identity)],
        )
    }
}

/// A job and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobStatus {
    /// Its number in the ledger.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its parameters, as a JSON object.
    pub params: String,
    /// Where its rows go, and how.
    pub target: String,
    /// Whether it is complete.
    pub complete: bool,
    /// How many rows its source has.
    pub rows: u64,
    /// How many batches it has.
    pub batches: u64,
    /// How many of them are done.
    pub batches_done: u64,
    /// What became of the rows so far.
    pub counts: Counts,
    /// Its last run.
    pub last_run: Option<super::RunRecord>,
    /// Its runs that have not said that they ended, the oldest first: they work, or they died.
    pub running: Vec<super::RunRecord>,
}

impl Ledger {
    /// What became of all rows of a job so far.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn totals(&self, connection: &mut dyn Connection, job_id: i64) -> Result<Counts> {
        let batch = &self.tables.batch;
        let sql = format!("SELECT {} FROM {batch} AS b WHERE job_id = $1", sums());
        one(connection, &sql, &[job_id.into()], |row| counts(row, 0))?
            .ok_or_else(|| Error::new(ErrorKind::Ledger, "the ledger gave no totals"))
    }

    /// What one run did of a job: how many of its units, and what became of their rows.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn share(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        run_id: i64,
    ) -> Result<(u64, Counts)> {
        let sql = format!(
            "SELECT count(CASE WHEN phase = 0 THEN 1 END), {} FROM {} AS b \
             WHERE job_id = $1 AND run_id = $2",
            sums(),
            self.tables.batch
        );
        one(connection, &sql, &[job_id.into(), run_id.into()], |row| {
            Ok((field::<i64>(row, 0)? as u64, counts(row, 1)?))
        })?
        .ok_or_else(|| Error::new(ErrorKind::Ledger, "the ledger gave no totals"))
    }

    /// The jobs that are wanted, the newest first; at most `limit`.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn jobs(
        &self,
        connection: &mut dyn Connection,
        wanted: &Wanted,
        limit: u32,
    ) -> Result<Vec<JobStatus>> {
        let tables = &self.tables;
        let (condition, params) = wanted.condition();
        let sql = format!(
            "SELECT j.id, j.name, j.params, j.target, j.status, j.rows, j.batches, \
             (SELECT count(*) FROM {0} AS d WHERE d.job_id = j.id AND d.phase = 0 AND d.done), {1} \
             FROM {2} AS j LEFT JOIN {0} AS b ON b.job_id = j.id \
             WHERE {condition} GROUP BY j.id, j.name, j.params, j.target, j.status, j.rows, j.batches \
             ORDER BY j.id DESC LIMIT {limit}",
            tables.batch,
            sums(),
            tables.job
        );
        let mut jobs = all(connection, &sql, &params, |row| {
            Ok(JobStatus {
                id: field(row, 0)?,
                name: field(row, 1)?,
                params: field(row, 2)?,
                target: field(row, 3)?,
                complete: field::<String>(row, 4)? == "complete",
                rows: field::<i64>(row, 5)? as u64,
                batches: field::<i64>(row, 6)? as u64,
                batches_done: field::<i64>(row, 7)? as u64,
                counts: counts(row, 8)?,
                last_run: None,
                running: Vec::new(),
            })
        })?;
        for job in &mut jobs {
            job.last_run = self.last_run(connection, job.id)?;
            job.running = self.running(connection, job.id)?;
        }
        Ok(jobs)
    }
}

/// The sums over the batches, `b`.
fn sums() -> String {
    // sum(bigint) is numeric on PostgreSQL.
    COUNTS.map(|name| format!("CAST(coalesce(sum(b.{name}), 0) AS bigint)")).join(", ")
}

fn counts(row: &dyn RowRef, first: usize) -> Result<Counts> {
    let mut counts = [0; COUNTS.len()];
    for (index, count) in counts.iter_mut().enumerate() {
        *count = field::<i64>(row, first + index)? as u64;
    }
    Ok(Counts::from_order(counts))
}
