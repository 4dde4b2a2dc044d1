//! How fast a job gets on, as the ledger shows it to others.

use super::{Ledger, field, one};
use crate::backend::Connection;
use crate::error::Result;

/// How fast the run of a job that has not ended gets on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// The rows of the source that it has read so far.
    pub rows: u64,
    /// The seconds since it began.
    pub seconds: f64,
}

impl Pace {
    /// Rows by second; `None` before the first batch.
    pub fn rows_per_second(&self) -> Option<f64> {
        (self.rows > 0 && self.seconds > 0.0).then(|| self.rows as f64 / self.seconds)
    }
}

impl Ledger {
    /// The pace of the last run of a job; `None` where it has ended in order.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn pace(&self, connection: &mut dyn Connection, job_id: i64) -> Result<Option<Pace>> {
        let sql = format!(
            "SELECT CAST(coalesce(sum(b.read), 0) AS bigint), {} FROM {run} AS r \
             LEFT JOIN {} AS b ON b.job_id = r.job_id AND b.run_id = r.id AND b.phase = 0 \
             WHERE r.job_id = $1 AND r.status = 'running' \
             AND r.id = (SELECT max(id) FROM {run} WHERE job_id = $1) GROUP BY r.id, r.started_at",
            self.tables.dialect.seconds_since("r.started_at"),
            self.tables.batch,
            run = self.tables.run,
        );
        one(connection, &sql, &[job_id.into()], |row| {
            Ok(Pace { rows: field::<i64>(row, 0)? as u64, seconds: field(row, 1)? })
        })
    }
}
