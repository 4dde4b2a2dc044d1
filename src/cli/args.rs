//! What can be typed behind `rowmill`.

use super::deadline::DeadlineSpec;
use super::job_file::{Overrides, units};
use super::shards_args::ShardsCommand;
use crate::batch::ledger::LedgerName;
use crate::batch::limits::RejectClass;
use clap::{Args, Parser, Subcommand};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Blocking, parallel, restartable loads into PostgreSQL and SQLite.
#[derive(Debug, Parser)]
#[command(name = "rowmill", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 complete or already complete, 1 internal error, 2 usage or job file,
3 reject limit crossed, 4 infrastructure (resumable), 5 already running, 6 stopped (resumable).
Run the same command again to carry on where a run ended.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Runs a job; carries on where an earlier run ended
    Run(RunArguments),
    /// Checks a job file, the source and the target, and prints the plan; changes nothing
    Check(CheckArguments),
    /// Prints a job file for a CSV, NDJSON or Parquet file, guessed from its rows or its schema
    Guess(GuessArguments),
    /// Shows the runs and batches of the ledger, also while one runs
    Status(LookArguments),
    /// Shows the rows that were rejected
    #[command(subcommand)]
    Rejects(RejectsCommand),
    /// Takes old records of complete jobs away; they stay complete
    Prune(PruneArguments),
    /// Prints the Rust source of the entities of tables that are there
    Entity(EntityArguments),
    /// Applies SQL files to a database, each once and in order
    Migrate(MigrateArguments),
    /// Shows a primary and its replicas: roles, lag, latency, health
    Nodes(NodesArguments),
    /// Shows the shards of a map, how many rows they have, and what writes in two phases left there
    #[command(subcommand)]
    Shards(ShardsCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum MigrateCommand {
    /// Shows what is applied and what is pending; changes nothing
    Status {
        /// The folder of the files [default: migrations]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RejectsCommand {
    /// Lists rejected rows with their place in the source and the reason
    List(ListArguments),
    /// Writes rejected rows to a new file: as they stand in the source, so that the same job can load
    /// them, or with the reasons as CSV or JSON
    Export(ExportArguments),
    /// Tries the rejected rows of a complete job again; what passes is written and marked resolved
    Replay(ReplayArguments),
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    pub(super) look: LookArguments,
    #[command(flatten)]
    pub(super) filter: FilterArguments,
    /// Only the counts of rejects that have step, code, place and cause in common
    #[arg(long)]
    pub(super) groups: bool,
    /// Prints one JSON object: the count, the groups and the rejects
    #[arg(long)]
    pub(super) json: bool,
}

/// Which rejects.
#[derive(Debug, Args)]
pub(super) struct FilterArguments {
    /// Only those of the run with this number
    #[arg(long, value_name = "N")]
    pub(super) run: Option<u32>,
    /// Only those of this batch
    #[arg(long, value_name = "N")]
    pub(super) batch: Option<u32>,
    /// Only those of this stage: parse, convert, precheck, transform, store
    #[arg(long, value_name = "STAGE",
          value_parser = ["parse", "convert", "precheck", "transform", "duplicate", "store"])]
    pub(super) stage: Option<String>,
    /// Only those of this column
    #[arg(long, value_name = "NAME")]
    pub(super) column: Option<String>,
    /// Only those of this constraint
    #[arg(long, value_name = "NAME")]
    pub(super) constraint: Option<String>,
    /// Only those of this kind: a stage, a SQLSTATE, or its first two characters
    #[arg(long, value_name = "CLASS", value_parser = reject_class)]
    pub(super) class: Option<RejectClass>,
    /// Only those that were rejected no longer ago: 12h, 7d
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(super) since: Option<Duration>,
    /// Only those with this code, or one that begins so: 23505, 22
    #[arg(long, value_name = "CODE")]
    pub(super) sqlstate: Option<String>,
    /// Also those that a replay has resolved
    #[arg(long)]
    pub(super) resolved: bool,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    pub(super) look: LookArguments,
    /// The file; it must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(super) to: PathBuf,
    /// raw: the records as they stand in the source, with its header, and FILE.reasons beside them
    #[arg(long, value_enum, default_value_t = ExportFormat::Raw)]
    pub(super) format: ExportFormat,
    /// Puts an apostrophe before texts that a spreadsheet would take for formulas (csv)
    #[arg(long)]
    pub(super) neutral_formulas: bool,
    #[command(flatten)]
    pub(super) filter: FilterArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ExportFormat {
    Raw,
    Csv,
    Ndjson,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// The job file
    #[arg(value_name = "JOB.toml")]
    pub(super) job: PathBuf,
    #[command(flatten)]
    pub(super) settings: Settings,
    /// Replaces a row of the table that has the key of a rejected one, also if it may be newer
    #[arg(long)]
    pub(super) overwrite: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The job file
    #[arg(value_name = "JOB.toml")]
    pub(super) job: PathBuf,
    #[command(flatten)]
    pub(super) settings: Settings,
    /// Batches at the same time [default: what the job file, the pool and the machine allow]
    #[arg(long, value_name = "N")]
    pub(super) workers: Option<NonZeroUsize>,
    /// Stops, resumably, at this time: 06:00 (the next one, local time), an RFC 3339 time, or a
    /// duration such as 90m; and warns when the rate says that it will be missed
    #[arg(long, value_name = "WHEN", value_parser = DeadlineSpec::parse)]
    pub(super) deadline: Option<DeadlineSpec>,
    /// Lets other processes that say the same work on the job at the same time (PostgreSQL)
    #[arg(long)]
    pub(super) join: bool,
    /// Writes the report of the run to this file, as one JSON object
    #[arg(long, value_name = "FILE.json")]
    pub(super) report: Option<PathBuf>,
    /// Prints every statement with its time to standard error, the parameters hidden
    #[arg(long, conflicts_with = "quiet")]
    pub(super) echo: bool,
    /// Prints nothing but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// The job file
    #[arg(value_name = "JOB.toml")]
    pub(super) job: PathBuf,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Args)]
pub(super) struct GuessArguments {
    /// The file, which may be compressed with gzip or zstd
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The name of the job and its table [default: that of the file]
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
    /// The URL of the target database [default: that of the environment, or an SQLite file]
    #[arg(long, value_name = "URL")]
    pub(super) target: Option<String>,
}

impl std::fmt::Debug for GuessArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may contain a password.
        f.debug_struct("GuessArguments").field("file", &self.file).finish_non_exhaustive()
    }
}

#[derive(Debug, Args)]
pub(super) struct LookArguments {
    /// The name of a job, or its job file [default: all jobs]
    #[arg(value_name = "JOB")]
    pub(super) job: Option<String>,
    /// The schema of the ledger, where there is no job file [default: rowmill]
    #[arg(long, value_name = "SCHEMA", value_parser = ledger_name)]
    pub(super) ledger: Option<LedgerName>,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Debug, Args)]
pub(super) struct PruneArguments {
    /// How long ago a job must have been completed: 90d, 12h
    #[arg(value_name = "AGE", value_parser = age)]
    pub(super) age: Duration,
    /// Takes the jobs themselves away, too, and their rejects: a start would do them again
    #[arg(long)]
    pub(super) forget: bool,
    #[command(flatten)]
    pub(super) look: LookArguments,
}

#[derive(Debug, Args)]
pub(super) struct EntityArguments {
    /// The tables, as TABLE or SCHEMA.TABLE
    #[arg(value_name = "TABLE", required = true)]
    pub(super) tables: Vec<String>,
    /// The name of the struct, where there is one table [default: that of the table]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Dates and times are those of chrono [default: those of jiff]
    #[arg(long)]
    pub(super) chrono: bool,
    #[command(flatten)]
    pub(super) database: Database,
}

#[derive(Debug, Args)]
pub(super) struct MigrateArguments {
    #[command(subcommand)]
    pub(super) look: Option<MigrateCommand>,
    /// The folder of the files, which are called `NNNN_name.sql` [default: migrations]
    #[arg(value_name = "DIR")]
    pub(super) folder: Option<PathBuf>,
    /// Applies also what was overtaken by a file with a higher number
    #[arg(long, global = true)]
    pub(super) out_of_order: bool,
    #[command(flatten)]
    pub(super) database: Database,
}

#[derive(Args, Clone)]
pub(super) struct NodesArguments {
    /// The URL of a server, or of several hosts; may be given more than once [default: that of the
    /// environment, `ROWMILL_TARGET`]
    #[arg(long = "target", value_name = "URL")]
    pub(super) targets: Vec<String>,
    /// Prints one JSON array
    #[arg(long)]
    pub(super) json: bool,
}

impl std::fmt::Debug for NodesArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URLs may contain passwords.
        f.debug_struct("NodesArguments").field("json", &self.json).finish_non_exhaustive()
    }
}

/// Which database, where there is no job file.
#[derive(Args, Clone)]
pub(super) struct Database {
    /// The URL of the database [default: that of the environment, `ROWMILL_TARGET`]
    #[arg(long, value_name = "URL", global = true)]
    pub(super) target: Option<String>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may contain a password.
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// What the command line can say instead of the job file.
#[derive(Args, Clone)]
pub(super) struct Settings {
    /// Sets a parameter of the job; may be given more than once
    #[arg(short, long = "param", value_name = "K=V", value_parser = parameter)]
    pub(super) params: Vec<(String, String)>,
    /// The URL of the target database, instead of the one in the job file
    #[arg(long, value_name = "URL")]
    pub(super) target: Option<String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may contain a password.
        f.debug_struct("Settings").field("params", &self.params).finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides { params: self.params.clone(), target: self.target.clone() }
    }
}

fn ledger_name(text: &str) -> Result<LedgerName, String> {
    LedgerName::new(text).map_err(|error| error.message().to_owned())
}

fn reject_class(text: &str) -> Result<RejectClass, String> {
    RejectClass::parse(text).map_err(|error| error.hint().unwrap_or_default().to_owned())
}

fn age(text: &str) -> Result<Duration, String> {
    units::duration(text).ok_or_else(|| "expected an age such as 90d or 12h".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests;
