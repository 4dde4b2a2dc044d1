//! `rowmill check`

use super::args::CheckArguments;
use super::console::Console;
use super::exit::Exit;
use super::job_file::{JobFile, SourceSpec};
use super::plan::Plan;
use crate::batch::limits::MaxRejects;
use crate::error::Result;
use crate::sink::table::TableSink;
use crate::source::bounds::CutLimits;

pub(super) fn check(arguments: &CheckArguments, console: Console) -> Result<Exit> {
    let job = JobFile::read(&arguments.job, &arguments.settings.overrides())?;
    let found = Found::by(&job)?;
    let mut lines = describe(&job);
    lines.extend(found.lines(&job));
    console.answer(&lines)?;
    Ok(Exit::Complete)
}

/// What a run would meet.
struct Found {
    table_exists: bool,
    rows: u64,
    batches: u64,
    workers: u32,
}

impl Found {
    /// Reads the source from end to end and looks the table up; changes nothing.
    fn by(job: &JobFile) -> Result<Self> {
        let plan = Plan::of(job)?;
        let capacity = plan.engine.capacity();
        let table_exists = {
            let mut connection = plan.engine.get()?;
            TableSink::find(plan.target.clone(), &mut *connection)?.exists()
        };
        let limits = CutLimits::new(job.limits.batch_rows, job.limits.batch_bytes);
        let mut found = Self { table_exists, rows: 0, batches: 0, workers: capacity };
        plan.feed.plan(limits, &mut |bounds| {
            found.rows += bounds.rows;
            found.batches += 1;
            Ok(())
        })?;
        Ok(found)
    }

    fn lines(&self, job: &JobFile) -> Vec<String> {
        let table = if self.table_exists { "is there and fits" } else { "will be created" };
        vec![
            format!("table    {} {table}", job.target.table.plain()),
            format!(
                "plan     {} rows in {} batches, at most {} connections",
                self.rows, self.batches, self.workers
            ),
        ]
    }
}

/// The job as its file declares it. The URL is not part of it.
fn describe(job: &JobFile) -> Vec<String> {
    let SourceSpec::Csv(csv) = &job.source;
    let mut lines = vec![format!("job      {}", job.name)];
    lines.extend(job.params.iter().map(|(name, value)| format!("param    {name} = {value}")));
    lines.push(format!("source   csv {}", csv.path));
    let key: Vec<_> = job.target.key.iter().map(crate::ident::Ident::as_str).collect();
    let key = if key.is_empty() { String::new() } else { format!(", key {}", key.join(", ")) };
    let mode = job.target.mode.name();
    lines.push(format!("target   {}, {mode}{key}", job.target.table.plain()));
    lines.extend(job.columns.iter().map(|column| {
        let from = column.from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
        let nulls = if column.not_null { " not null" } else { "" };
        let name = column.name.as_str();
        format!("column   {name} {}{nulls}{from}", column.column_type)
    }));
    let rejects = match job.limits.max_rejects {
        MaxRejects::Count(rows) => rows.to_string(),
        MaxRejects::Share(share) => format!("{}%", share * 100.0),
    };
    lines.push(format!(
        "limits   {} rows and {} bytes a batch, at most {rejects} rejects",
        job.limits.batch_rows, job.limits.batch_bytes
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::job_file::Overrides;

    #[test]
    fn a_job_is_shown_without_its_url() {
        let text = "name = \"a\"\nparams = { n = 1 }\n\
            source = { kind = \"csv\", path = \"${n}.csv\" }\n\
            target = { url = \"postgresql://u:hunter2@h/d\", table = \"t\", mode = \"upsert\", key = [\"id\"] }\n\
            [columns]\nid = \"bigint\"\nb = { type = \"text\", from = \"c\", not_null = true }\n";
        let job = JobFile::parse("j", text, &Overrides::default(), &|_| None).unwrap();
        let expected = [
            "job      a",
            "param    n = 1",
            "source   csv 1.csv",
            "target   t, upsert, key id",
            "column   id bigint",
            "column   b text not null from c",
            "limits   5000 rows and 4194304 bytes a batch, at most 100 rejects",
        ];
        assert_eq!(describe(&job), expected);
    }
}
