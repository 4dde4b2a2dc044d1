//! `rowmill rejects list`

use super::super::args::ListArguments;
use super::super::console::Console;
use super::super::exit::Exit;
use super::super::ledger_of::{Wanted, title, wanted};
use super::filter;
use crate::backend::Connection;
use crate::batch::ledger::{Ledger, RejectFilter, RejectView};
use crate::error::Result;

pub(in crate::cli) fn list(arguments: &ListArguments, console: Console) -> Result<Exit> {
    let wanted = wanted(&arguments.look, &|name| std::env::var(name).ok())?;
    let filter = filter(&arguments.filter);
    console
        .answer(&wanted.look(console, |ledger, connection, _| {
            lines(&wanted, &filter, ledger, connection)
        })?)?;
    Ok(Exit::Complete)
}

/// So many are shown; a file with more of them is looked at with SQL.
const MOST: usize = 10_000;

/// The rejects that are `wanted`, one line each, with the record as it stands in the source.
fn lines(
    wanted: &Wanted,
    filter: &RejectFilter,
    ledger: &Ledger,
    connection: &mut dyn Connection,
) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut more = 0_u64;
    ledger.rejects(connection, &wanted.jobs(), filter, &mut |reject| {
        if lines.len() < MOST {
            lines.push(line(&reject, wanted.params.is_none()));
        } else {
            more += 1;
        }
        Ok(())
    })?;
    if more > 0 {
        lines.push(format!("and {more} more, in the table of rejects"));
    }
    if lines.is_empty() {
        let is_known = !ledger.jobs(connection, &wanted.jobs(), 1)?.is_empty();
        lines.push(if is_known { "no rejects".to_owned() } else { wanted.none() });
    }
    Ok(lines)
}

/// One of several jobs of a name is told with its parameters.
fn line(reject: &RejectView, one_of_several: bool) -> String {
    let job = match one_of_several {
        true => title(&reject.job, &reject.params),
        false => reject.job.clone(),
    };
    let place =
        reject.line.map_or_else(|| format!("row {}", reject.row), |line| format!("line {line}"));
    let state = reject.sqlstate.as_ref().map_or(String::new(), |state| format!(" ({state})"));
    let column =
        reject.column.as_ref().map_or(String::new(), |column| format!(" [column {column}]"));
    let constraint =
        reject.constraint.as_ref().map_or(String::new(), |name| format!(" [constraint {name}]"));
    let cause = reject.caused_by.as_ref().map_or(String::new(), |cause| format!(" [{cause}]"));
    let resolved =
        reject.resolved_by.map_or(String::new(), |run| format!(" [resolved by run {run}]"));
    let raw = printable(&String::from_utf8_lossy(&reject.raw));
    let cut = if reject.truncated { "..." } else { "" };
    format!(
        "{job} {place}: {}: {}{state}{column}{constraint}{cause}{resolved}: {raw}{cut}",
        reject.stage, reject.message
    )
}

/// The text without control characters, which in a broken record could be commands to a terminal.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_shown_as_it_stands_but_for_control_characters() {
        assert_eq!(
            printable("1,\"a, b\",\u{e9}\t\u{1b}[2J\n"),
            "1,\"a, b\",\u{e9}\\t\\u{1b}[2J\\n"
        );
    }
}
