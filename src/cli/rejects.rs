//! `rowmill rejects`

use super::args::LookArguments;
use super::console::Console;
use super::exit::Exit;
use super::ledger_of::{Wanted, wanted};
use crate::batch::ledger::{Ledger, RejectView};
use crate::error::Result;

pub(super) fn list(arguments: &LookArguments, console: Console) -> Result<Exit> {
    let wanted = wanted(arguments, &|name| std::env::var(name).ok())?;
    console.answer(&lines(&wanted)?)?;
    Ok(Exit::Complete)
}

/// So many are shown; a file with more of them is looked at with SQL.
const MOST: usize = 10_000;

/// The rejects that are `wanted`, one line each, with the record as it stands in the source.
fn lines(wanted: &Wanted) -> Result<Vec<String>> {
    let engine = match wanted.open()? {
        Ok(engine) => engine,
        Err(nothing) => return Ok(vec![nothing]),
    };
    let mut connection = engine.get()?;
    let Some(ledger) = Ledger::find(&mut *connection)? else {
        return Ok(vec!["no job has run here yet".to_owned()]);
    };
    let mut lines = Vec::new();
    let mut more = 0_u64;
    ledger.rejects(&mut *connection, &wanted.jobs(), &mut |reject| {
        if lines.len() < MOST {
            lines.push(line(&reject));
        } else {
            more += 1;
        }
        Ok(())
    })?;
    if more > 0 {
        lines.push(format!("and {more} more, in the table of rejects"));
    }
    if lines.is_empty() {
        lines.push("no rejects".to_owned());
    }
    Ok(lines)
}

fn line(reject: &RejectView) -> String {
    let place =
        reject.line.map_or_else(|| format!("row {}", reject.row), |line| format!("line {line}"));
    let state = reject.sqlstate.as_ref().map_or(String::new(), |state| format!(" ({state})"));
    let column =
        reject.column.as_ref().map_or(String::new(), |column| format!(" [column {column}]"));
    let constraint =
        reject.constraint.as_ref().map_or(String::new(), |name| format!(" [constraint {name}]"));
    // Control characters of a broken record must not reach a terminal.
    let raw = String::from_utf8_lossy(&reject.raw).escape_debug().to_string();
    format!(
        "{} {place}: {}: {}{state}{column}{constraint}: {raw}",
        reject.job, reject.stage, reject.message
    )
}
