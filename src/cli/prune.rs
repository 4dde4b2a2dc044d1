//! `rowmill prune`

use super::args::PruneArguments;
use super::console::Console;
use super::exit::Exit;
use super::figures::counted;
use super::ledger_of::wanted;
use crate::batch::ledger::{Ledger, Prune};
use crate::engine::Engine;
use crate::error::Result;

pub(super) fn prune(arguments: &PruneArguments, console: Console) -> Result<Exit> {
    let wanted = wanted(&arguments.look, &|name| std::env::var(name).ok())?;
    let engine = Engine::open(&wanted.url)?;
    if !super::contact::contact(&engine, console)? {
        console.answer(&[wanted.none()])?;
        return Ok(Exit::Complete);
    }
    let mut connection = engine.get()?;
    let Some(_) = Ledger::find(&mut *connection, &wanted.ledger)? else {
        console.answer(&[wanted.none()])?;
        return Ok(Exit::Complete);
    };
    let ledger = Ledger::open(&mut *connection, &wanted.ledger)?;
    let what = if arguments.forget { Prune::Forget } else { Prune::Records };
    let gone = ledger.prune(&mut *connection, &wanted.jobs(), arguments.age, what)?;
    let mut line = format!(
        "{} of {} and {} are gone",
        counted(gone.batches, "batch", "batches"),
        counted(gone.jobs, "job", "jobs"),
        counted(gone.runs, "run", "runs")
    );
    if arguments.forget {
        let rejects = counted(gone.rejects, "reject", "rejects");
        line += ", and with them the jobs and ";
        line += &rejects;
        line += ": they would be done again";
    }
    console.answer(&[line])?;
    Ok(Exit::Complete)
}
