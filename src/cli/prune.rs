//! `rowmill prune`

use super::args::PruneArguments;
use super::console::Console;
use super::exit::Exit;
use super::figures::counted;
use super::ledger_of::{Wanted, wanted};
use crate::batch::ledger::{Ledger, Prune};
use crate::engine::Engine;
use crate::error::Result;

pub(super) fn prune(arguments: &PruneArguments, console: Console) -> Result<Exit> {
    let wanted = wanted(&arguments.look, &|name| std::env::var(name).ok())?;
    let (told, exit) = Wanted::each(&wanted, |one| prune_one(arguments, one, console))?;
    console.answer(&told)?;
    Ok(exit)
}

fn prune_one(arguments: &PruneArguments, wanted: &Wanted, console: Console) -> Result<Vec<String>> {
    let engine = Engine::open(&wanted.url)?;
    if !super::contact::contact(&engine, console)? {
        return Ok(vec![wanted.none()]);
    }
    let mut connection = engine.get()?;
    let Some(_) = Ledger::find(&mut *connection, &wanted.ledger)? else {
        return Ok(vec![wanted.none()]);
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
    Ok(vec![line])
}
