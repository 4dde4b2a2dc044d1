//! `rowmill check`

use super::args::CheckArguments;
use super::console::Console;
use super::exit::Exit;
use super::figures::{bytes, counted};
use super::job_file::{JobFile, TargetSpec};
use super::plan::{Databases, Plan};
use crate::batch::limits::{Limits, MaxRejects};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::sharding::ShardedEngine;
use crate::sink::destination::Destination;
use crate::sink::indexes::Indexes;
use crate::source::bounds::CutLimits;
use crate::source::stateful::Surroundings;
use std::sync::Arc;

pub(super) fn check(arguments: &CheckArguments, console: Console) -> Result<Exit> {
    let job = JobFile::read(&arguments.job, &arguments.settings.overrides())?;
    let found = Found::by(&job, console)?;
    let mut lines = describe(&job);
    lines.extend(found.lines(&job));
    console.answer(&lines)?;
    let fault = found.shards.iter().find_map(|(_, place)| place.as_ref().err());
    Ok(fault.map_or(Exit::Complete, Exit::of))
}

/// What is there of the target.
enum Place {
    /// The table, and its indexes where they are to be rebuilt, each with why it stays.
    Table(Vec<(String, Option<String>)>),
    NoTable,
    NoDatabase(String),
    /// An output, and whether there is one already.
    File(bool),
}

impl Place {
    fn of(engine: &Engine, target: &Destination, console: Console) -> Result<Self> {
        let table = match target {
            Destination::Table(table) => table,
            Destination::File(file) => return Ok(Self::File(file.is_taken())),
        };
        Ok(match Plan::find_table(engine, table, console)? {
            None => Self::NoDatabase(engine.describe()),
            Some(sink) if sink.exists() => Self::Table(sink.rebuilt_indexes(&mut *engine.get()?)?),
            Some(_) => Self::NoTable,
        })
    }

    fn lines(&self, table: &str) -> Vec<String> {
        match self {
            Self::Table(indexes) => {
                let mut lines = vec![format!("table    {table} is there and fits")];
                lines.extend(indexes.iter().map(|(name, stays)| match stays {
                    None => format!("index    {name} is built anew behind the rows"),
                    Some(why) => format!("index    {name} stays: {why}"),
                }));
                lines
            }
            Self::NoTable => vec![format!("table    {table} will be created")],
            Self::NoDatabase(database) => vec![
                format!("database {database} will be created"),
                format!("table    {table} will be created"),
            ],
            Self::File(false) => vec![format!("file     {table} will be made")],
            Self::File(true) => vec![format!("file     {table} is there already")],
        }
    }
}

/// What a run would meet.
struct Found {
    /// Whether the database and the table in it are there.
    place: Option<Place>,
    /// The same of each shard, where there are several.
    shards: Vec<(String, Result<Place>)>,
    /// By what rows are spread over them.
    spread: Option<String>,
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
        let limits = Limits { workers: job.limits.workers, ..Limits::default() };
        let mut found = Self {
            place: None,
            shards: Vec::new(),
            spread: None,
            rows: 0,
            batches: 0,
            workers: 0,
            explained: Vec::new(),
        };
        let engine = match &plan.databases {
            Databases::One(engine) => {
                found.workers = limits.worker_count(engine.capacity() as usize);
                found.place = Some(Place::of(engine, &plan.target, console)?);
                engine
            }
            Databases::Shards(shards) => found.look_at(shards, &plan.target, limits, console)?,
        };
        if let (Some(spread), Some(shards)) = (&mut found.spread, job.target.shards()) {
            *spread = format!("by {}, {spread}", shards.key.as_str());
        }
        let limits = CutLimits::new(job.limits.batch_rows, job.limits.batch_bytes);
        let stateful = plan.feed.stateful();
        if let Some(stateful) = stateful {
            stateful.begin(&Surroundings::new(Arc::new(engine.clone()), found.workers))?;
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

    /// Looks at each of several shards; returns the engine of one of them.
    fn look_at<'a>(
        &mut self,
        shards: &'a ShardedEngine,
        target: &Destination,
        limits: Limits,
        console: Console,
    ) -> Result<&'a Engine> {
        let map = shards.map();
        let count = map.shards().len();
        self.workers = limits.shared_by(count).workers.unwrap_or(1) * count;
        self.spread = Some(format!("map of {map}"));
        for shard in map.ids() {
            let place = Place::of(shards.engine(shard), target, console);
            let place = place.and_then(|place| shards.agrees(shard).map(|()| place));
            self.shards.push((map.name_of(shard).to_owned(), place));
        }
        let first = map.ids().next();
        let first = first.ok_or_else(|| Error::new(ErrorKind::Internal, "a map has no shard"))?;
        Ok(shards.engine(first))
    }

    fn lines(&self, job: &JobFile) -> Vec<String> {
        let table = target_name(&job.target);
        let mut lines = self.place.as_ref().map_or_else(Vec::new, |place| place.lines(&table));
        lines.extend(self.spread.iter().map(|spread| format!("shards   {spread}")));
        for (name, place) in &self.shards {
            match place {
                Ok(place) => {
                    let told = place.lines(&table);
                    lines.extend(told.into_iter().map(|line| format!("shard    {name}: {line}")));
                }
                Err(error) => lines.push(format!("shard    {name}: {error}")),
            }
        }
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
            let rebuilt = if table.indexes == Indexes::Rebuild { ", indexes rebuilt" } else { "" };
            format!("target   {name}, {}{key}{rebuilt}", table.mode.name())
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
