//! A statement and its rows.

use super::line::Line;
use super::prepared::{Prepared, no_text, unexpected};
use super::row::DirectRow;
use crate::backend::RowRef;
use crate::backend::postgres::connection::{PostgresConnection, closed};
use crate::backend::postgres::statement::params::Sent;
use crate::backend::postgres::statement::results::{DRAIN, Failure, check_count};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::param::Param;
use postgres::types::ToSql;
use postgres_protocol::message::frontend::{self, BindError};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

/// Runs a statement and hands out its rows; returns how many rows it changed.
pub(crate) fn run(
    connection: &mut PostgresConnection,
    sql: &str,
    params: &[Param<'_>],
    each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
) -> Result<u64, Failure> {
    let prepared = start(connection, sql, params).map_err(Failure::AtStart)?;
    let Some(line) = &mut connection.line else { return Err(Failure::AtStart(closed())) };
    line.begin().map_err(Failure::AtStart)?;
    // Until the result is read to its end, also where `each` panics.
    (connection.broken, connection.running) = (true, true);
    let outcome = line.hand_out(&prepared, each);
    let finished = match &outcome {
        Err(Failure::ByCaller(_)) => line.drain(),
        _ => true,
    };
    (connection.broken, connection.running) = (!finished, !finished);
    outcome
}

/// Sends a statement and its parameters, in one write; another goes ahead if it is not prepared.
fn start(
    connection: &mut PostgresConnection,
    sql: &str,
    params: &[Param<'_>],
) -> Result<Arc<Prepared>> {
    let PostgresConnection { client, statements, line, .. } = connection;
    let (Some(client), Some(line)) = (client, line) else { return Err(closed()) };
    let prepared = statements.get_direct(line, client, sql)?;
    check_count(prepared.params.len(), params)?;
    line.bind(&prepared, params)?;
    Ok(prepared)
}

impl Line {
    fn bind(&mut self, prepared: &Prepared, params: &[Param<'_>]) -> Result<()> {
        self.clear()?;
        self.write_statement(prepared, params)?;
        frontend::sync(&mut self.outbox);
        self.send()
    }

    /// Writes what runs a statement behind what is to be sent, up to where a `Sync` is due; after an error
    /// some of it may be there.
    pub(super) fn write_statement(
        &mut self,
        prepared: &Prepared,
        params: &[Param<'_>],
    ) -> Result<()> {
        let sent = || params.iter().zip(&prepared.params);
        let formats =
            sent().map(|(param, server)| Sent::to(server, param).encode_format(server) as i16);
        let bound = frontend::bind(
            "",
            &prepared.name,
            formats,
            sent(),
            |(param, server), out| {
                let written = Sent::to(server, param).to_sql(server, out)?;
                Ok(match written {
                    postgres::types::IsNull::Yes => postgres_protocol::IsNull::Yes,
                    postgres::types::IsNull::No => postgres_protocol::IsNull::No,
                })
            },
            [1],
            &mut self.outbox,
        );
        bound.map_err(unsendable)?;
        frontend::execute("", 0, &mut self.outbox).map_err(|_| no_text())
    }

    /// Waits until the server takes the parameters.
    pub(super) fn begin(&mut self) -> Result<()> {
        let message = self.next()?;
        match message.kind {
            b'2' => Ok(()),
            b'E' => Err(self.refused(&message)),
            _ => Err(unexpected()),
        }
    }

    /// Gives each row to `each`; returns how many rows the statement changed.
    fn hand_out(
        &mut self,
        prepared: &Prepared,
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<u64, Failure> {
        let (cells, mut changed) = (RefCell::default(), 0);
        let Prepared { columns, types, .. } = prepared;
        let mut row = |body: &[u8]| {
            let row = DirectRow::new(body, types, columns, &cells).map_err(Failure::ByServer)?;
            each(&row).map_err(Failure::ByCaller)
        };
        loop {
            // Most of what comes.
            while let Some(body) = self.next_of(b'D') {
                row(body)?;
            }
            let message = self.next().map_err(Failure::ByServer)?;
            let body = self.body(&message);
            match message.kind {
                b'D' => row(body)?,
                b'C' => changed = rows_in(body),
                b'I' => {}
                b'Z' => return Ok(changed),
                b'E' => return Err(Failure::ByServer(self.refused(&message))),
                _ => return Err(Failure::ByServer(unexpected())),
            }
        }
    }

    /// Reads the rest of a result; `false` if that takes too long.
    pub(crate) fn drain(&mut self) -> bool {
        let deadline = Instant::now() + DRAIN;
        while Instant::now() < deadline {
            match self.next_before(Some(deadline)) {
                Ok(Some(message)) if message.kind == b'Z' => return true,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return false,
            }
        }
        false
    }
}

/// The number of rows in the tag of a command: its last word, where that is a number.
pub(super) fn rows_in(tag: &[u8]) -> u64 {
    let text = tag.strip_suffix(&[0]).and_then(|tag| std::str::from_utf8(tag).ok());
    text.and_then(|text| text.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

/// Our own errors come back when a parameter cannot be sent.
fn unsendable(error: BindError) -> Error {
    let too_many =
        || Error::new(ErrorKind::Encode, "a parameter is too long, or there are too many");
    match error {
        BindError::Conversion(source) => match source.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(source) => too_many().with_source(source),
        },
        BindError::Serialization(source) => too_many().with_source(source),
    }
}

#[cfg(test)]
mod tests {
    use super::rows_in;

    #[test]
    fn the_last_word_of_a_tag_is_the_number_of_rows() {
        for (tag, rows) in
            [("INSERT 0 5\0", 5), ("SELECT 12\0", 12), ("BEGIN\0", 0), ("COPY 7\0", 7), ("", 0)]
        {
            assert_eq!(rows_in(tag.as_bytes()), rows, "{tag}");
        }
    }
}
