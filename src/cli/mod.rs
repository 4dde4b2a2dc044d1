//! The `rowmill` command: words in, an exit code out.
//!
//! - `args`:      what can be typed; `shards_args`: behind `rowmill shards`
//! - `shards_move`: maps that are published, and buckets that are moved
//! - `job_file`:  the job file
//! - `run`, `check`, `guess`, `status`, `rejects`, `prune`, `entity`, `migrate`, `nodes`, `shards`: one
//!   file for each command
//! - `plan`:      from a job file to a job and the engine it runs on
//! - `files`:     from what a job file says of files to what is read
//! - `contact`:   the first contact with a database
//! - `deadline`:  when a run has to end, as a person writes it
//! - `target_url`: which database is meant, where there is no job file
//! - `ledger_of`: which ledger `status` and `rejects` look into
//! - `progress`:  how far a run is
//! - `tally`:     how much of a plan is done, and how fast
//! - `summary`:   what it did
//! - `receipt`:   where its time went
//! - `figures`:   numbers as a person reads them
//! - `shard_plan`: from the shards of a job file to their engines
//! - `signals`:   Ctrl-C and `kill`
//! - `usage`:     what was typed wrongly, in one line
//! - `console`:   the only place that prints
//! - `exit`:      how the command ends
//!
//! An error is one line on standard error, a run ends with one screen on standard error, and
//! standard output has nothing but what was asked for.

mod args;
mod check;
mod console;
mod contact;
mod deadline;
mod entity;
mod exit;
mod figures;
mod files;
mod guess;
pub mod job_file;
mod ledger_of;
mod migrate;
mod nodes;
mod plan;
mod progress;
mod prune;
mod receipt;
mod rejects;
mod run;
mod shard_plan;
mod shards;
mod shards_args;
mod shards_move;
mod signals;
mod status;
mod summary;
mod table_plan;
mod tally;
mod target_url;
mod usage;

use args::{Arguments, Command};
use clap::Parser;
use console::Console;
use exit::Exit;
use std::ffi::OsString;
use std::process::ExitCode;

/// Does what `arguments`, of which the first is the name of the program, ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments.command,
        Err(answer) => {
            return usage::answer(&answer, Console::new(false)).into();
        }
    };
    let console = Console::new(matches!(&command, Command::Run(run) if run.quiet));
    let done = match &command {
        Command::Run(arguments) => run::run(arguments, console),
        Command::Check(arguments) => check::check(arguments, console),
        Command::Guess(arguments) => guess::guess(arguments, console),
        Command::Status(arguments) => status::status(arguments, console),
        Command::Rejects(command) => rejects::rejects(command, console),
        Command::Prune(arguments) => prune::prune(arguments, console),
        Command::Entity(arguments) => entity::entity(arguments, console),
        Command::Migrate(arguments) => migrate::migrate(arguments, console),
        Command::Nodes(arguments) => nodes::nodes(arguments, console),
        Command::Shards(command) => shards::shards(command, console),
    };
    let exit = done.unwrap_or_else(|error| {
        console.error(&error);
        Exit::of(&error)
    });
    exit.into()
}
