//! Statements that are sent together: see [`Connection::fly`](crate::backend::Connection::fly).

use super::connection::{PostgresConnection, closed};
use super::direct::flight::Landed;
use super::direct::line::Line;
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
        let only_reads = take(connection, request, has_room);
        taken.extend(only_reads.map(|only_reads| Taken { at, only_reads }));
    }
    if holds {
        return timed(connection, &taken, |connection| within(connection, requests, &taken));
    }
    let again = apart(connection, requests, &taken)?;
    if connection.check_usable().is_err() {
        for it in &again {
            requests[it.at].outcome = Outcome::NotTaken;
        }
        return Ok(());
    }
    // None of them shares anything any more, so that none of these is sent once more.
    apart(connection, requests, &again).map(drop)
}

/// A request that can be sent with others.
struct Taken {
    at: usize,
    /// Whether it may share a transaction.
    only_reads: bool,
}

/// Does `work`, which sends what was taken, and judges its error.
fn timed<T: Default>(
    connection: &mut PostgresConnection,
    taken: &[Taken],
    work: impl FnOnce(&mut PostgresConnection) -> Result<T>,
) -> Result<T> {
    if taken.is_empty() {
        return Ok(T::default());
    }
    // The server keeps the limit of each; this is for one that is silent.
    let timer = connection.start_timer_for(u32::try_from(taken.len()).unwrap_or(u32::MAX));
    let outcome = work(connection);
    connection.conclude(timer, outcome).map_err(|error| connection.judge(error))
}

/// Whether a request can be sent with others, and then whether it only reads; notes what it may leave.
fn take(
    connection: &mut PostgresConnection,
    request: &mut Request,
    has_room: bool,
) -> Option<bool> {
    let (traces, _) = connection.statements.traces(request.sql());
    if has_room && leaves_nothing(traces) {
        connection.note(request.sql(), traces);
        return Some(traces.only_reads);
    }
    request.outcome = Outcome::NotTaken;
    None
}

fn leaves_nothing(traces: Traces) -> bool {
    let Traces { explained, only_reads, .. } = traces;
    let quiet = Traces { explained, only_reads, ..Traces::default() };
    traces == quiet && explained == Tags::default()
}

/// A request that was sent, and what it was sent as.
struct Sent {
    at: usize,
    prepared: Arc<Prepared>,
    only_reads: bool,
    /// Whether its transaction ends with it.
    is_last: bool,
}

impl Sent {
    /// Whether one that follows has the same transaction.
    fn shares_with(&self, next: &Self) -> bool {
        self.only_reads && next.only_reads && Arc::ptr_eq(&self.prepared, &next.prepared)
    }
}

/// Sends them outside of a transaction. Reads of one text that follow each other share one: the server
/// answers them in one go then, where the end of each would cost it a call of the system; and with one
/// text they take the same locks in the same order. Returns those of a shared one that failed: what they
/// did was rolled back, so that they can be sent again, each by itself.
fn apart(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    taken: &[Taken],
) -> Result<Vec<Taken>> {
    timed(connection, taken, |connection| {
        let sent = send(connection, requests, taken)?;
        receive(connection, requests, &sent)
    })
}

/// Prepares what is not prepared and sends all in one write.
fn send(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    taken: &[Taken],
) -> Result<Vec<Sent>> {
    let mut prepared = Vec::with_capacity(taken.len());
    for &Taken { at, only_reads } in taken {
        let PostgresConnection { client, statements, line, .. } = &mut *connection;
        let (Some(client), Some(line)) = (client, line) else { return Err(closed()) };
        match statements.get_direct(line, client, requests[at].sql()) {
            Ok(found) => prepared.push(Sent { at, prepared: found, only_reads, is_last: false }),
            Err(error) => refuse(&mut requests[at], error)?,
        }
    }
    let Some(line) = &mut connection.line else { return Err(closed()) };
    line.board()?;
    let mut sent: Vec<Sent> = Vec::with_capacity(prepared.len());
    for it in prepared {
        end_before(line, &mut sent, |before| !before.shares_with(&it));
        match add(line, &it.prepared, &requests[it.at]) {
            Ok(()) => sent.push(it),
            Err(error) => requests[it.at].outcome = Outcome::Failed(error),
        }
    }
    end_before(line, &mut sent, |_| true);
    if !sent.is_empty() {
        // Until all is read, also where something panics.
        (connection.broken, connection.running) = (true, true);
        line.depart(sent.iter().filter(|it| it.is_last).count())?;
    }
    Ok(sent)
}

/// Ends the transaction of what was added last, if that is to be and was not done yet.
fn end_before(line: &mut Line, sent: &mut [Sent], is_due: impl FnOnce(&Sent) -> bool) {
    if let Some(before) = sent.last_mut().filter(|before| !before.is_last && is_due(before)) {
        before.is_last = true;
        line.end_transaction();
    }
}

fn add(line: &mut Line, prepared: &Prepared, request: &Request) -> Result<()> {
    let params = request.params();
    check_count(prepared.params().len(), &params)?;
    line.add_statement(prepared, &params)
}

/// Reads the answers; returns what is to be sent again.
fn receive(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    sent: &[Sent],
) -> Result<Vec<Taken>> {
    let (mut stale, mut again) = (Vec::new(), Vec::new());
    for shared in sent.chunk_by(|one, _| !one.is_last) {
        match land_shared(connection, shared)? {
            Shared::Landed(landed) => {
                for (it, landed) in shared.iter().zip(landed) {
                    requests[it.at].outcome = landed.into();
                }
            }
            Shared::Refused(it, landed) => {
                requests[it.at].outcome =
                    refused(connection, requests[it.at].sql(), it, landed, &mut stale);
            }
            Shared::Undone => {
                again.extend(shared.iter().map(|it| Taken { at: it.at, only_reads: false }));
            }
        }
    }
    (connection.broken, connection.running) = (false, false);
    Ok(again)
}

/// What came of those that share a transaction.
enum Shared<'a> {
    Landed(Vec<Landed>),
    /// The only one was refused.
    Refused(&'a Sent, Landed),
    /// One was refused, perhaps for what another did, and all were undone.
    Undone,
}

fn land_shared<'a>(connection: &mut PostgresConnection, shared: &'a [Sent]) -> Result<Shared<'a>> {
    let Some(line) = &mut connection.line else { return Err(closed()) };
    let refused = |landed| match shared {
        [only] => Shared::Refused(only, landed),
        _ => Shared::Undone,
    };
    let mut landed = Vec::with_capacity(shared.len());
    for it in shared {
        let one = line.land_one(&it.prepared)?;
        if one.is_refused() {
            return Ok(refused(one));
        }
        landed.push(one);
    }
    let refusal = line.end_together()?.map(Landed::Refused);
    Ok(refusal.map_or_else(|| Shared::Landed(landed), refused))
}

/// The outcome of one that was refused. A statement that is not what it was is prepared anew when it is
/// run alone; it did not run, and nor did what was sent as the same.
fn refused(
    connection: &mut PostgresConnection,
    sql: &str,
    it: &Sent,
    landed: Landed,
    stale: &mut Vec<String>,
) -> Outcome {
    let name = it.prepared.name();
    match &landed {
        Landed::AtStart(error)
            if stale.iter().any(|known| known == name)
                || connection.forget_if_stale(sql, error) =>
        {
            stale.push(name.to_owned());
            Outcome::NotTaken
        }
        _ => landed.into(),
    }
}

/// Sends those of a transaction in front of one `Sync`: the server passes over what is behind one that
/// fails.
fn within(
    connection: &mut PostgresConnection,
    requests: &mut [Request],
    taken: &[Taken],
) -> Result<()> {
    for &Taken { at, .. } in taken {
        requests[at].outcome = Outcome::NotTaken;
    }
    let prepared = prepare_all(connection, requests, taken)?;
    let Some(line) = &mut connection.line else { return Err(closed()) };
    line.board()?;
    let mut sent = Vec::with_capacity(prepared.len());
    for it in prepared {
        if let Err(error) = add(line, &it.prepared, &requests[it.at]) {
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
    taken: &[Taken],
) -> Result<Vec<Sent>> {
    let mut sent = Vec::with_capacity(taken.len());
    for &Taken { at, only_reads } in taken {
        let PostgresConnection { client, statements, line, .. } = &mut *connection;
        let (Some(client), Some(line)) = (client, line) else { return Err(closed()) };
        match statements.get_direct(line, client, requests[at].sql()) {
            Ok(prepared) => sent.push(Sent { at, prepared, only_reads, is_last: false }),
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
    for Sent { at, prepared, .. } in left.by_ref() {
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
