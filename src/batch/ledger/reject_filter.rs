//! Which rejects are looked at.

use super::Ledger;
use super::status::Wanted;
use crate::batch::limits::RejectClass;
use crate::mapping::param::Param;
use std::time::Duration;

/// Which rejects of the jobs that are wanted are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectFilter {
    /// Those of the run with this number in its job.
    pub run: Option<i64>,
    /// Those of this batch.
    pub batch: Option<u32>,
    /// Those of this kind: a step, or a code or what it begins with.
    pub class: Option<RejectClass>,
    /// Those of this step.
    pub stage: Option<String>,
    /// Those of this column.
    pub column: Option<String>,
    /// Those of this constraint.
    pub constraint: Option<String>,
    /// Those with this code, or one that begins so.
    pub sqlstate: Option<String>,
    /// Those that were rejected no longer ago.
    pub since: Option<Duration>,
    /// Also those that a replay has brought in.
    pub resolved: bool,
    /// So many at most.
    pub limit: Option<u64>,
}

/// A condition that is being put together, with its parameters.
struct Condition<'a> {
    text: String,
    params: Vec<Param<'a>>,
}

impl<'a> Condition<'a> {
    /// Adds what `say` says of the place of a parameter, if there is one.
    fn and(&mut self, param: Option<impl Into<Param<'a>>>, say: impl FnOnce(&str) -> String) {
        if let Some(param) = param {
            self.params.push(param.into());
            let place = format!("${}", self.params.len());
            self.text.extend([" AND ", &say(&place)]);
        }
    }
}

impl RejectFilter {
    /// The condition on the table of rejects, `r`, that of jobs, `j`, and that of runs, `u`.
    pub(super) fn of(&self, ledger: &Ledger, wanted: &Wanted) -> (String, Vec<Param<'_>>) {
        let (jobs, of_jobs) = wanted.condition();
        let mut all = Condition { text: jobs.to_owned(), params: Vec::from(of_jobs) };
        let equals = |column: &'static str, sql_type: &'static str| {
            move |place: &str| format!("{column} = CAST({place} AS {sql_type})")
        };
        let begins = |place: &str| {
            let text = format!("CAST({place} AS text)");
            format!("substr(r.sqlstate, 1, length({text})) = {text}")
        };
        let class = self.class.as_ref();
        all.and(self.run, equals("u.number", "bigint"));
        all.and(self.batch.map(i64::from), equals("r.batch", "bigint"));
        all.and(self.stage.as_deref(), equals("r.stage", "text"));
        all.and(class.and_then(RejectClass::stage), equals("r.stage", "text"));
        all.and(self.column.as_deref(), equals("r.column_name", "text"));
        all.and(self.constraint.as_deref(), equals("r.constraint_name", "text"));
        all.and(self.sqlstate.as_deref(), begins);
        all.and(class.and_then(RejectClass::code), begins);
        let dialect = ledger.tables.dialect;
        let is_new = |place: &str| format!("NOT ({})", dialect.is_older("r.rejected_at", place));
        all.and(self.since.map(|since| since.as_secs() as i64), is_new);
        if !self.resolved && ledger.has(5) {
            all.text.push_str(" AND r.resolved_at IS NULL");
        }
        (all.text, all.params)
    }
}
