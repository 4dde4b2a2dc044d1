//! What is told of a statement.

use crate::error::Error;
use crate::mapping::param::Param;
use std::fmt;
use std::time::Duration;

/// A statement that was run, told after the fact.
///
/// `Display` is one line, made for a log:
/// `[2] 1.204ms, 3 rows: select id from runways where closed = $1 (1 parameter hidden)`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StatementEvent<'a> {
    /// What kind of call it was.
    pub kind: StatementKind,
    /// The statement as it was written, with `$1` where a parameter stood; for a call that has no
    /// SQL of its own, what it does, in capitals: `BEGIN`, `LOAD "runways" ("id", "surface")`.
    ///
    /// What the writer of a statement put into its text is part of the text: a value that must
    /// not be seen belongs into a parameter.
    pub sql: &'a str,
    /// How many parameters it had.
    pub parameter_count: usize,
    /// The parameters; `None` unless the engine was made with
    /// [`show_parameters_in_echo`](crate::engine::EngineBuilder::show_parameters_in_echo).
    pub parameters: Option<&'a [Param<'a>]>,
    /// How long it took; for a query with the time that its reader took for the rows.
    pub time: Duration,
    /// How many rows it changed, returned or loaded; `None` where nobody counts them, and where it
    /// failed.
    pub rows: Option<u64>,
    /// Why it failed.
    pub error: Option<&'a Error>,
    /// Which connection of the engine it ran on, from 1 in the order in which they were opened.
    pub connection: u64,
}

/// What kind of call a statement was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementKind {
    /// Statements without parameters, whose results are forgotten.
    Run,
    /// One statement; its rows are those it changed.
    Execute,
    /// One query; its rows are those that were read.
    Query,
    /// Rows that were loaded in bulk.
    Load,
    /// The start of a transaction.
    Begin,
    /// Its end.
    Commit,
    /// Its end, undone.
    Rollback,
    /// A look at the catalog.
    Describe,
    /// What a borrower left behind was taken away when the connection came back.
    Reset,
}

impl StatementKind {
    /// Its name, in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Execute => "execute",
            Self::Query => "query",
            Self::Load => "load",
            Self::Begin => "begin",
            Self::Commit => "commit",
            Self::Rollback => "rollback",
            Self::Describe => "describe",
            Self::Reset => "reset",
        }
    }
}

impl fmt::Display for StatementEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {:.3?}", self.connection, self.time)?;
        match self.rows {
            Some(1) => f.write_str(", 1 row")?,
            Some(rows) => write!(f, ", {rows} rows")?,
            None => {}
        }
        f.write_str(": ")?;
        one_line(f, self.sql)?;
        self.write_parameters(f)?;
        self.error.map_or(Ok(()), |error| write!(f, ": failed: {error}"))
    }
}

impl StatementEvent<'_> {
    fn write_parameters(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parameters) = self.parameters else {
            return match self.parameter_count {
                0 => Ok(()),
                1 => f.write_str(" (1 parameter hidden)"),
                count => write!(f, " ({count} parameters hidden)"),
            };
        };
        for (index, parameter) in parameters.iter().enumerate() {
            write!(f, "{}${} = ", if index == 0 { " (" } else { ", " }, index + 1)?;
            write_value(f, parameter)?;
        }
        if parameters.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

/// A longer value is cut: an echo is read by people.
const MOST_CHARACTERS: usize = 200;

fn write_value(f: &mut fmt::Formatter<'_>, parameter: &Param<'_>) -> fmt::Result {
    match parameter {
        Param::Null => f.write_str("NULL"),
        Param::Bool(value) => write!(f, "{value}"),
        Param::Int(value) => write!(f, "{value}"),
        Param::Float(value) => write!(f, "{value}"),
        Param::Text(text) => match text.char_indices().nth(MOST_CHARACTERS) {
            Some((end, _)) => write!(f, "{:?}...", &text[..end]),
            None => write!(f, "{text:?}"),
        },
        Param::Bytes(bytes) => write_bytes(f, bytes),
        Param::Packed(column_type, bytes) => {
            write!(f, "{column_type} ")?;
            write_bytes(f, bytes)
        }
    }
}

fn write_bytes(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("\\x")?;
    let shown = &bytes[..bytes.len().min(MOST_CHARACTERS / 2)];
    shown.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
    f.write_str(if shown.len() < bytes.len() { "..." } else { "" })
}

/// The text with each line end, and the indentation behind it, as one blank.
fn one_line(f: &mut fmt::Formatter<'_>, sql: &str) -> fmt::Result {
    for (index, line) in sql.trim().lines().enumerate() {
        if index > 0 {
            f.write_str(" ")?;
        }
        f.write_str(line.trim())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn event<'a>(sql: &'a str, parameters: &'a [Param<'a>]) -> StatementEvent<'a> {
        StatementEvent {
            kind: StatementKind::Execute,
            sql,
            parameter_count: parameters.len(),
            parameters: None,
            time: Duration::from_micros(1_204),
            rows: None,
            error: None,
            connection: 2,
        }
    }

    #[test]
    fn the_line_says_where_how_long_how_many_and_what() {
        let shown = StatementEvent { rows: Some(1), ..event("select 1\n    + 1\n", &[]) };
        assert_eq!(shown.to_string(), "[2] 1.204ms, 1 row: select 1 + 1");
        let error = Error::new(ErrorKind::Database, "no such table");
        let failed = StatementEvent { error: Some(&error), ..event("select", &[]) };
        assert_eq!(failed.to_string(), "[2] 1.204ms: select: failed: no such table");
    }

    #[test]
    fn parameters_are_counted_and_shown_only_where_they_are_given() {
        let parameters = [Param::Int(7), "o'hare".into(), Param::Null, vec![1_u8, 255].into()];
        let hidden = event("insert", &parameters);
        assert_eq!(hidden.to_string(), "[2] 1.204ms: insert (4 parameters hidden)");
        let shown = StatementEvent { parameters: Some(&parameters), ..hidden };
        let expected = r#"[2] 1.204ms: insert ($1 = 7, $2 = "o'hare", $3 = NULL, $4 = \x01ff)"#;
        assert_eq!(shown.to_string(), expected);
        assert!(!format!("{shown:?}").contains("hare"));
    }

    #[test]
    fn a_long_value_is_cut() {
        let parameters = ["\u{e9}".repeat(500).into(), vec![0_u8; 500].into()];
        let shown =
            StatementEvent { parameters: Some(&parameters), ..event("insert", &parameters) };
        assert!(shown.to_string().len() < 1_000, "{shown}");
    }
}
