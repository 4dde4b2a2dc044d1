//! The driver's errors as ours, without values of rows.
//!
//! The server's sentence is kept where it can only name things of the schema. Where it can repeat
//! what was in a row, what may be a value is cut out. DETAIL shows whole keys and rows, so that only
//! the number of a process is taken from that of a deadlock. The driver's error is not kept as the source either, because its `Display` shows both.

use super::report::Report;
use crate::backend::refusal::Refusal;
use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;
use std::error::Error as StdError;
use std::io;

/// An error of a statement.
pub(super) fn statement(error: postgres::Error) -> Error {
    if let Some(server) = error.as_db_error() {
        return of_statement(&server.into());
    }
    if error.is_closed() {
        return disconnect("the connection to the server was lost");
    }
    let what = error.to_string();
    match error.into_source() {
        Some(source) => of_source(&what, source),
        None => disconnect(&format!("the connection to the server is unusable: {what}")),
    }
}

/// A lost connection.
pub(super) fn disconnect(message: &str) -> Error {
    Error::new(ErrorKind::Disconnect, message).with_sqlstate(SqlState::CONNECTION_FAILURE)
}

/// A code that is written in the program.
pub(super) fn code(code: &'static str) -> SqlState {
    SqlState::parse(code).unwrap_or(SqlState::INTERNAL_ERROR)
}

/// Our own errors come back from inside the driver when a parameter cannot be sent.
fn of_source(what: &str, source: Box<dyn StdError + Send + Sync>) -> Error {
    let source = match source.downcast::<Error>() {
        Ok(ours) => return *ours,
        Err(source) => source,
    };
    match source.downcast::<io::Error>() {
        Ok(io) => disconnect("the connection to the server was lost").with_source(io),
        Err(_) => disconnect(&format!("the connection to the server is unusable: {what}")),
    }
}

/// What the server said of a statement.
pub(super) fn of_statement(server: &Report) -> Error {
    let kind = if server.is_final { ErrorKind::Disconnect } else { ErrorKind::Database };
    let error = of_server(server, kind);
    if kind == ErrorKind::Database && error.sqlstate() == Some(SqlState::PROTOCOL_VIOLATION) {
        // Values in binary form that are too short or too long for the type of their column.
        return error.with_hint("a type may have changed on the way: start the same command again");
    }
    error
}

/// What code that ran in the server noted of a row that was refused.
pub(super) fn refused(refusal: Refusal) -> Error {
    let Refusal { code, message, context, constraint, column } = refusal;
    // Which routine of the server said it is not told there; in all languages the context ends so.
    let by_function = context.as_deref().is_some_and(|line| line.ends_with("RAISE"));
    let routine = by_function.then(|| RAISE.to_owned());
    let report =
        Report { code, message, context, column, constraint, routine, ..Report::default() };
    of_statement(&report)
}

/// The routine of the server that raises what a function says.
const RAISE: &str = "exec_stmt_raise";

/// What the server said, as an error of `kind`.
pub(super) fn of_server(server: &Report, kind: ErrorKind) -> Error {
    let state = SqlState::parse(&server.code).unwrap_or(SqlState::INTERNAL_ERROR);
    let mut error = Error::new(kind, one_line(&safe_message(server))).with_sqlstate(state);
    if let Some(constraint) = &server.constraint {
        error = error.with_constraint(constraint.as_str());
    }
    if let Some(hint) = server.hint.as_deref().filter(|_| !is_raised(server)) {
        error = error.with_hint(one_line(hint));
    }
    error.locate(|place| {
        place.table.clone_from(&server.table);
        place.column.clone_from(&server.column);
    })
}

/// Whether a function of the database wrote the message, so that anything can be in it.
fn is_raised(server: &Report) -> bool {
    let is_users = matches!(class(server), "P0" | "38" | "39");
    is_users || server.routine.as_deref() == Some(RAISE)
}

/// The process in whose way a deadlock was. It is the last number of the first line of the DETAIL, in
/// the language of the server; there is no value of a row in that.
fn blocker(detail: &str) -> Option<&str> {
    let is_digit = |c: char| c.is_ascii_digit();
    let line = detail.lines().next()?;
    let end = line.rfind(is_digit)? + 1;
    Some(line[..end].rsplit(|c| !is_digit(c)).next().unwrap_or_default())
}

fn safe_message(server: &Report) -> String {
    let message = &server.message;
    let blocker = server.detail.as_deref().filter(|_| server.code == "40P01").and_then(blocker);
    if let (Some(process), false) = (blocker, is_raised(server)) {
        return format!("{message}: blocked by process {process}");
    }
    if is_raised(server) {
        return raised_by(server.context.as_deref());
    }
    match class(server) {
        "22" | "21" | "54" | "HV" => without_values(message),
        _ => message.clone(),
    }
}

/// The class of its code.
fn class(server: &Report) -> &str {
    server.code.get(..2).unwrap_or_default()
}

/// Where the function raised it; the first line of the context names the function and its line,
/// the following ones can repeat a statement with its values.
fn raised_by(context: Option<&str>) -> String {
    let line = context.and_then(|context| context.lines().next()).unwrap_or_default();
    if line.starts_with("PL/") && !line.contains('"') {
        format!("raised by {line}")
    } else {
        "raised by a function of the database".to_owned()
    }
}

/// The quotation marks of the languages that the server speaks.
const QUOTES: &str = "\"'\u{ab}\u{bb}\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}\u{300c}\u{300d}";

/// Cuts out what stands between the first and the last quotation mark, and what follows a colon.
fn without_values(message: &str) -> String {
    let is_quote = |c: char| QUOTES.contains(c);
    let colon = message.find(": ").or_else(|| message.find('\u{ff1a}'));
    let quote = message.find(is_quote);
    match (quote, colon) {
        (None, None) => message.to_owned(),
        (None, Some(colon)) => message[..colon].trim_end().to_owned(),
        (Some(quote), Some(colon)) if colon < quote => message[..colon].trim_end().to_owned(),
        (Some(first), _) => {
            let last = message.rfind(is_quote).filter(|last| *last > first);
            let rest = last.map_or("", |last| message[last..].trim_start_matches(is_quote));
            let rest = rest.split_once(':').map_or(rest, |(before, _)| before);
            format!("{}\"...\"{rest}", &message[..first])
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadlock_names_the_process_that_was_in_the_way() {
        for (detail, process) in [
            (
                "Process 12 waits for ShareLock on transaction 7; blocked by process 345.\nProcess 9",
                "345",
            ),
            (
                "Prozess 12 wartet auf ShareLock-Sperre auf Transaktion 7; blockiert von Prozess 345.",
                "345",
            ),
        ] {
            assert_eq!(blocker(detail), Some(process));
        }
        assert_eq!(blocker("no number"), None);
    }

    #[test]
    fn what_a_function_says_of_a_row_is_not_repeated_and_what_the_server_says_is() {
        let refused = |code: &str, message: &str, context: &str| {
            let (code, message) = (code.to_owned(), message.to_owned());
            let context = Some(context.to_owned());
            refused(Refusal { code, message, context, ..Refusal::default() }).message().to_owned()
        };
        let raise = "PL/pgSQL function f() line 1 at RAISE";
        assert_eq!(refused("P0001", "no CANARY", raise), format!("raised by {raise}"));
        assert_eq!(refused("23514", "no CANARY", raise), format!("raised by {raise}"));
        let insert = "SQL statement \"INSERT INTO ...\"";
        let exclusion = "conflicting key value violates exclusion constraint \"apart\"";
        assert_eq!(refused("23P01", exclusion, insert), exclusion);
        let invalid = "invalid input syntax for type inet: \"CANARY\"";
        assert_eq!(refused("22P02", invalid, insert), "invalid input syntax for type inet");
    }

    #[test]
    fn a_value_in_quotes_or_behind_a_colon_is_cut_out() {
        for (message, safe) in [
            (
                "invalid input syntax for type integer: \"abc\"",
                "invalid input syntax for type integer",
            ),
            (
                "value \"99: \"9\" is out of range for type integer",
                "value \"...\" is out of range for type integer",
            ),
            (
                "invalid byte sequence for encoding \"UTF8\": 0xff",
                "invalid byte sequence for encoding \"...\"",
            ),
            (
                "value too long for type character varying(3)",
                "value too long for type character varying(3)",
            ),
            (
                "ung\u{fc}ltige Eingabesyntax f\u{fc}r Typ integer: \u{201e}abc\u{201c}",
                "ung\u{fc}ltige Eingabesyntax f\u{fc}r Typ integer",
            ),
            (
                "syntaxe en entr\u{e9}e invalide pour le type integer : \u{ab} abc \u{bb}",
                "syntaxe en entr\u{e9}e invalide pour le type integer",
            ),
            ("a lone quote \"abc", "a lone quote \"...\""),
        ] {
            assert_eq!(without_values(message), safe);
        }
    }
}
