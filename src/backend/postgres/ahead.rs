//! The start of transactions, and other statements that are sent with the next request, ahead of it.
//!
//! They are kept by the one who speaks without the driver (`direct/line.rs`), which writes them before
//! the request and passes over their answers. Where the driver speaks, or a pooler stands in between,
//! they run at once.

use super::connection::{PostgresConnection, closed};
use super::direct::line::Line;
use super::statement::results::check_count;
use super::wire::state::Status;
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::param::Param;

/// Whether statements are kept that were not sent yet.
pub(super) fn is_kept(connection: &PostgresConnection) -> bool {
    connection.line.as_ref().is_some_and(Line::has_ahead)
}

/// See [`Connection::ahead`].
pub(super) fn ahead(connection: &mut PostgresConnection, sql: &str) -> Result<()> {
    let (traces, _) = connection.statements.traces(sql);
    let ends = traces.commits || traces.rolls_back;
    if ends || connection.setup.pooled || !connection.is_free() {
        return connection.run(sql);
    }
    connection.check_usable()?;
    connection.note(sql, traces);
    if let Some(line) = &mut connection.line {
        line.put_ahead(sql);
    }
    Ok(())
}

/// See [`Connection::execute_ahead`].
pub(super) fn execute(
    connection: &mut PostgresConnection,
    sql: &str,
    params: &[Param<'_>],
) -> Result<()> {
    let (traces, _) = connection.statements.traces(sql);
    let ends = traces.commits || traces.rolls_back;
    let keeps = connection.statements.keeps() && !connection.setup.pooled;
    if ends || !keeps || !connection.is_free() {
        return connection.execute(sql, params).map(drop);
    }
    connection.check_usable()?;
    connection.note(sql, traces);
    let timer = connection.start_timer();
    let PostgresConnection { client, statements, line, .. } = connection;
    let (Some(client), Some(line)) = (client, line) else { return Err(closed()) };
    let put = statements.get_direct(line, client, sql).and_then(|prepared| {
        check_count(prepared.params().len(), params)?;
        line.put_statement_ahead(sql, &prepared, params)
    });
    connection.conclude(timer, put).map_err(|error| connection.judge(error))
}

/// See [`Connection::begin_with`].
pub(super) fn begin(connection: &mut PostgresConnection, settings: &str) -> Result<()> {
    if connection.setup.pooled || !connection.is_free() || connection.in_transaction() {
        connection.begin()?;
        return connection.run(settings);
    }
    connection.notices.clear();
    ahead(connection, &format!("BEGIN; {settings}"))
}

/// Sends what is kept by itself: the driver has nothing that it could go with.
pub(super) fn send(connection: &mut PostgresConnection) -> Result<()> {
    let Some(line) = connection.line.as_mut().filter(|line| line.has_ahead()) else {
        return Ok(());
    };
    let outcome = line.batch("");
    connection.conclude(None, outcome).map_err(|error| connection.judge(error))
}

/// Takes back what is kept.
pub(super) fn forget(connection: &mut PostgresConnection) {
    let Some(line) = connection.line.as_mut().filter(|line| line.has_ahead()) else { return };
    line.forget_ahead();
    let status = connection.wire.status();
    connection.in_transaction = status.is_some_and(|status| status != Status::Idle);
}
