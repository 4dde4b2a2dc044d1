//! Statements that are sent together.
//!
//! What stands in front of a `Sync` is one transaction, whose statements behind one that fails are passed
//! over (PostgreSQL, "Message Flow", "Pipelining"); each of them sends its answers at once. All are
//! written before the first answer is read; the answers come in the same order.

use super::inbox::Message;
use super::line::Line;
use super::prepared::{Prepared, unexpected};
use super::query::rows_in;
use super::row::Cells;
use crate::backend::flight::{Answer, Outcome};
use crate::backend::postgres::errors;
use crate::error::{Error, Result};
use crate::mapping::param::Param;
use postgres_protocol::message::frontend;
use std::sync::Arc;

/// What came of one of them.
pub(crate) enum Landed {
    Answer(Answer),
    /// Refused before it ran: the statement may have to be prepared anew.
    AtStart(Error),
    Refused(Error),
    /// Its rows are too many.
    TooLarge(Error),
}

impl Landed {
    /// Whether the server refused it, so that its final answer has been read.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self, Self::AtStart(_) | Self::Refused(_))
    }
}

impl From<Landed> for Outcome {
    fn from(landed: Landed) -> Self {
        match landed {
            Landed::Answer(answer) => Self::Answer(answer),
            Landed::AtStart(error) | Landed::Refused(error) | Landed::TooLarge(error) => {
                Self::Failed(error)
            }
        }
    }
}

impl Line {
    /// Begins to write requests.
    pub(crate) fn board(&mut self) -> Result<()> {
        self.clear()
    }

    /// Adds a statement; one whose parameters cannot be written leaves nothing.
    pub(crate) fn add_statement(
        &mut self,
        prepared: &Prepared,
        params: &[Param<'_>],
    ) -> Result<()> {
        let before = self.outbox.len();
        let written = self.write_statement(prepared, params);
        if written.is_err() {
            self.outbox.truncate(before);
        }
        written
    }

    /// Ends the transaction of what was added behind the end of the last one.
    pub(crate) fn end_transaction(&mut self) {
        frontend::sync(&mut self.outbox);
    }

    /// Sends what was added as one request.
    pub(crate) fn depart_together(&mut self) -> Result<()> {
        frontend::sync(&mut self.outbox);
        self.send()
    }

    /// Sends what was added: so many transactions.
    pub(crate) fn depart(&mut self, transactions: usize) -> Result<()> {
        self.send_all(transactions)
    }

    /// Reads the answer to the next statement. The final answer comes behind the last of its transaction;
    /// behind one that was refused it has been read. An error is that of the connection.
    pub(crate) fn land_one(&mut self, prepared: &Arc<Prepared>) -> Result<Landed> {
        let message = self.next()?;
        match message.kind {
            b'2' => self.land_rows(prepared),
            b'E' => self.landed_badly(&message).map(Landed::AtStart),
            _ => Err(unexpected()),
        }
    }

    /// Reads the final answer; gives what was refused only in the end, as a constraint is that waits
    /// until then.
    pub(crate) fn end_together(&mut self) -> Result<Option<Error>> {
        let message = self.next()?;
        match message.kind {
            b'Z' => Ok(None),
            b'E' => self.landed_badly(&message).map(Some),
            _ => Err(unexpected()),
        }
    }

    fn land_rows(&mut self, prepared: &Arc<Prepared>) -> Result<Landed> {
        let (mut cells, mut answer) = (Cells::default(), Answer::new(Arc::clone(prepared) as _));
        let mut refused = None;
        loop {
            let message = self.next()?;
            let body = self.body(&message);
            match message.kind {
                b'D' => {
                    cells.read(body, prepared.types.len())?;
                    // The rest has to be read all the same.
                    if refused.is_none() {
                        refused = answer.push(body, cells.places()).err();
                    }
                }
                b'C' | b'I' => {
                    answer.set_changed(rows_in(body));
                    return Ok(refused.map_or(Landed::Answer(answer), Landed::TooLarge));
                }
                b'E' => return self.landed_badly(&message).map(Landed::Refused),
                _ => return Err(unexpected()),
            }
        }
    }

    /// What the server says of a statement that failed; if that ends the session, it is the error of
    /// the connection.
    fn landed_badly(&mut self, message: &Message) -> Result<Error> {
        let report = self.refusal(message)?;
        let error = errors::of_statement(&report);
        if report.is_final { Err(error) } else { Ok(error) }
    }
}
