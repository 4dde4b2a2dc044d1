//! Statements that go ahead of the next request, in the same write.
//!
//! Each of their messages asks for a final answer of its own, so that one that fails is not what the request
//! behind it is passed over for: in a transaction that request fails too, outside of one it runs. Whatever was
//! refused first is what the request is said to have failed with.

use super::broken;
use super::inbox::Message;
use super::line::Line;
use super::prepared::{Prepared, no_text, unexpected};
use crate::backend::postgres::errors;
use crate::backend::postgres::report::Report;
use crate::error::Result;
use crate::mapping::param::Param;
use postgres::types::private::BytesMut;
use postgres_protocol::message::frontend;
use std::mem;

/// What goes ahead, and what is owed for what went.
#[derive(Default)]
pub(super) struct Ahead {
    messages: BytesMut,
    /// Statements without parameters, behind those that are messages.
    sql: String,
    /// So many of the messages ask for a final answer.
    requests: usize,
    /// So many final answers come before that of the request.
    owed: usize,
    /// What they failed with, until the request has its final answer.
    refused: Option<Report>,
    /// The texts of those that were prepared, kept until the next ones go: one of them may be stale.
    prepared: Vec<String>,
}

impl Ahead {
    /// Makes a message of the statements without parameters.
    fn close_text(&mut self) -> Result<()> {
        if self.sql.is_empty() {
            return Ok(());
        }
        let sql = mem::take(&mut self.sql);
        frontend::query(&sql, &mut self.messages).map_err(|_| no_text())?;
        self.requests += 1;
        Ok(())
    }

    /// Whether answers to them come before that of the request.
    pub(super) fn is_owed(&self) -> bool {
        self.owed > 0
    }

    /// Takes what one of them was refused with.
    pub(super) fn take_refused(&mut self) -> Option<Report> {
        self.refused.take()
    }
}

impl Line {
    /// Has statements go ahead of the next request, behind those that do so already.
    pub(crate) fn put_ahead(&mut self, sql: &str) {
        self.put_begin_ahead();
        self.ahead.sql.extend([sql, ";"]);
    }

    /// Has a prepared statement go ahead, as [`put_ahead`](Self::put_ahead).
    pub(crate) fn put_statement_ahead(
        &mut self,
        sql: &str,
        prepared: &Prepared,
        params: &[Param<'_>],
    ) -> Result<()> {
        self.put_begin_ahead();
        self.ahead.close_text()?;
        self.outbox.clear();
        self.write_statement(prepared, params)?;
        frontend::sync(&mut self.outbox);
        self.ahead.messages.extend_from_slice(&self.outbox);
        self.ahead.requests += 1;
        self.ahead.prepared.push(sql.to_owned());
        Ok(())
    }

    fn put_begin_ahead(&mut self) {
        if self.forget_begin() {
            self.ahead.sql.push_str("BEGIN;");
        }
    }

    /// Whether there are statements that are to go ahead of the next request.
    pub(crate) fn has_ahead(&self) -> bool {
        !self.ahead.sql.is_empty() || self.ahead.requests > 0
    }

    /// Takes them back.
    pub(crate) fn forget_ahead(&mut self) {
        let Ahead { messages, sql, requests, prepared, .. } = &mut self.ahead;
        messages.clear();
        sql.clear();
        *requests = 0;
        prepared.clear();
    }

    /// The texts of the prepared statements that went ahead of the last request.
    pub(crate) fn take_prepared_ahead(&mut self) -> Vec<String> {
        mem::take(&mut self.ahead.prepared)
    }

    /// Puts them in front of what is about to be sent.
    pub(super) fn go_ahead(&mut self) -> Result<()> {
        if !self.has_ahead() {
            self.ahead.prepared.clear();
            return Ok(());
        }
        self.ahead.close_text()?;
        let request = mem::replace(&mut self.outbox, mem::take(&mut self.ahead.messages));
        self.outbox.extend_from_slice(&request);
        self.ahead.owed = mem::take(&mut self.ahead.requests);
        for _ in 0..self.ahead.owed {
            self.wire.sent();
        }
        Ok(())
    }

    /// Reads on in the answers to what went ahead.
    pub(super) fn pass(&mut self, message: &Message) -> Result<()> {
        match message.kind {
            b'2' | b'T' | b'D' | b'C' | b'I' => {}
            b'Z' => self.ahead.owed -= 1,
            b'E' => {
                let report = Report::read(self.body(message));
                let report = report.ok_or_else(|| broken("an error without a code"))?;
                if report.is_final {
                    return Err(errors::of_statement(&report));
                }
                self.ahead.refused.get_or_insert(report);
            }
            _ => return Err(unexpected()),
        }
        Ok(())
    }
}
