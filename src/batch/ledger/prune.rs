//! Old records go.

use super::{Ledger, Wanted, all, field};
use crate::backend::Connection;
use crate::batch::transaction::in_transaction;
use crate::error::Result;
use crate::mapping::param::Param;
use crate::sql::ledger::COUNTS;
use std::time::Duration;

/// What of old jobs goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// Their batches and their runs. That they are complete, what they came to, and their rejects
    /// stay: a start of one still says "already complete".
    Records,
    /// Everything: a start of one would do it again.
    Forget,
}

/// How much went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// Jobs of which something went.
    pub jobs: u64,
    /// Runs.
    pub runs: u64,
    /// Batches, merges and ends.
    pub batches: u64,
    /// Rejects.
    pub rejects: u64,
}

impl Ledger {
    /// Takes away what is recorded of jobs that were completed, or given up, before `age` ago. Jobs
    /// that are not complete stay as they are, however old they are.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn prune(
        &self,
        connection: &mut dyn Connection,
        wanted: &Wanted,
        age: Duration,
        what: Prune,
    ) -> Result<Pruned> {
        in_transaction(connection, |connection| {
            let mut pruned = Pruned::default();
            for job in self.old_jobs(connection, wanted, age)? {
                let gone = self.prune_job(connection, job, what)?;
                pruned.jobs += u64::from(gone.runs + gone.batches + gone.jobs > 0);
                pruned.runs += gone.runs;
                pruned.batches += gone.batches;
                pruned.rejects += gone.rejects;
            }
            Ok(pruned)
        })
    }

    fn old_jobs(
        &self,
        connection: &mut dyn Connection,
        wanted: &Wanted,
        age: Duration,
    ) -> Result<Vec<i64>> {
        let (condition, [name, identity]) = wanted.condition();
        let old = self.tables.dialect.is_older("coalesce(j.completed_at, j.created_at)", "$3");
        let sql = format!(
            "SELECT j.id FROM {} AS j WHERE j.status IN ('complete', 'abandoned') AND {old} \
             AND {condition}",
            self.tables.job
        );
        let params = [name, identity, (age.as_secs() as i64).into()];
        all(connection, &sql, &params, |row| field(row, 0))
    }

    fn prune_job(&self, connection: &mut dyn Connection, job: i64, what: Prune) -> Result<Pruned> {
        let tables = &self.tables;
        let params = [Param::from(job)];
        let mut delete = |table: &crate::ident::TableName, column: &str, rest: &str| {
            let sql = format!("DELETE FROM {table} WHERE {column} = $1{rest}");
            connection.execute(&sql, &params)
        };
        if what == Prune::Forget {
            return Ok(Pruned {
                rejects: delete(&tables.reject, "job_id", "")?,
                runs: delete(&tables.run, "job_id", "")?,
                batches: delete(&tables.batch, "job_id", "")?,
                jobs: delete(&tables.job, "id", "")?,
            });
        }
        let runs = delete(&tables.run, "job_id", "")?;
        // ORDER: before the batches go, their sums come to the end of the job.
        let batch = &tables.batch;
        let sums = COUNTS.map(|name| {
            format!(
                "{name} = (SELECT CAST(coalesce(sum(b.{name}), 0) AS bigint) FROM {batch} AS b \
                 WHERE b.job_id = $1)"
            )
        });
        let sql = format!("UPDATE {batch} SET {} WHERE job_id = $1 AND phase = 2", sums.join(", "));
        connection.execute(&sql, &params)?;
        let sql = format!("DELETE FROM {batch} WHERE job_id = $1 AND phase <> 2");
        let batches = connection.execute(&sql, &params)?;
        Ok(Pruned { runs, batches, ..Pruned::default() })
    }
}
