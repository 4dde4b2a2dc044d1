//! SQLite's codes as SQLSTATEs.

use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// What SQLite reported. The text of the statement does not get into the message nor into the
/// source: it may carry values.
pub(super) fn of(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            let text = message.unwrap_or_else(|| code.to_string());
            of_code(code, &text).with_source(code)
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            of_code(error, &msg).with_source(error)
        }
        rusqlite::Error::MultipleStatement => database("one statement was expected, not several")
            .with_sqlstate(state("42601"))
            .with_hint("give them to the backend one by one, or without parameters"),
        other => Error::new(ErrorKind::Internal, format!("SQLite was used wrongly: {other}")),
    }
}

/// An error of kind `Database`.
pub(super) fn database(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Database, message)
}

/// The SQLSTATE of five characters that are written in this source.
pub(super) fn state(code: &str) -> SqlState {
    SqlState::parse(code).unwrap_or(SqlState::INTERNAL_ERROR)
}

/// Whether the database was locked by another, so that the same statement may succeed later.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed)
    )
}

fn of_code(code: ffi::Error, text: &str) -> Error {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let error = database(line.as_str()).with_sqlstate(sqlstate(code, text));
    let error = match code.code {
        ErrorCode::ConstraintViolation => name_constraint(error, &line),
        _ => error,
    };
    match hint(code.code) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn sqlstate(code: ffi::Error, text: &str) -> SqlState {
    match code.code {
        ErrorCode::ConstraintViolation => of_constraint(code.extended_code),
        ErrorCode::DatabaseBusy if code.extended_code == ffi::SQLITE_BUSY_SNAPSHOT => {
            state("40001")
        }
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => SqlState::LOCK_NOT_AVAILABLE,
        ErrorCode::SchemaChanged => state("40001"),
        ErrorCode::OperationInterrupted => state("57014"),
        ErrorCode::OperationAborted => SqlState::IN_FAILED_TRANSACTION,
        ErrorCode::DiskFull => SqlState::DISK_FULL,
        ErrorCode::SystemIoFailure => SqlState::IO_ERROR,
        ErrorCode::OutOfMemory => SqlState::OUT_OF_MEMORY,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => SqlState::DATA_CORRUPTED,
        ErrorCode::CannotOpen => state("08001"),
        // Not 25006, which on a server means "connect to another node": here nothing but a change
        // of permissions helps.
        ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied => state("42501"),
        ErrorCode::TypeMismatch => SqlState::INVALID_TEXT,
        ErrorCode::TooBig => state("54000"),
        ErrorCode::Unknown => of_text(text),
        _ => SqlState::INTERNAL_ERROR,
    }
}

fn of_constraint(extended_code: i32) -> SqlState {
    match extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => SqlState::UNIQUE_VIOLATION,
        ffi::SQLITE_CONSTRAINT_NOTNULL => SqlState::NOT_NULL_VIOLATION,
        ffi::SQLITE_CONSTRAINT_CHECK => SqlState::CHECK_VIOLATION,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => SqlState::FOREIGN_KEY_VIOLATION,
        ffi::SQLITE_CONSTRAINT_TRIGGER => state("P0001"),
        ffi::SQLITE_CONSTRAINT_DATATYPE => SqlState::INVALID_TEXT,
        _ => state("23000"),
    }
}

/// `SQLITE_ERROR` is one code for everything that a statement can do wrong; only its text tells.
fn of_text(text: &str) -> SqlState {
    const SIGNS: [(&str, &str); 18] = [
        ("no such table", "42P01"),
        ("no such view", "42P01"),
        ("no such column", "42703"),
        ("has no column named", "42703"),
        ("ambiguous column name", "42702"),
        ("no such function", "42883"),
        ("no such savepoint", "3B001"),
        ("already exists", "42P07"),
        ("duplicate column name", "42701"),
        ("generated column", "428C9"),
        ("cannot start a transaction within", "25001"),
        ("no transaction is active", "25P01"),
        ("integer overflow", "22003"),
        ("malformed JSON", "22P02"),
        ("unrecognized token", "42601"),
        ("syntax error", "42601"),
        ("incomplete input", "42601"),
        ("ON CONFLICT clause does not match", "42P10"),
    ];
    SIGNS
        .iter()
        .find(|(sign, _)| text.contains(sign))
        .map_or_else(|| state("42000"), |(_, code)| state(code))
}

/// `UNIQUE constraint failed: orders.id, orders.line` names the columns; `CHECK constraint failed:
/// positive` and `UNIQUE constraint failed: index 'lower_name'` name the constraint.
fn name_constraint(error: Error, text: &str) -> Error {
    let Some((_, named)) = text.split_once(" constraint failed: ") else {
        return error;
    };
    if text.starts_with("CHECK") {
        return error.with_constraint(named);
    }
    if let Some(index) = named.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        return error.with_constraint(index);
    }
    let columns = named.split(", ").map(|part| part.rsplit_once('.'));
    let Some(columns) = columns.collect::<Option<Vec<_>>>() else {
        return error.with_constraint(named);
    };
    // What must not be NULL is a property of the column and has no name of its own.
    let error = if text.starts_with("NOT NULL") { error } else { error.with_constraint(named) };
    error.locate(|place| {
        place.table = columns.first().map(|(table, _)| (*table).to_owned());
        if let [(_, column)] = columns[..] {
            place.column = Some(column.to_owned());
        }
    })
}

fn hint(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another process writes to the database: run again, or raise busy_timeout"
        }
        ErrorCode::DiskFull => "free some space and run again",
        ErrorCode::SystemIoFailure => "look at the disk and the permissions of its files",
        ErrorCode::DatabaseCorrupt => {
            "restore the file from a backup, or try the sqlite3 tool's .recover"
        }
        ErrorCode::NotADatabase => "name an SQLite database, or a file that does not exist yet",
        ErrorCode::ReadOnly => "grant the permission to write to the file and to its directory",
        ErrorCode::CannotOpen => "look at the path and at the permissions of its directory",
        _ => return None,
    })
}

/// Whether a new connection may fare better than this one.
pub(super) fn breaks(error: &Error) -> bool {
    error.kind() == ErrorKind::Disconnect
        || error.sqlstate().is_some_and(|found| {
            found == SqlState::DATA_CORRUPTED
                || found == SqlState::IO_ERROR
                || found == state("08001")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlstate::Class;

    fn failure(code: i32, text: &str) -> Error {
        of(rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text.to_owned())))
    }

    fn code(error: &Error) -> String {
        error.sqlstate().map(|state| state.to_string()).unwrap_or_default()
    }

    #[test]
    fn every_code_has_its_sqlstate_and_its_class() {
        for (number, sqlstate, class) in [
            (ffi::SQLITE_BUSY, "55P03", Class::Transient),
            (ffi::SQLITE_BUSY_SNAPSHOT, "40001", Class::Transient),
            (ffi::SQLITE_LOCKED, "55P03", Class::Transient),
            (ffi::SQLITE_FULL, "53100", Class::Resource),
            (ffi::SQLITE_IOERR_FSYNC, "58030", Class::Resource),
            (ffi::SQLITE_NOMEM, "53200", Class::Resource),
            (ffi::SQLITE_CORRUPT, "XX001", Class::Permanent),
            (ffi::SQLITE_NOTADB, "XX001", Class::Permanent),
            (ffi::SQLITE_READONLY, "42501", Class::Permanent),
            (ffi::SQLITE_CANTOPEN, "08001", Class::Disconnect),
            (ffi::SQLITE_CONSTRAINT_TRIGGER, "P0001", Class::Data),
            (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, "23503", Class::Data),
            (ffi::SQLITE_TOOBIG, "54000", Class::Data),
            (ffi::SQLITE_MISMATCH, "22P02", Class::Data),
        ] {
            let error = failure(number, "text");
            assert_eq!((code(&error).as_str(), error.class()), (sqlstate, class), "{number}");
        }
    }

    #[test]
    fn the_columns_of_a_constraint_become_its_name_and_its_place() {
        let error = failure(
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            "UNIQUE constraint failed: orders.id, orders.line",
        );
        assert_eq!(error.constraint(), Some("orders.id, orders.line"));
        assert_eq!(error.place().table.as_deref(), Some("orders"));
        assert_eq!(error.place().column, None);

        let error =
            failure(ffi::SQLITE_CONSTRAINT_NOTNULL, "NOT NULL constraint failed: orders.id");
        assert_eq!((error.constraint(), error.place().column.as_deref()), (None, Some("id")));

        let error = failure(ffi::SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: index 'low'");
        assert_eq!(error.constraint(), Some("low"));
    }

    #[test]
    fn a_check_over_several_lines_is_reported_in_one() {
        let error = failure(ffi::SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed: a\n > 1");
        assert!(!error.to_string().contains('\n'));
    }

    #[test]
    fn the_text_of_a_statement_stays_out_of_the_error() {
        let error = of(rusqlite::Error::SqlInputError {
            error: ffi::Error::new(ffi::SQLITE_ERROR),
            msg: "near \"x\": syntax error".to_owned(),
            sql: "select 'secret' x x".to_owned(),
            offset: 3,
        });
        let source = std::error::Error::source(&error).map(|source| format!("{source} {source:?}"));
        assert!(!format!("{error} {source:?}").contains("secret"));
        assert_eq!(code(&error), "42601");
    }
}
