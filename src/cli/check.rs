//! `rowmill check`

use super::args::CheckArguments;
use super::console::Console;
use super::exit::Exit;
use super::figures::{bytes, counted};
use super::job_file::{JobFile, TargetSpec};
use super::plan::Plan;
use crate::batch::limits::{Limits, MaxRejects};
use crate::error::Result;
use crate::sink::destination::Destination;
use crate::source::bounds::CutLimits;
use crate::source::stateful::Surroundings;
use std::sync::Arc;

pub(super) fn check(arguments: &CheckArguments, console: Console) -> Result<Exit> {
    let job = JobFile::read(&arguments.job, &arguments.settings.overrides())?;
    let found = Found::by(&job, console)?;
    let mut lines = describe(&job);
    lines.extend(found.lines(&job));
    console.answer(&lines)?;
    Ok(Exit::Complete)
}

/// What is there of the target.
enum Place {
    Table,
    NoTable,
    NoDatabase(String),
    /// An output, and whether there is one already.
    File(bool),
}

impl Place {
    fn of(plan: &Plan, console: Console) -> Result<Self> {
        let table = match &plan.target {
            Destination::Table(table) => table,
            Destination::File(file) => return Ok(Self::File(file.is_taken())),
        };
        Ok(match plan.find_table(table, console)? {
            None => Self::NoDatabase(plan.engine.describe()),
            Some(sink) if sink.exists() => Self::Table,
            Some(_) => Self::NoTable,
        })
    }
}

/// What a run would meet.
struct Found {
    /// Whether the database and the table in it are there.
    place: Place,
    rows: u64,
    batches: u64,
    /// How many batches are in flight.
    workers: usize,
    /// How the source is cut, where that is not plain.
    explained: Vec<String>,
}

impl Found {
    /// Reads the source from end to end and looks the table up; changes nothing.
    fn by(job: &JobFile, console: Console) -> Result<Self> {
        let plan = Plan::to_look_at(job)?;
        let workers = Limits { workers: job.limits.workers, ..Limits::default() }
            .worker_count(plan.engine.capacity() as usize);
        let place = Place::of(&plan, console)?;
        let limits = CutLimits::new(job.limits.batch_rows, job.limits.batch_bytes);
        let mut found = Self { place, rows: 0, batches: 0, workers, explained: Vec::new() };
        let stateful = plan.feed.stateful();
        if let Some(stateful) = stateful {
            let engine = Arc::new(plan.engine.clone());
            stateful.begin(&Surroundings::new(engine, workers))?;
        }
        plan.feed.plan(limits, &mut |bounds| {
            found.rows += bounds.rows;
            found.batches += 1;
            Ok(())
        })?;
        if let Some(stateful) = stateful {
            found.explained = stateful.explain();
            stateful.end(false);
        }
        Ok(found)
    }

    fn lines(&self, job: &JobFile) -> Vec<String> {
        let table = target_name(&job.target);
        let mut lines = match &self.place {
            Place::Table => vec![format!("table    {table} is there and fits")],
            Place::NoTable => vec![format!("table    {table} will be created")],
            Place::NoDatabase(database) => vec![
                format!("database {database} will be created"),
                format!("table    {table} will be created"),
            ],
            Place::File(false) => vec![format!("file     {table} will be made")],
            Place::File(true) => vec![format!("file     {table} is there already")],
        };
        lines.push(format!(
            "plan     {} in {}, {} at a time",
            counted(self.rows, "row", "rows"),
            counted(self.batches, "batch", "batches"),
            self.workers
        ));
        lines.extend(self.explained.iter().map(|line| format!("cut      {line}")));
        lines
    }
}

/// The job as its file declares it. The URL is not part of it.
fn describe(job: &JobFile) -> Vec<String> {
    let mut lines = vec![format!("job      {}", job.name)];
    lines.extend(job.params.iter().map(|(name, value)| format!("param    {name} = {value}")));
    lines.push(format!("source   {}", job.source.describe()));
    lines.push(target_line(&job.target));
    lines.extend(job.columns.iter().map(|column| {
        let from = column.from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
        let nulls = if column.not_null { " not null" } else { "" };
        let name = column.name.as_str();
        format!("column   {name} {}{nulls}{from}", column.column_type)
    }));
    let most = |limit| match limit {
        MaxRejects::Count(rows) => rows.to_string(),
        MaxRejects::Share(share) => format!("{}%", share * 100.0),
    };
    let rejects = most(job.limits.max_rejects);
    let of_class = |(class, limit): &(_, _)| format!(", at most {} by {class}", most(*limit));
    let classes: String = job.limits.on.iter().map(of_class).collect();
    lines.push(format!(
        "limits   {} or {} a batch, at most {rejects} rejects{classes}",
        counted(job.limits.batch_rows, "row", "rows"),
        bytes(job.limits.batch_bytes)
    ));
    lines
}

fn target_name(target: &TargetSpec) -> String {
    match target {
        TargetSpec::Table(table) => table.table.plain(),
        TargetSpec::File(file) => file.path().display().to_string(),
    }
}

fn target_line(target: &TargetSpec) -> String {
    let name = target_name(target);
    match target {
        TargetSpec::Table(table) => {
            let key: Vec<_> = table.key.iter().map(crate::ident::Ident::as_str).collect();
            let key =
                if key.is_empty() { String::new() } else { format!(", key {}", key.join(", ")) };
            format!("target   {name}, {}{key}", table.mode.name())
        }
        TargetSpec::File(file) => {
            format!("target   {} {name}, {}", file.format().name(), file.mode_name())
        }
    }
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
            "limits   5,000 rows or 4.0 MiB a batch, at most 100 rejects",
        ];
        assert_eq!(describe(&job), expected);
    }
}
