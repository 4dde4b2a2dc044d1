//! COPY TO: the rows of a query, as the server packs them.
//!
//! The stream is handed out in the pieces that came over the wire; a row that lies in one of them is
//! not copied. The driver gives each piece to a channel and takes it out again, so that it is asked
//! only where the line is not free.

use super::results::Failure;
use crate::backend::postgres::commit;
use crate::backend::postgres::connection::{PostgresConnection, closed};
use crate::backend::postgres::errors;
use crate::backend::postgres::guard::guarded;
use crate::backend::postgres::session::traces::Traces;
use crate::backend::unloaded::Unloaded;
use crate::copy::decode::Decoder;
use crate::error::{Error, Result};
use crate::mapping::rows::Fields;
use postgres::CopyOutReader;
use std::error::Error as StdError;
use std::io::{self, BufRead};
use std::time::{Duration, Instant};

/// How long the rest of a stream that nobody wants is read before the connection is given up.
const DRAIN: Duration = Duration::from_secs(1);

type Each<'a> = &'a mut dyn FnMut(Unloaded<'_>) -> Result<()>;

/// Reads rows in bulk; see [`Connection::unload`](crate::backend::Connection::unload).
pub(crate) fn unload(
    connection: &mut PostgresConnection,
    select: &str,
    fields: u16,
    each: Each<'_>,
) -> Result<u64> {
    connection.check_usable()?;
    let sql = format!("COPY ({select}) TO STDOUT (FORMAT binary)");
    let traces = Traces::of(&sql);
    connection.note(&sql, traces);
    connection.begin_now()?;
    let timer = connection.start_timer();
    let outcome = if connection.is_free() {
        directly(connection, &sql, fields, each)
    } else {
        by_driver(connection, &sql, fields, each)
    };
    let outcome = match outcome {
        // What the reader of the rows says is no word on the statement.
        Err(Failure::ByCaller(error)) => connection.conclude(timer, Ok(())).and(Err(error)),
        Err(Failure::AtStart(error) | Failure::ByServer(error)) => {
            connection.conclude(timer, Err(error)).map_err(|error| connection.judge(error))
        }
        Ok(count) => connection.conclude(timer, Ok(count)),
    };
    commit::check(connection, traces, outcome)
}

fn directly(
    connection: &mut PostgresConnection,
    sql: &str,
    fields: u16,
    each: Each<'_>,
) -> Result<u64, Failure> {
    let Some(line) = &mut connection.line else { return Err(Failure::AtStart(closed())) };
    line.start_copy_out(sql).map_err(Failure::AtStart)?;
    // Until the stream is read to its end, also where `each` panics.
    (connection.broken, connection.running) = (true, true);
    let mut decoder = Decoder::new(fields);
    let mut hand = |fields: Fields<'_>| each(Unloaded { fields, fault: None });
    let read = line.copy_out(&mut |piece| decoder.push(piece, &mut hand));
    let outcome = read.and_then(|()| decoder.finish().map_err(Failure::ByServer));
    let finished = match &outcome {
        Err(Failure::ByCaller(_)) => line.drain(),
        _ => true,
    };
    (connection.broken, connection.running) = (!finished, !finished);
    outcome
}

fn by_driver(
    connection: &mut PostgresConnection,
    sql: &str,
    fields: u16,
    each: Each<'_>,
) -> Result<u64, Failure> {
    // What was to go ahead goes now: the driver sends this.
    connection.with_client(|_, _| Ok(())).map_err(Failure::AtStart)?;
    let Some(client) = &mut connection.client else { return Err(Failure::AtStart(closed())) };
    let started = guarded(|| client.copy_out(sql))
        .and_then(|started| started.map_err(errors::statement))
        .map_err(Failure::AtStart);
    let mut stream = started?;
    // Until the stream is read to its end, also where `each` panics.
    (connection.broken, connection.running) = (true, true);
    let outcome = hand_out(&mut stream, fields, each);
    let finished = match &outcome {
        Err(Failure::ByCaller(_)) => drain(&mut stream),
        _ => true,
    };
    (connection.broken, connection.running) = (!finished, !finished);
    outcome
}

fn hand_out(stream: &mut CopyOutReader<'_>, fields: u16, each: Each<'_>) -> Result<u64, Failure> {
    let mut decoder = Decoder::new(fields);
    loop {
        let piece = stream.fill_buf().map_err(|error| Failure::ByServer(of_server(error)))?;
        if piece.is_empty() {
            return decoder.finish().map_err(Failure::ByServer);
        }
        let size = piece.len();
        let mut hand = |fields: Fields<'_>| each(Unloaded { fields, fault: None });
        decoder.push(piece, &mut hand).map_err(Failure::ByCaller)?;
        stream.consume(size);
    }
}

/// Reads the rest of a stream; `false` if that takes too long.
fn drain(stream: &mut CopyOutReader<'_>) -> bool {
    let deadline = Instant::now() + DRAIN;
    while Instant::now() < deadline {
        match stream.fill_buf().map(<[u8]>::len) {
            Ok(0) => return true,
            Ok(size) => stream.consume(size),
            Err(error) => return server_error(error).is_some_and(|e| e.as_db_error().is_some()),
        }
    }
    false
}

fn of_server(error: io::Error) -> Error {
    match server_error(error) {
        Some(error) => errors::statement(error),
        None => errors::disconnect("the rows could not be read from the server"),
    }
}

fn server_error(error: io::Error) -> Option<postgres::Error> {
    let inner: Box<dyn StdError + Send + Sync> = error.into_inner()?;
    inner.downcast::<postgres::Error>().ok().map(|error| *error)
}
