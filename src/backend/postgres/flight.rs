//! Statements that are sent together: see [`Connection::fly`](crate::backend::Connection::fly).

use super::connection::{PostgresConnection, closed};
use super::direct::flight::Landed;
use super::direct::prepared::Prepared;
use super::session::traces::Traces;
use super::statement::results::check_count;
use super::statement::stale;
use super::wire::tags::Tags;
use crate::backend::Connection;
use crate::backend::flight::{MOST_TOGETHER, Outcome, Request};
use crate::error::{Error, ErrorKind, Result};
use std::sync::Arc;

/// Sends them and reads their answers.
pub(super) fn fly(connection: &mut PostgresConnection, requests: &mut [Request]) -> Result<()> {
    connection.check_usable()?;
    let holds = connection.in_transaction();
    // Through the driver, and behind a pooler, each goes by itself.
    let is_direct = connection.statements.keeps() && connection.is_free();
    let mut taken = Vec::with_capacity(requests.len());
    for (at, request) in requests.iter_mut().enumerate() {
        // In a transaction one does not go ahead of another that is before it.
        let has_room = is_direct && at < MOST_TOGETHER && (!holds || taken.len() == at);
        if is_taken(connection, request, has_room) {
            taken.push(at);
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    // The server keeps the limit of each; this is for one that is silent.
    let count = u32::try_from(taken.len()).unwrap_or(u32::MAX);
    let timer = connection.start_timer_for(count);
    let outcome = if holds {
        within(connection, requests, &taken)
    } else {
        send(connection, requests, &taken).and_then(|sent| receive(connection, requests, sent))
    };
    connection.conclude(timer, outcome).map_err(|error| connection.judge(error))
}

/// Whether a request can be sent with others; notes what it may leave.
fn is_taken(connection: &mut PostgresConnection, request: &mut Request, has_room: bool) -> bool {
    let (traces, _) = connection.statements.traces(request.sql());
    if has_room && leaves_nothing(traces) {
        connection.note(request.sql(), traces);
        return true;
    }
    request.outcome = Outcome::NotTaken;
    false
}

fn leaves_nothing(traces: Traces) -> bool {
    let quiet = Traces { explained: traces.explained, ..Traces::default() };
    traces == quiet && traces.explained == Tags::default()
}

/// A request that was sent, and what it was sent as.
struct Sent {
    at: usize,
    prepared: Arc<Prepared>,
}

/// Prepares what is not prepared and sends all in one write.
fn send(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    taken: &[usize],
) -> Result<Vec<Sent>> {
    let mut sent = Vec::with_capacity(taken.len());
    for &at in taken {
        let PostgresConnection { client, statements, line, .. } = &mut *connection;
        let (Some(client), Some(line)) = (client, line) else { return Err(closed()) };
        match statements.get_direct(line, client, requests[at].sql()) {
            Ok(prepared) => sent.push(Sent { at, prepared }),
            Err(error) => refuse(&mut requests[at], error)?,
        }
    }
    let Some(line) = &mut connection.line else { return Err(closed()) };
    line.board()?;
    sent.retain(|it| {
        let params = requests[it.at].params();
        let written = check_count(it.prepared.params().len(), &params)
            .and_then(|()| line.add_request(&it.prepared, &params));
        written.map_err(|error| requests[it.at].outcome = Outcome::Failed(error)).is_ok()
    });
    if !sent.is_empty() {
        // Until all is read, also where something panics.
        (connection.broken, connection.running) = (true, true);
        line.depart(sent.len())?;
    }
    Ok(sent)
}

fn receive(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    sent: Vec<Sent>,
) -> Result<()> {
    let mut stale = Vec::new();
    for Sent { at, prepared } in sent {
        let Some(line) = &mut connection.line else { return Err(closed()) };
        let landed = line.land(&prepared)?;
        let is_stale = matches!(&landed, Landed::AtStart(error)
            if stale.contains(&prepared.name().to_owned())
                || connection.forget_if_stale(requests[at].sql(), error));
        requests[at].outcome = if is_stale {
            // It did not run, and is prepared anew when it is run alone.
            stale.push(prepared.name().to_owned());
            Outcome::NotTaken
        } else {
            landed.into()
        };
    }
    (connection.broken, connection.running) = (false, false);
    Ok(())
}

/// Sends those of a transaction in front of one `Sync`: the server passes over what is behind one that
/// fails.
fn within(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    taken: &[usize],
) -> Result<()> {
    for &at in taken {
        requests[at].outcome = Outcome::NotTaken;
    }
    let prepared = prepare_all(connection, requests, taken)?;
    let Some(line) = &mut connection.line else { return Err(closed()) };
    line.board()?;
    let mut sent = Vec::with_capacity(prepared.len());
    for it in prepared {
        let params = requests[it.at].params();
        let written = check_count(it.prepared.params().len(), &params)
            .and_then(|()| line.add_statement(&it.prepared, &params));
        if let Err(error) = written {
            requests[it.at].outcome = Outcome::Failed(error);
            break;
        }
        requests[it.at].outcome = Outcome::Unknown;
        sent.push(it);
    }
    if !sent.is_empty() {
        // Until all is read, also where something panics.
        (connection.broken, connection.running) = (true, true);
        line.depart_together()?;
        land_together(connection, requests, &sent)?;
        (connection.broken, connection.running) = (false, false);
    }
    Ok(())
}

/// The statements as they are prepared, up to one that cannot be.
fn prepare_all(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    taken: &[usize],
) -> Result<Vec<Sent>> {
    let mut sent = Vec::with_capacity(taken.len());
    for &at in taken {
        let PostgresConnection { client, statements, line, .. } = &mut *connection;
        let (Some(client), Some(line)) = (client, line) else { return Err(closed()) };
        match statements.get_direct(line, client, requests[at].sql()) {
            Ok(prepared) => sent.push(Sent { at, prepared }),
            Err(error) => {
                refuse(&mut requests[at], error)?;
                // The transaction can only be rolled back, so that the others need not be tried.
                sent.clear();
                break;
            }
        }
    }
    Ok(sent)
}

/// Reads the answers up to the one `Sync`.
fn land_together(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    sent: &[Sent],
) -> Result<()> {
    let mut left = sent.iter();
    for Sent { at, prepared } in left.by_ref() {
        let Some(line) = &mut connection.line else { return Err(closed()) };
        let landed = line.land_one(prepared)?;
        let is_refused = landed.is_refused();
        let is_stale = matches!(&landed, Landed::AtStart(error)
            if connection.forget_if_stale(requests[*at].sql(), error));
        requests[*at].outcome = match landed.into() {
            Outcome::Failed(error) if is_stale => Outcome::Failed(stale::passing(error)),
            outcome => outcome,
        };
        if is_refused {
            // What is behind it was not run.
            left.for_each(|it| requests[it.at].outcome = Outcome::NotTaken);
            return Ok(());
        }
    }
    let Some(line) = &mut connection.line else { return Err(closed()) };
    if let (Some(error), Some(last)) = (line.end_together()?, sent.last()) {
        requests[last.at].outcome = Outcome::Failed(error);
    }
    Ok(())
}

/// What keeps one request from being sent; an error is that of the connection.
fn refuse(request: &mut Request, error: Error) -> Result<()> {
    if error.kind() == ErrorKind::Disconnect {
        return Err(error);
    }
    request.outcome = Outcome::Failed(error);
    Ok(())
}
