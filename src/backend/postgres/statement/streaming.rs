//! Running a statement and handing out its rows.

use super::results::{self, Failure};
use super::stale;
use crate::backend::postgres::commit;
use crate::backend::postgres::connection::{PostgresConnection, closed};
use crate::backend::postgres::direct::query;
use crate::backend::{Connection, RowRef};
use crate::error::Result;
use crate::mapping::param::Param;

/// Runs a statement and hands out its rows; prepares it again if the server forgot it, or the
/// table changed, and no transaction is lost by that. Returns how many rows it changed.
pub(crate) fn stream(
    connection: &mut PostgresConnection,
    sql: &str,
    params: &[Param<'_>],
    each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
) -> Result<u64> {
    connection.check_usable()?;
    let (traces, was_kept) = connection.statements.traces(sql);
    if traces.is_commit {
        return connection.commit().map(|()| 0);
    }
    connection.note(sql, traces);
    let mut outcome = in_time(connection, sql, params, each);
    if let Err(Failure::AtStart(error)) = &outcome
        && connection.forget_if_stale(sql, error)
    {
        if !connection.in_transaction() {
            outcome = in_time(connection, sql, params, each);
        } else if was_kept {
            outcome = outcome.map_err(|failure| match failure {
                Failure::AtStart(error) => Failure::AtStart(stale::passing(error)),
                failure => failure,
            });
        }
    }
    let outcome = outcome.map_err(|failure| match failure {
        Failure::AtStart(error) | Failure::ByServer(error) => connection.judge(error),
        Failure::ByCaller(error) => error,
    });
    commit::check(connection, traces, outcome)
}

/// With the limit of the connection.
fn in_time(
    connection: &mut PostgresConnection,
    sql: &str,
    params: &[Param<'_>],
    each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
) -> Result<u64, Failure> {
    let timer = connection.start_timer();
    match once(connection, sql, params, each) {
        Ok(count) => connection.conclude(timer, Ok(count)).map_err(Failure::ByServer),
        Err(Failure::AtStart(error)) => {
            connection.conclude(timer, Err(error)).map_err(Failure::AtStart)
        }
        Err(Failure::ByServer(error)) => {
            connection.conclude(timer, Err(error)).map_err(Failure::ByServer)
        }
        Err(Failure::ByCaller(error)) => connection
            .conclude(timer, Ok(()))
            .map_err(Failure::ByServer)
            .and(Err(Failure::ByCaller(error))),
    }
}

fn once(
    connection: &mut PostgresConnection,
    sql: &str,
    params: &[Param<'_>],
    each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
) -> Result<u64, Failure> {
    if connection.statements.keeps() && connection.is_free() {
        return query::run(connection, sql, params, each);
    }
    connection.with_client(|_, _| Ok(())).map_err(Failure::AtStart)?;
    let Some(client) = &mut connection.client else { return Err(Failure::AtStart(closed())) };
    let mut answer = results::start(client, &mut connection.statements, sql, params)
        .map_err(Failure::AtStart)?;
    // Until the result is read to its end, also where `each` panics.
    (connection.broken, connection.running) = (true, true);
    let outcome = results::hand_out(&mut answer, each);
    let finished = match &outcome {
        Err(Failure::ByCaller(_)) => results::drain(&mut answer.rows),
        _ => true,
    };
    (connection.broken, connection.running) = (!finished, !finished);
    outcome
}
