//! Jobs and their runs.

use super::{Ledger, all, field, one};
use crate::backend::{Connection, RowRef};
use crate::batch::identity::Identity;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::param::Param;

/// A job as the ledger has it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobRecord {
    /// Its number.
    pub id: i64,
    /// Whether all of it is done.
    pub complete: bool,
    /// The hash of what it does.
    pub definition: String,
    /// What identified its input when it was planned.
    pub fingerprint: String,
    /// Its batches.
    pub batches: u64,
    /// Its rows.
    pub rows: u64,
    /// The bytes of its source.
    pub bytes: u64,
    /// The buckets of its stage.
    pub buckets: u32,
    /// What it was declared as, key by key, as a JSON object; none where an older version planned
    /// it.
    pub declared: Option<String>,
}

/// A run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunRecord {
    /// Its number in the ledger.
    pub id: i64,
    /// Its number in the job, from 1.
    pub number: i64,
    /// `running`, `complete`, `failed`, `stopped` or `crashed`.
    pub status: String,
    /// The machine.
    pub host: Option<String>,
    /// The process.
    pub pid: Option<i64>,
    /// When it began.
    pub started_at: String,
    /// When it ended, if it did in order.
    pub ended_at: Option<String>,
    /// Why it ended, if it failed.
    pub cause: Option<String>,
}

impl JobRecord {
    /// A job that was just planned and has no number yet.
    pub(in crate::batch) fn planned(definition: String, fingerprint: String) -> Self {
        let complete = false;
        Self {
            id: 0,
            complete,
            definition,
            fingerprint,
            batches: 0,
            rows: 0,
            bytes: 0,
            buckets: 1,
            declared: None,
        }
    }
}

/// What a new job is recorded with.
pub(in crate::batch) struct NewJob<'a> {
    pub(in crate::batch) identity: &'a Identity,
    pub(in crate::batch) source: &'a str,
    pub(in crate::batch) target: &'a str,
    pub(in crate::batch) mode: &'a str,
    pub(in crate::batch) record: &'a JobRecord,
}

impl Ledger {
    /// The job of that identity.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn job(
        &self,
        connection: &mut dyn Connection,
        identity: &Identity,
    ) -> Result<Option<JobRecord>> {
        let declared = if self.has(2) { "declared" } else { "CAST(NULL AS text)" };
        let sql = format!(
            "SELECT id, status, definition, fingerprint, batches, rows, bytes, buckets, {declared} \
             FROM {} WHERE identity = $1",
            self.tables.job
        );
        one(connection, &sql, &[identity.hash().into()], |row| {
            Ok(JobRecord {
                id: field(row, 0)?,
                complete: field::<String>(row, 1)? == "complete",
                definition: field(row, 2)?,
                fingerprint: field(row, 3)?,
                batches: field::<i64>(row, 4)? as u64,
                rows: field::<i64>(row, 5)? as u64,
                bytes: field::<i64>(row, 6)? as u64,
                buckets: field::<i32>(row, 7)? as u32,
                declared: field(row, 8)?,
            })
        })
    }

    /// Records a job and returns its number.
    pub(in crate::batch) fn create_job(
        &self,
        connection: &mut dyn Connection,
        job: &NewJob<'_>,
    ) -> Result<i64> {
        let sql = format!(
            "INSERT INTO {} (name, params, identity, definition, source, target, mode, \
             fingerprint, status, batches, rows, bytes, buckets, declared) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'planned', $9, $10, $11, $12, $13) RETURNING id",
            self.tables.job
        );
        let params = [
            Param::from(job.identity.name.as_str()),
            job.identity.params_json().into(),
            job.identity.hash().into(),
            job.record.definition.as_str().into(),
            job.source.into(),
            job.target.into(),
            job.mode.into(),
            job.record.fingerprint.as_str().into(),
            (job.record.batches as i64).into(),
            (job.record.rows as i64).into(),
            (job.record.bytes as i64).into(),
            i64::from(job.record.buckets).into(),
            job.record.declared.as_deref().into(),
        ];
        one(connection, &sql, &params, |row| field(row, 0))?
            .ok_or_else(|| Error::new(ErrorKind::Ledger, "the new job got no number"))
    }

    /// Marks the job complete, in the transaction that makes it so.
    pub(in crate::batch) fn complete_job(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET status = 'complete', completed_at = CURRENT_TIMESTAMP WHERE id = $1",
            self.tables.job
        );
        connection.execute(&sql, &[job_id.into()]).map(|_| ())
    }

    /// Gives a job up: its record stays, and its name with its parameters is free again.
    pub(in crate::batch) fn abandon(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET status = 'abandoned', identity = identity || ' abandoned ' || \
             CAST(id AS text) WHERE id = $1 AND status <> 'complete'",
            self.tables.job
        );
        connection.execute(&sql, &[job_id.into()]).map(|_| ())
    }

    /// Says of runs that are still called running, and are dead, that they crashed.
    pub(in crate::batch) fn crashed(
        &self,
        connection: &mut dyn Connection,
        runs: &[RunRecord],
    ) -> Result<()> {
        let host = host().unwrap_or_else(|| "an unknown machine".to_owned());
        let found = format!(
            "it ended without a word, as the next run found: process {} on {host}",
            std::process::id()
        );
        let sql = format!(
            "UPDATE {} SET status = 'crashed', cause = $2, ended_at = CURRENT_TIMESTAMP \
             WHERE id = $1 AND status = 'running'",
            self.tables.run
        );
        for run in runs {
            connection.execute(&sql, &[run.id.into(), found.as_str().into()])?;
        }
        Ok(())
    }

    /// Starts a run and returns it. Runs of one job that start at once wait for each other.
    pub(in crate::batch) fn begin_run(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<RunRecord> {
        let Self { tables, .. } = self;
        let lock =
            format!("SELECT id FROM {} WHERE id = $1{}", tables.job, tables.dialect.for_update());
        one(connection, &lock, &[job_id.into()], |_| Ok(()))?;
        self.new_run(connection, job_id)
    }

    /// The same for a job that nobody else can see yet, or whose row is locked.
    pub(in crate::batch) fn new_run(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<RunRecord> {
        let run = &self.tables.run;
        let begun = format!(
            "INSERT INTO {run} (job_id, number, status, host, pid, version) \
             SELECT $1, coalesce(max(number), 0) + 1, 'running', $2, CAST($3 AS bigint), $4 FROM {run} \
             WHERE job_id = $1 RETURNING {RUN}"
        );
        let params = [
            Param::from(job_id),
            host().into(),
            i64::from(std::process::id()).into(),
            env!("CARGO_PKG_VERSION").into(),
        ];
        one(connection, &begun, &params, run_record)?
            .ok_or_else(|| Error::new(ErrorKind::Ledger, "the new run got no number"))
    }

    /// The runs of a job that have not said that they ended, the oldest first: they work, or they
    /// died.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn running(&self, connection: &mut dyn Connection, job_id: i64) -> Result<Vec<RunRecord>> {
        let sql = format!(
            "SELECT {RUN} FROM {} WHERE job_id = $1 AND status = 'running' ORDER BY number",
            self.tables.run
        );
        super::all(connection, &sql, &[job_id.into()], run_record)
    }

    /// Ends a run.
    pub(in crate::batch) fn end_run(
        &self,
        connection: &mut dyn Connection,
        run_id: i64,
        status: &str,
        cause: Option<&str>,
    ) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET status = $2, cause = $3, ended_at = CURRENT_TIMESTAMP WHERE id = $1",
            self.tables.run
        );
        connection.execute(&sql, &[run_id.into(), status.into(), cause.into()]).map(|_| ())
    }

    /// Keeps the receipt of a run, for the comparison with those after it.
    pub(in crate::batch) fn keep_receipt(
        &self,
        connection: &mut dyn Connection,
        run_id: i64,
        receipt: &str,
    ) -> Result<()> {
        let sql = format!("UPDATE {} SET receipt = $2 WHERE id = $1", self.tables.run);
        connection.execute(&sql, &[run_id.into(), receipt.into()]).map(|_| ())
    }

    /// The receipts of the last runs of all jobs of that name before a run, at most `limit`, the
    /// newest first.
    pub(in crate::batch) fn receipts(
        &self,
        connection: &mut dyn Connection,
        name: &str,
        run_id: i64,
        limit: u32,
    ) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT r.receipt FROM {} AS r JOIN {} AS j ON j.id = r.job_id \
             WHERE j.name = $1 AND r.id < $2 AND r.receipt IS NOT NULL ORDER BY r.id DESC LIMIT {limit}",
            self.tables.run, self.tables.job
        );
        all(connection, &sql, &[name.into(), run_id.into()], |row| field(row, 0))
    }

    /// The last run of a job.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn last_run(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<Option<RunRecord>> {
        let sql = format!(
            "SELECT {RUN} FROM {} WHERE job_id = $1 ORDER BY number DESC LIMIT 1",
            self.tables.run
        );
        one(connection, &sql, &[job_id.into()], run_record)
    }
}

const RUN: &str = "id, number, status, host, pid, CAST(started_at AS text), \
    CAST(ended_at AS text), cause";

fn run_record(row: &dyn RowRef) -> Result<RunRecord> {
    Ok(RunRecord {
        id: field(row, 0)?,
        number: i64::from(field::<i32>(row, 1)?),
        status: field(row, 2)?,
        host: field(row, 3)?,
        pid: field(row, 4)?,
        started_at: field(row, 5)?,
        ended_at: field(row, 6)?,
        cause: field(row, 7)?,
    })
}

/// The name of this machine, as far as it can be told without asking the system's libraries.
fn host() -> Option<String> {
    let from_file = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = from_file().or_else(|| std::env::var("HOSTNAME").ok())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}
