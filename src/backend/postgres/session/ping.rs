//! A sign of life, from a server that is still what it was.

use crate::backend::postgres::connection::{PostgresConnection, closed};
use crate::backend::postgres::deadline::watchdog;
use crate::backend::postgres::errors;
use crate::error::{ErrorKind, Result};
use crate::url::TargetSessionAttrs;
use std::time::Instant;

/// Pings; see [`Connection::ping`](crate::backend::Connection::ping).
pub(crate) fn ping(connection: &mut PostgresConnection, deadline: Instant) -> Result<()> {
    // The deadline of a ping is not that of a statement.
    let limit = connection.limit.take();
    let pinged = answers(connection, deadline).and_then(|()| is_what_it_was(connection));
    connection.limit = limit;
    match pinged {
        Err(error) if error.kind() == ErrorKind::Unsupported => Err(error),
        // The next statement would have to wait for the answer that is still owed.
        Err(error) => {
            connection.broken = true;
            Err(match error.kind() {
                ErrorKind::Disconnect => error,
                ErrorKind::Connect => errors::disconnect(error.message()),
                _ => errors::disconnect("the server gave no sign of life in time"),
            })
        }
        Ok(()) => Ok(()),
    }
}

/// One round trip, with the question for the role where one was asked for. Without a tap nothing
/// can end that question but its answer, so a sign of life goes ahead of it.
fn answers(connection: &mut PostgresConnection, deadline: Instant) -> Result<()> {
    let role = connection.setup.role;
    let is_plain = role == TargetSessionAttrs::Any;
    if is_plain && connection.is_free() {
        return direct(connection, deadline);
    }
    if is_plain || !connection.wire.is_tapped() {
        let patience = deadline.saturating_duration_since(Instant::now());
        connection.with_client(|client, _| client.is_valid(patience))?;
    }
    if is_plain {
        return Ok(());
    }
    let _alarm = watchdog::sever_at(deadline, &connection.wire);
    connection.check_role(role)
}

fn direct(connection: &mut PostgresConnection, deadline: Instant) -> Result<()> {
    connection.check_usable()?;
    let Some(line) = &mut connection.line else { return Err(closed()) };
    let pinged = line.ping(deadline);
    connection.conclude(None, pinged).map_err(|error| connection.judge(error))
}

/// The server says it by itself when it becomes a standby, or stops being one.
fn is_what_it_was(connection: &PostgresConnection) -> Result<()> {
    let was_primary = connection.setup.standby == Some(false);
    if was_primary && connection.wire.is_standby() == Some(true) {
        return Err(errors::disconnect("the server has become a standby"));
    }
    Ok(())
}
