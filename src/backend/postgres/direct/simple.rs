//! Statements without parameters.

use super::line::Line;
use super::prepared::{no_text, unexpected};
use crate::backend::postgres::errors;
use crate::error::Result;
use postgres_protocol::message::frontend;
use std::time::Instant;

impl Line {
    /// Runs statements and throws their results away.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        self.batch_before(sql, None)
    }

    /// Fails if the server gives no sign of life before the deadline.
    pub(crate) fn ping(&mut self, deadline: Instant) -> Result<()> {
        self.batch_before("", Some(deadline))
    }

    fn batch_before(&mut self, sql: &str, deadline: Option<Instant>) -> Result<()> {
        self.outbox.clear();
        frontend::query(sql, &mut self.outbox).map_err(|_| no_text())?;
        self.send()?;
        loop {
            let message = self.next_before(deadline)?;
            let late = || errors::disconnect("the server gave no sign of life in time");
            let message = message.ok_or_else(late)?;
            match message.kind {
                b'T' | b'D' | b'C' | b'I' => {}
                b'Z' => return Ok(()),
                b'E' => return Err(self.refused(&message)),
                _ => return Err(unexpected()),
            }
        }
    }
}
