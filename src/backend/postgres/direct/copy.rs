//! Loading rows, and reading them in bulk.

use super::line::Line;
use super::prepared::{no_text, unexpected};
use super::query::rows_in;
use crate::backend::postgres::errors;
use crate::backend::postgres::report::Report;
use crate::backend::postgres::statement::results::Failure;
use crate::error::Error;
use crate::spent::{self, Step};
use postgres_protocol::message::frontend;

/// `CopyDone`.
const DONE: [u8; 5] = [b'c', 0, 0, 0, 4];

/// Rows of fewer bytes go with their statement, without waiting for the word that they are wanted: a
/// server that refuses it throws them away.
const FEW_BYTES: usize = 128 * 1024;

/// Why rows were not loaded.
pub(crate) enum Unloaded {
    /// The server says why.
    Refused(Box<Report>),
    /// It does not, or nothing was sent.
    Failed(Error),
}

impl From<Error> for Unloaded {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Unloaded {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Refused(report) => errors::of_statement(&report),
            Self::Failed(error) => error,
        }
    }
}

impl Line {
    /// Runs `COPY ... FROM STDIN` and sends the pieces, none of which is copied; returns how many
    /// rows the server took. Once it has refused them, no more are sent. `at_once` lets few rows go with
    /// their statement.
    pub(crate) fn copy_in<'a>(
        &mut self,
        sql: &str,
        at_once: bool,
        mut pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Result<u64, Unloaded> {
        self.begin_now()?;
        self.outbox.clear();
        frontend::query(sql, &mut self.outbox).map_err(|_| no_text())?;
        let (mut first, mut bytes) = (Vec::new(), 0);
        while bytes <= FEW_BYTES
            && let Some(piece) = pieces.next()
        {
            bytes += piece.len();
            first.push(piece);
        }
        let are_few = at_once && bytes <= FEW_BYTES;
        if are_few {
            for piece in first.drain(..) {
                self.outbox.extend_from_slice(&header(piece));
                self.outbox.extend_from_slice(piece);
            }
            self.outbox.extend_from_slice(&DONE);
        }
        spent::on(Step::Send, || self.send())?;
        let message = self.next()?;
        match message.kind {
            b'G' if are_few => {}
            b'G' => {
                spent::on(Step::Send, || self.send_pieces(first.into_iter().chain(pieces)))?;
            }
            b'E' => return Err(Unloaded::Refused(Box::new(self.refusal(&message)?))),
            _ => return Err(unexpected().into()),
        }
        let mut count = 0;
        loop {
            let message = self.next()?;
            match message.kind {
                b'C' => count = rows_in(self.body(&message)),
                b'Z' => return Ok(count),
                b'E' => return Err(Unloaded::Refused(Box::new(self.refusal(&message)?))),
                _ => return Err(unexpected().into()),
            }
        }
    }

    /// Each piece is a message. The server throws away what comes after it refused.
    fn send_pieces<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>) -> Result<(), Error> {
        for piece in pieces {
            self.write(&header(piece), piece)?;
            if self.listen()?.is_some() {
                return Ok(());
            }
        }
        self.write(&[], &DONE)
    }
    /// Sends `COPY ... TO STDOUT` and waits until the server begins to answer with data.
    pub(crate) fn start_copy_out(&mut self, sql: &str) -> Result<(), Error> {
        self.outbox.clear();
        frontend::query(sql, &mut self.outbox).map_err(|_| no_text())?;
        self.send()?;
        let message = self.next()?;
        match message.kind {
            b'H' => Ok(()),
            b'E' => Err(self.refused(&message)),
            _ => Err(unexpected()),
        }
    }

    /// Hands out the data of a `COPY ... TO STDOUT` that has begun, message by message, each where it
    /// lies in what came.
    pub(crate) fn copy_out(
        &mut self,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Failure> {
        loop {
            // Most of what comes.
            while let Some(body) = self.next_of(b'd') {
                each(body).map_err(Failure::ByCaller)?;
            }
            let message = self.next().map_err(Failure::ByServer)?;
            match message.kind {
                b'd' => each(self.body(&message)).map_err(Failure::ByCaller)?,
                b'c' | b'C' => {}
                b'Z' => return Ok(()),
                b'E' => return Err(Failure::ByServer(self.refused(&message))),
                _ => return Err(Failure::ByServer(unexpected())),
            }
        }
    }
}

/// What stands before a piece: it is no longer than what fits into 31 bits, for the caller cuts them
/// smaller.
fn header(piece: &[u8]) -> [u8; 5] {
    let [a, b, c, d] = (piece.len() as u32 + 4).to_be_bytes();
    [b'd', a, b, c, d]
}
