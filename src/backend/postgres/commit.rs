//! Commits: held, not held, or unknown.
//!
//! The server answers COMMIT with the tag `ROLLBACK` when the transaction was aborted before, and
//! the driver takes that for success. The tap sees the tag. It also sees one whose connection broke
//! right behind it, which the driver reports as lost. Where there is no tap, a statement goes ahead
//! that an aborted transaction refuses, in the same message.

use super::connection::PostgresConnection;
use super::errors::{self, code};
use crate::backend::Connection;
use crate::backend::postgres::session::traces::Traces;
use crate::backend::postgres::wire::tags::Tags;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::SqlState;

const ENDS: Tags = Tags::COMMIT.with(Tags::ROLLBACK);

/// Commits; see [`Connection::commit`].
pub(super) fn commit(connection: &mut PostgresConnection) -> Result<()> {
    if connection.is_broken() {
        return Err(errors::disconnect("the connection was lost before COMMIT was sent"));
    }
    if connection.forget_begin() {
        return Ok(());
    }
    let is_tapped = connection.wire.is_tapped();
    connection.notices.clear();
    connection.wire.forget(ENDS);
    let outcome = connection.batch(if is_tapped { "COMMIT" } else { "SELECT 1; COMMIT" });
    let tags = connection.wire.tags();
    if connection.left.creates {
        // What was read before this moment did not see it.
        connection.setup.knowledge.forget();
    }
    match outcome {
        Ok(()) => {
            connection.in_transaction = false;
            if connection.notices.no_transaction() {
                return Err(Error::new(ErrorKind::Database, "there was no transaction to commit")
                    .with_sqlstate(code("25P01")));
            }
            if tags.has(Tags::ROLLBACK) {
                Err(aborted())
            } else if is_tapped && !tags.has(Tags::COMMIT) {
                connection.broken = true;
                Err(unknown(&errors::disconnect("the answer was that to another request")))
            } else {
                Ok(())
            }
        }
        Err(error) if error.kind() == ErrorKind::Database => {
            // What went ahead of it may have been stale.
            connection.forget_if_stale("", &error);
            // The transaction is over, or aborted and still open.
            // That it was not committed is certain, whatever becomes of the rollback.
            let _ = connection.rollback();
            Err(error)
        }
        // Nothing was sent.
        Err(error) if error.kind() == ErrorKind::Unsupported => Err(error),
        // The answer came before the connection broke.
        Err(_) if tags.has(Tags::COMMIT) => {
            connection.in_transaction = false;
            Ok(())
        }
        Err(error) => Err(unknown(&error)),
    }
}

/// Gets ready for a text that may commit.
pub(super) fn expect(connection: &PostgresConnection, traces: Traces) {
    if traces.commits {
        connection.wire.forget(ENDS);
    }
}

/// Looks at the outcome of a text that may commit, among other things.
pub(super) fn check<T>(
    connection: &PostgresConnection,
    traces: Traces,
    outcome: Result<T>,
) -> Result<T> {
    if !traces.commits {
        return outcome;
    }
    match outcome {
        Ok(_) if !traces.rolls_back && connection.wire.tags().has(Tags::ROLLBACK) => Err(aborted()),
        Err(error) if error.kind() == ErrorKind::Disconnect => Err(unknown(&error)),
        outcome => outcome,
    }
}

fn aborted() -> Error {
    Error::new(ErrorKind::Database, "the transaction was aborted before: COMMIT rolled it back")
        .with_sqlstate(SqlState::IN_FAILED_TRANSACTION)
}

fn unknown(error: &Error) -> Error {
    let message = format!("the answer to COMMIT was lost: {}", error.message());
    Error::new(ErrorKind::CommitUnknown, message)
        .with_sqlstate(code("08007"))
        .with_hint("it may have held: ask the database before doing it again")
}
