//! The reject store, as it is looked at.

use super::reject_filter::RejectFilter;
use super::status::Wanted;
use super::{Ledger, all, field, one};
use crate::backend::{Connection, RowRef};
use crate::error::Result;
use std::fmt;

/// A reject.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectView {
    /// The name of its job.
    pub job: String,
    /// The parameters of its job, as JSON.
    pub params: String,
    /// The number, in its job, of the run that rejected it.
    pub run: Option<i64>,
    /// Its batch.
    pub batch: u32,
    /// Its number in the input, from 1.
    pub row: u64,
    /// Its line, from 1.
    pub line: Option<u64>,
    /// The byte at which it begins.
    pub offset: Option<u64>,
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
    /// Whether it was longer than what is kept of it.
    pub truncated: bool,
    /// How often it was tried.
    pub attempt: i64,
    /// The key of its row, as a JSON object of texts.
    pub row_key: Option<String>,
    /// Which other reject is the reason: its job and its number in the input.
    pub caused_by: Option<String>,
    /// The number, in its job, of the run that brought it in after all.
    pub resolved_by: Option<i64>,
    /// When that was, in UTC.
    pub resolved_at: Option<String>,
    /// When it was rejected, in UTC.
    pub rejected_at: String,
    /// The table or the file that its job writes to.
    pub target: String,
    /// The version of the program that rejected it.
    pub version: Option<String>,
}

impl fmt::Debug for RejectView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key and the bytes are values of a row.
        f.debug_struct("RejectView")
            .field("job", &self.job)
            .field("row", &self.row)
            .field("stage", &self.stage)
            .field("sqlstate", &self.sqlstate)
            .finish_non_exhaustive()
    }
}

/// Rejects that have job, step, code, place and cause in common.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectGroup {
    /// How many there are.
    pub count: u64,
    /// The name of their job.
    pub job: String,
    /// The parameters of their job, as JSON.
    pub params: String,
    /// The step that refused them.
    pub stage: String,
    /// The code.
    pub sqlstate: Option<String>,
    /// Why one of them is one.
    pub message: String,
    /// Whether that is what all of them say.
    pub one_message: bool,
    /// The column.
    pub column: Option<String>,
    /// The constraint.
    pub constraint: Option<String>,
    /// Which other reject is the reason of all of them.
    pub caused_by: Option<String>,
}

impl Ledger {
    /// Hands the rejects of the jobs that are wanted to `each`, in input order.
    ///
    /// # Errors
    /// `Database` or `Disconnect`; what `each` returns.
    pub fn rejects(
        &self,
        connection: &mut dyn Connection,
        wanted: &Wanted,
        filter: &RejectFilter,
        each: &mut dyn FnMut(RejectView) -> Result<()>,
    ) -> Result<()> {
        let tables = &self.tables;
        let (condition, params) = filter.of(self, wanted);
        let lineage = if self.has(5) {
            format!(
                "r.truncated, CAST(r.attempt AS bigint), r.caused_by, \
                 (SELECT CAST(v.number AS bigint) FROM {} AS v WHERE v.id = r.resolved_by), \
                 r.row_key, {}",
                tables.run,
                tables.dialect.utc("r.resolved_at")
            )
        } else {
            "CAST(0 AS boolean), CAST(1 AS bigint), CAST(NULL AS text), CAST(NULL AS bigint), \
             CAST(NULL AS text), CAST(NULL AS text)"
                .to_owned()
        };
        let limit = filter.limit.map_or(String::new(), |limit| format!(" LIMIT {limit}"));
        let sql = format!(
            "SELECT j.name, r.input_row, r.line, r.stage, r.sqlstate, r.message, r.column_name, \
             r.constraint_name, r.raw, j.params, CAST(u.number AS bigint), \
             CAST(r.batch AS bigint), r.byte_offset, {lineage}, {}, j.target, u.version \
             {} WHERE {condition} ORDER BY r.job_id, r.input_row{limit}",
            tables.dialect.utc("r.rejected_at"),
            self.reject_relation()
        );
        connection.query(&sql, &params, &mut |row| each(reject_view(row)?))
    }

    /// The rejects of the jobs that are wanted, grouped by what they have in common, the largest
    /// group first; `filter.limit` does not count. At most `most` groups.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn reject_groups(
        &self,
        connection: &mut dyn Connection,
        wanted: &Wanted,
        filter: &RejectFilter,
        most: u64,
    ) -> Result<Vec<RejectGroup>> {
        let (condition, params) = filter.of(self, wanted);
        let cause = if self.has(5) { "r.caused_by" } else { "CAST(NULL AS text)" };
        let sql = format!(
            "SELECT count(*), j.name, j.params, r.stage, r.sqlstate, min(r.message), \
             r.column_name, r.constraint_name, {cause}, \
             CAST(CASE WHEN min(r.message) = max(r.message) THEN 1 ELSE 0 END AS bigint) \
             {} WHERE {condition} \
             GROUP BY 2, 3, 4, 5, 7, 8, 9, r.job_id \
             ORDER BY 1 DESC, r.job_id, 4, 5, 7, 8, 9 LIMIT {most}",
            self.reject_relation()
        );
        all(connection, &sql, &params, |row| {
            Ok(RejectGroup {
                count: field::<i64>(row, 0)? as u64,
                job: field(row, 1)?,
                params: field(row, 2)?,
                stage: field(row, 3)?,
                sqlstate: field(row, 4)?,
                message: field(row, 5)?,
                column: field(row, 6)?,
                constraint: field(row, 7)?,
                caused_by: field(row, 8)?,
                one_message: field::<i64>(row, 9)? == 1,
            })
        })
    }

    /// How many rejects of the jobs that are wanted there are; `filter.limit` does not count.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn reject_count(
        &self,
        connection: &mut dyn Connection,
        wanted: &Wanted,
        filter: &RejectFilter,
    ) -> Result<u64> {
        let (condition, params) = filter.of(self, wanted);
        let sql = format!("SELECT count(*) {} WHERE {condition}", self.reject_relation());
        let count = one(connection, &sql, &params, |row| field::<i64>(row, 0))?;
        Ok(count.unwrap_or_default() as u64)
    }

    /// Rejects as `r`, with their jobs, `j`, and their runs, `u`, where these are still known.
    fn reject_relation(&self) -> String {
        let tables = &self.tables;
        format!(
            "FROM {} AS r JOIN {} AS j ON j.id = r.job_id LEFT JOIN {} AS u ON u.id = r.run_id",
            tables.reject, tables.job, tables.run
        )
    }
}

fn reject_view(row: &dyn RowRef) -> Result<RejectView> {
    let positive = |index| field::<Option<i64>>(row, index).map(|value| value.map(|n| n as u64));
    Ok(RejectView {
        job: field(row, 0)?,
        row: field::<i64>(row, 1)? as u64,
        line: positive(2)?,
        stage: field(row, 3)?,
        sqlstate: field(row, 4)?,
        message: field(row, 5)?,
        column: field(row, 6)?,
        constraint: field(row, 7)?,
        raw: field(row, 8)?,
        params: field(row, 9)?,
        run: field(row, 10)?,
        batch: field::<i64>(row, 11)? as u32,
        offset: positive(12)?,
        truncated: field(row, 13)?,
        attempt: field(row, 14)?,
        caused_by: field(row, 15)?,
        resolved_by: field(row, 16)?,
        row_key: field(row, 17)?,
        resolved_at: field(row, 18)?,
        rejected_at: field(row, 19)?,
        target: field(row, 20)?,
        version: field(row, 21)?,
    })
}
