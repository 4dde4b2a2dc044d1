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
        if self.is_begin_kept() {
            if !has_many(sql) {
                return self.first(sql);
            }
            self.begin_now()?;
        }
        self.batch_before(sql, None)
    }

    /// Runs one statement behind the BEGIN that was kept.
    fn first(&mut self, sql: &str) -> Result<()> {
        self.clear()?;
        self.write_parsed(sql)?;
        frontend::sync(&mut self.outbox);
        self.send()?;
        self.pass_all(None)
    }

    /// Fails if the server gives no sign of life before the deadline.
    pub(crate) fn ping(&mut self, deadline: Instant) -> Result<()> {
        self.batch_before("", Some(deadline))
    }

    fn batch_before(&mut self, sql: &str, deadline: Option<Instant>) -> Result<()> {
        self.outbox.clear();
        frontend::query(sql, &mut self.outbox).map_err(|_| no_text())?;
        self.send()?;
        self.pass_all(deadline)
    }

    /// Throws away what comes until the final answer.
    fn pass_all(&mut self, deadline: Option<Instant>) -> Result<()> {
        loop {
            let message = self.next_before(deadline)?;
            let late = || errors::disconnect("the server gave no sign of life in time");
            let message = message.ok_or_else(late)?;
            match message.kind {
                b'1' | b'2' | b'T' | b'D' | b'C' | b'I' => {}
                b'Z' => return Ok(()),
                b'E' => return Err(self.refused(&message)),
                _ => return Err(unexpected()),
            }
        }
    }
}

/// Whether a text may be more than one statement; in doubt it is.
fn has_many(sql: &str) -> bool {
    sql.trim_end().trim_end_matches(';').contains(';')
}

#[cfg(test)]
mod tests {
    use super::has_many;

    #[test]
    fn a_text_with_a_semicolon_within_may_be_many_statements() {
        for sql in ["", "SAVEPOINT a", "select 1;", "select 1 ;; \n"] {
            assert!(!has_many(sql), "{sql}");
        }
        for sql in ["select 1; select 2", "select ';'", "; select 1", "select 1; -- "] {
            assert!(has_many(sql), "{sql}");
        }
    }
}
