//! Statements without parameters.

use super::line::Line;
use super::prepared::{no_text, unexpected};
use crate::error::Result;
use postgres_protocol::message::frontend;

impl Line {
    /// Runs statements and throws their results away.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        self.outbox.clear();
        frontend::query(sql, &mut self.outbox).map_err(|_| no_text())?;
        self.send()?;
        loop {
            let message = self.next()?;
            match message.kind {
                b'T' | b'D' | b'C' | b'I' => {}
                b'Z' => return Ok(()),
                b'E' => return Err(self.refused(&message)),
                _ => return Err(unexpected()),
            }
        }
    }
}
