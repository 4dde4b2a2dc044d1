//! How fast a job gets on, as the ledger shows it to others.

use super::{Ledger, field, one};
use crate::backend::Connection;
use crate::error::Result;

/// How fast the runs of a job that have not ended get on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// The rows of the source that they have read so far.
    pub rows: u64,
    /// The seconds since the first of them began.
    pub seconds: f64,
}

impl Pace {
    /// Rows by second; `None` before the first batch.
    pub fn rows_per_second(&self) -> Option<f64> {
        (self.rows > 0 && self.seconds > 0.0).then(|| self.rows as f64 / self.seconds)
    }
}

impl Ledger {
    /// The pace of the runs of a job that have not said that they ended, from run `first` on;
    /// `None` where there is none.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn pace(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        first: i64,
    ) -> Result<Option<Pace>> {
        let sql = format!(
            "SELECT CAST(coalesce(sum(b.read), 0) AS bigint), {} FROM {} AS r \
             LEFT JOIN {} AS b ON b.job_id = r.job_id AND b.run_id = r.id AND b.phase = 0 \
             WHERE r.job_id = $1 AND r.number >= $2 AND r.status = 'running' HAVING count(r.id) > 0",
            self.tables.dialect.seconds_since("min(r.started_at)"),
            self.tables.run,
            self.tables.batch,
        );
        one(connection, &sql, &[job_id.into(), first.into()], |row| {
            Ok(Pace { rows: field::<i64>(row, 0)? as u64, seconds: field(row, 1)? })
        })
    }
}
