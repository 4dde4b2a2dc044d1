//! The reject store, as it is looked at.

use super::status::Wanted;
use super::{Ledger, field};
use crate::backend::{Connection, RowRef};
use crate::error::Result;
use crate::mapping::param::Param;

/// Which rejects of the jobs that are wanted are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectFilter {
    /// Those of the run with this number in its job.
    pub run: Option<i64>,
    /// Those of this batch.
    pub batch: Option<u32>,
    /// Those of this step.
    pub stage: Option<String>,
    /// Those of this column.
    pub column: Option<String>,
    /// Those with this code, or one that begins so.
    pub sqlstate: Option<String>,
    /// Also those that a replay has brought in.
    pub resolved: bool,
    /// So many at most.
    pub limit: Option<u64>,
}

/// A reject.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Which other reject is the reason.
    pub caused_by: Option<String>,
    /// The number, in its job, of the run that brought it in after all.
    pub resolved_by: Option<i64>,
}

impl RejectFilter {
    /// The condition on the table of rejects, `r`, and that of runs, `u`, with its parameters, of
    /// which the first is `$3`.
    fn condition(&self, resolved: &str) -> (String, [Param<'_>; 5]) {
        let open = if self.resolved { "" } else { resolved };
        (
            format!(
                "(CAST($3 AS bigint) IS NULL OR u.number = CAST($3 AS bigint)) \
                 AND (CAST($4 AS bigint) IS NULL OR r.batch = CAST($4 AS bigint)) \
                 AND (CAST($5 AS text) IS NULL OR r.stage = CAST($5 AS text)) \
                 AND (CAST($6 AS text) IS NULL OR r.column_name = CAST($6 AS text)) \
                 AND (CAST($7 AS text) IS NULL \
                 OR substr(r.sqlstate, 1, length(CAST($7 AS text))) = CAST($7 AS text)){open}"
            ),
            [
                self.run.into(),
                self.batch.map(i64::from).into(),
                self.stage.as_deref().into(),
                self.column.as_deref().into(),
                self.sqlstate.as_deref().into(),
            ],
        )
    }
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
        let (jobs, of_jobs) = wanted.condition();
        let has_lineage = self.has(5);
        let (rejects, of_rejects) =
            filter.condition(if has_lineage { " AND r.resolved_at IS NULL" } else { "" });
        let lineage = if has_lineage {
            "r.truncated, CAST(r.attempt AS bigint), r.caused_by, \
             (SELECT CAST(v.number AS bigint) FROM {run} AS v WHERE v.id = r.resolved_by)"
        } else {
            "CAST(0 AS boolean), CAST(1 AS bigint), CAST(NULL AS text), CAST(NULL AS bigint)"
        };
        let tables = &self.tables;
        let lineage = lineage.replace("{run}", &tables.run.to_string());
        let limit = filter.limit.map_or(String::new(), |limit| format!(" LIMIT {limit}"));
        let sql = format!(
            "SELECT j.name, r.input_row, r.line, r.stage, r.sqlstate, r.message, r.column_name, \
             r.constraint_name, r.raw, j.params, CAST(u.number AS bigint), \
             CAST(r.batch AS bigint), r.byte_offset, {lineage} \
             FROM {} AS r JOIN {} AS j ON j.id = r.job_id LEFT JOIN {} AS u ON u.id = r.run_id \
             WHERE {jobs} AND {rejects} ORDER BY r.job_id, r.input_row{limit}",
            tables.reject, tables.job, tables.run
        );
        let params: Vec<_> = of_jobs.into_iter().chain(of_rejects).collect();
        connection.query(&sql, &params, &mut |row| each(reject_view(row)?))
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
    })
}
