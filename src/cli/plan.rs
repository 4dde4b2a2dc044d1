//! From a job file to a job and the engine it runs on.

use super::console::Console;
use super::contact::contact;
use super::files::files;
use super::job_file::{
    ColumnSpec, CsvSpec, FilesSpec, JobFile, SourceSpec, TargetSpec, TargetTable,
};
use super::shard_plan;
use super::table_plan;
use crate::batch::job::Job;
use crate::batch::limits::{MaxRejects, RejectClass};
use crate::batch::report::Report;
use crate::engine::{Engine, EngineBuilder, StatementEvent};
use crate::error::{Error, Locate, Result};
use crate::mapping::column::Column;
use crate::retry::RetryPolicy;
use crate::sharding::ShardedEngine;
use crate::sink::destination::Destination;
use crate::sink::fit;
use crate::sink::table::TableSink;
use crate::sink::target::Target;
use crate::source::csv::{CsvColumn, CsvColumns, CsvFormat};
use crate::source::feed::Feed;
use crate::source::ndjson::{NdjsonColumn, NdjsonColumns};
use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A job file put into effect: what it reads and writes is found, nothing is connected.
pub(super) struct Plan {
    pub(super) databases: Databases,
    /// Whether the shards have no map yet.
    stores_map: bool,
    pub(super) feed: Arc<dyn Feed>,
    pub(super) target: Destination,
}

/// Where a job runs.
pub(super) enum Databases {
    One(Engine),
    Shards(ShardedEngine),
}

impl Databases {
    /// The one that also the source may be in.
    pub(super) fn one(&self) -> Option<&Engine> {
        match self {
            Self::One(engine) => Some(engine),
            Self::Shards(_) => None,
        }
    }
}

impl Plan {
    /// Opens the source and makes the engine.
    ///
    /// # Errors
    /// `Source` or `Config` if the source cannot be read or lacks a column; `Url`.
    pub(super) fn of(file: &JobFile) -> Result<Self> {
        Self::on(databases(file, |builder| builder)?, file)
    }

    /// The same; `echo` is told of every statement.
    ///
    /// # Errors
    /// As [`Plan::of`].
    pub(super) fn told(
        file: &JobFile,
        echo: impl Fn(&StatementEvent<'_>) + Send + Sync + 'static,
    ) -> Result<Self> {
        let echo = Arc::new(echo);
        let told = |builder: EngineBuilder| {
            let echo = Arc::clone(&echo);
            builder.echo(move |event| echo(event))
        };
        Self::on(databases(file, told)?, file)
    }

    /// The same, only to be looked at.
    ///
    /// # Errors
    /// As [`Plan::of`].
    pub(super) fn to_look_at(file: &JobFile) -> Result<Self> {
        Self::on(databases(file, |builder| builder.read_only(true))?, file)
    }

    fn on((databases, stores_map): (Databases, bool), file: &JobFile) -> Result<Self> {
        let feed = open(file, databases.one())?;
        let columns = feed.columns().to_vec();
        let target = match &file.target {
            TargetSpec::Table(spec) => table(spec, columns)?.into(),
            TargetSpec::File(target) => target.clone().columns(columns).into(),
        };
        Ok(Self { databases, stores_map, feed, target })
    }

    /// Runs the job.
    pub(super) fn report(&self, job: &Job) -> (Report, Option<Error>) {
        match &self.databases {
            Databases::One(engine) => job.report(engine),
            Databases::Shards(shards) => job.report_on_shards(shards),
        }
    }

    /// Makes sure that the database answers; `false` if it is not there and a run may make it.
    ///
    /// # Errors
    /// `Connect` if it cannot be reached; `Schema` if it is not there and the job creates no table.
    pub(super) fn reach(&self, console: Console) -> Result<bool> {
        match &self.target {
            Destination::File(file) => file.make_room().map(|()| true),
            Destination::Table(table) => match &self.databases {
                Databases::One(engine) => reach_for(engine, table, console),
                Databases::Shards(shards) => self.store_map(shards, table, console).map(|()| true),
            },
        }
    }

    /// Stores the map on shards that have none yet, unless the job is going to be refused. Those that
    /// have one were asked for it; one that is away costs the others nothing.
    fn store_map(&self, shards: &ShardedEngine, table: &Target, console: Console) -> Result<()> {
        if !self.stores_map {
            return Ok(());
        }
        for shard in shards.ids() {
            let found = Self::find_table(shards.engine(shard), table, console);
            found.locate(|place| place.shard = Some(shards.map().name_of(shard).to_owned()))?;
        }
        shards.publish()
    }

    /// Looks the table up in a database that may not be there yet; `None` if it is not. Changes
    /// nothing.
    ///
    /// # Errors
    /// `Connect` if the database cannot be reached; `Schema` if the table does not fit.
    pub(super) fn find_table(
        engine: &Engine,
        table: &Target,
        console: Console,
    ) -> Result<Option<TableSink>> {
        if !reach_for(engine, table, console)? {
            return Ok(None);
        }
        let mut connection = engine.get()?;
        TableSink::find(table.clone(), &mut *connection).map(Some)
    }

    /// The job.
    pub(super) fn job(&self, file: &JobFile) -> Job {
        let mut draft = Job::named(&file.name);
        for (name, value) in &file.params {
            draft = draft.param(name, value);
        }
        let limits = &file.limits;
        let retry = RetryPolicy { patience: limits.retry_for, ..RetryPolicy::default() };
        let job = draft
            .feed(Arc::clone(&self.feed), self.target.clone())
            .ledger(file.ledger.clone())
            .on_change(file.on_change)
            .batch_rows(limits.batch_rows)
            .batch_bytes(limits.batch_bytes)
            .batches_a_transaction(limits.batches_a_transaction)
            .max_rejects(limits.max_rejects)
            .retry(retry)
            .grace(limits.grace);
        let of_class = |job: Job, (class, limit): &(RejectClass, MaxRejects)| {
            job.max_rejects_of(class.clone(), *limit)
        };
        let job = limits.on.iter().fold(job, of_class);
        let job = match file.target.shards() {
            Some(shards) => job.shard_key(shards.key.as_str()),
            None => job,
        };
        match limits.workers {
            Some(workers) => job.workers(workers),
            None => job,
        }
    }
}

fn reach_for(engine: &Engine, table: &Target, console: Console) -> Result<bool> {
    let is_there = contact(engine, console)?;
    if !is_there {
        fit::new_table(table)?;
    }
    Ok(is_there)
}

fn open(file: &JobFile, engine: Option<&Engine>) -> Result<Arc<dyn Feed>> {
    let columns = &file.columns;
    match &file.source {
        SourceSpec::Csv(csv) => {
            let feed = open_csv(csv, columns);
            Ok(Arc::new(feed.map_err(|error| with_advice(error, &csv.files))?))
        }
        SourceSpec::Ndjson(files) => {
            let feed = open_ndjson(files, columns);
            Ok(Arc::new(feed.map_err(|error| with_advice(error, files))?))
        }
        SourceSpec::Parquet(files) => {
            let feed = open_parquet(files, columns);
            Ok(feed.map_err(|error| with_advice(error, files))?)
        }
        SourceSpec::Table(table) => Ok(Arc::new(table_plan::open(table, file, engine)?)),
    }
}

fn table(spec: &TargetTable, columns: Vec<Column>) -> Result<Target> {
    let key = spec.key.iter().map(|name| name.as_str().to_owned()).collect();
    let mut target = Target::new(spec.table.clone(), columns, key, spec.mode)?;
    target.create = spec.create;
    target.duplicates = spec.duplicates;
    target.allow_empty_source = spec.allow_empty_source;
    target.indexes = spec.indexes;
    Ok(target)
}

/// The databases that a job writes to, each engine with this change; and whether they are shards that
/// have no map yet.
fn databases(
    file: &JobFile,
    change: impl Fn(EngineBuilder) -> EngineBuilder,
) -> Result<(Databases, bool)> {
    match &file.target {
        TargetSpec::Table(TargetTable { shards: Some(shards), create, .. }) => {
            let (shards, is_new) = shard_plan::open(shards, *create, change)?;
            Ok((Databases::Shards(shards), is_new))
        }
        _ => Ok((Databases::One(change(builder(file)?).build()?), false)),
    }
}

/// The engine of a job file: one server, or a primary and its replicas.
fn builder(file: &JobFile) -> Result<EngineBuilder> {
    let builder = Engine::builder(&file.target.url()?);
    Ok(match &file.target {
        TargetSpec::Table(table) => {
            table.replicas.iter().fold(builder, |builder, url| builder.replica(url))
        }
        TargetSpec::File(_) => builder,
    })
}

fn open_csv(spec: &CsvSpec, columns: &[ColumnSpec]) -> Result<CsvColumns> {
    let format = CsvFormat::new()
        .delimiter(spec.delimiter)
        .quote(spec.quote)
        .escape(spec.escape)
        .header(spec.header)
        .nulls(spec.null.clone());
    let columns = columns.iter().map(csv_column).collect();
    CsvColumns::open(files(&spec.files)?, format, columns)
}

fn open_ndjson(spec: &FilesSpec, columns: &[ColumnSpec]) -> Result<NdjsonColumns> {
    let columns = columns.iter().map(ndjson_column).collect();
    NdjsonColumns::open(files(spec)?, columns)
}

#[cfg(feature = "parquet")]
fn open_parquet(spec: &FilesSpec, columns: &[ColumnSpec]) -> Result<Arc<dyn Feed>> {
    use crate::source::parquet::{ParquetColumn, ParquetColumns};
    let column = |spec: &ColumnSpec| {
        let mut column = ParquetColumn::new(spec.name.clone(), spec.column_type.clone())
            .trim(spec.trim)
            .nul(spec.nul)
            .nulls(spec.null.clone().unwrap_or_default());
        if let Some(from) = &spec.from {
            column = column.from(from);
        }
        if spec.not_null { column.not_null() } else { column }
    };
    let columns = columns.iter().map(column).collect();
    Ok(Arc::new(ParquetColumns::open(files(spec)?, columns)?))
}

#[cfg(not(feature = "parquet"))]
fn open_parquet(_: &FilesSpec, _: &[ColumnSpec]) -> Result<Arc<dyn Feed>> {
    // The job file was refused.
    let message = "Parquet is not built in";
    Err(Error::new(crate::error::ErrorKind::Unsupported, message))
}

/// Says where a relative path begins, for the file was probably sought in another folder.
fn with_advice(error: Error, files: &FilesSpec) -> Error {
    let error = error.locate(|place| place.file = Some(files.describe()));
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    let is_missing = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::NotFound);
    if is_missing && files.paths.iter().any(|path| Path::new(path).is_relative()) {
        return error.with_hint("a relative path begins where the command is started");
    }
    error
}

fn csv_column(spec: &ColumnSpec) -> CsvColumn {
    let mut column =
        CsvColumn::new(spec.name.clone(), spec.column_type.clone()).trim(spec.trim).nul(spec.nul);
    if let Some(from) = &spec.from {
        column = column.from(from);
    }
    if let Some(nulls) = &spec.null {
        column = column.nulls(nulls.clone());
    }
    if spec.not_null { column.not_null() } else { column }
}

fn ndjson_column(spec: &ColumnSpec) -> NdjsonColumn {
    let mut column = NdjsonColumn::new(spec.name.clone(), spec.column_type.clone())
        .trim(spec.trim)
        .nul(spec.nul)
        .nulls(spec.null.clone().unwrap_or_default());
    if let Some(from) = &spec.from {
        column = column.from(from);
    }
    if spec.not_null { column.not_null() } else { column }
}
