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

/// A reject, for people: without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectView {
    /// The name of its job.
    pub job: String,
    /// The parameters of its job, as JSON.
    pub params: String,
    /// Its number in the input, from 1.
    pub row: u64,
    /// Its line, from 1.
    pub line: Option<u64>,
    /// The step that refused it.
    pub stage: String,
    /// The code.
    pub sqlstate: Option<String>,
    /// Why.
    pub message: String,
    /// The column.
    pub column: Option<String>,
    /// The constraint.
    pub constraint: Option<String>,
    /// Its bytes.
    pub raw: Vec<u8>,
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

    /// Hands the rejects of the jobs that are wanted to `each`, in input order.
    ///
    /// # Errors
    /// `Database` or `Disconnect`; what `each` returns.
    pub fn rejects(
        &self,
        connection: &mut dyn Connection,
        wanted: &Wanted,
        each: &mut dyn FnMut(RejectView) -> Result<()>,
    ) -> Result<()> {
        let (condition, params) = wanted.condition();
        let sql = format!(
            "SELECT j.name, r.input_row, r.line, r.stage, r.sqlstate, r.message, r.column_name, \
             r.constraint_name, r.raw, j.params FROM {} AS r JOIN {} AS j ON j.id = r.job_id \
             WHERE {condition} ORDER BY r.job_id, r.input_row",
            self.tables.reject, self.tables.job
        );
        connection.query(&sql, &params, &mut |row| each(reject_view(row)?))
    }
}

fn reject_view(row: &dyn RowRef) -> Result<RejectView> {
    Ok(RejectView {
        job: field(row, 0)?,
        row: field::<i64>(row, 1)? as u64,
        line: field::<Option<i64>>(row, 2)?.map(|line| line as u64),
        stage: field(row, 3)?,
        sqlstate: field(row, 4)?,
        message: field(row, 5)?,
        column: field(row, 6)?,
        constraint: field(row, 7)?,
        raw: field(row, 8)?,
        params: field(row, 9)?,
    })
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
