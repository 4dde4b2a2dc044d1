//! `rowmill rejects`: the reject store.
//!
//! - `list`:   counts by what they have in common, then a line for each
//! - `export`: into a file that the job can load again, or that is read elsewhere
//! - `form`:   how a reject is written there
//! - `replay`: tried again
//!
//! `list` and `export` change nothing in the database.

mod export;
mod form;
mod list;
mod replay;

use super::args::{FilterArguments, RejectsCommand};
use super::console::Console;
use super::exit::Exit;
use crate::batch::ledger::RejectFilter;
use crate::error::Result;

pub(super) fn rejects(command: &RejectsCommand, console: Console) -> Result<Exit> {
    match command {
        RejectsCommand::List(arguments) => list::list(arguments, console),
        RejectsCommand::Export(arguments) => export::export(arguments, console),
        RejectsCommand::Replay(arguments) => replay::replay(arguments, console),
    }
}

fn filter(arguments: &FilterArguments) -> RejectFilter {
    let FilterArguments { run, batch, stage, column, constraint, .. } = arguments;
    RejectFilter {
        run: run.map(i64::from),
        batch: *batch,
        class: arguments.class.clone(),
        stage: stage.clone(),
        column: column.clone(),
        constraint: constraint.clone(),
        sqlstate: arguments.sqlstate.clone(),
        since: arguments.since,
        resolved: arguments.resolved,
        limit: arguments.limit,
    }
}
