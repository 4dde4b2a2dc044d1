//! Beginning a transaction: with its first statement where that can be sent behind BEGIN.

use super::ahead;
use super::connection::{PostgresConnection, closed};
use super::direct::line::Line;
use super::errors::code;
use super::session::setup::{self, Purpose};
use super::wire::state::Status;
use super::wire::tags::Tags;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};

/// Begins; see [`Connection::begin`].
pub(super) fn begin(connection: &mut PostgresConnection) -> Result<()> {
    connection.notices.clear();
    if connection.setup.pooled {
        connection.with_client(|client, statements| statements.resolver.look_ahead(client))?;
        connection.left.explained = connection.left.explained.with(Tags::SET);
        connection.batch(&setup::begin_pooled(Purpose::Work, connection.limit))?;
    } else if !connection.begin_later()? {
        connection.batch("BEGIN")?;
    }
    connection.in_transaction = true;
    if connection.notices.transaction_already() {
        return Err(Error::new(ErrorKind::Database, "a transaction is open already")
            .with_sqlstate(code("25001")));
    }
    Ok(())
}

/// See [`Connection::in_transaction`].
pub(super) fn is_open(connection: &PostgresConnection) -> bool {
    if connection.is_begin_kept() || ahead::is_kept(connection) {
        // The server does not know it yet.
        return connection.in_transaction;
    }
    connection.wire.status().map_or(connection.in_transaction, |status| status != Status::Idle)
}

impl PostgresConnection {
    /// Whether a transaction was begun of which the server knows nothing yet.
    pub(super) fn is_begin_kept(&self) -> bool {
        self.line.as_ref().is_some_and(Line::is_begin_kept)
    }

    /// Forgets it; says whether there was one.
    pub(super) fn forget_begin(&mut self) -> bool {
        let was_kept = self.line.as_mut().is_some_and(Line::forget_begin);
        self.in_transaction &= !was_kept;
        was_kept
    }

    /// Begins it by itself, for what cannot be sent behind it.
    pub(super) fn begin_now(&mut self) -> Result<()> {
        if !self.is_begin_kept() {
            return Ok(());
        }
        let timer = self.start_timer();
        let Some(line) = &mut self.line else { return Err(closed()) };
        let outcome = line.begin_now();
        self.conclude(timer, outcome).map_err(|error| self.judge(error))
    }

    /// Begins with the first statement, where that can be; says whether it can.
    fn begin_later(&mut self) -> Result<bool> {
        let can_wait = self.is_free()
            && self.statements.keeps()
            && self.wire.status() == Some(Status::Idle)
            && !self.in_transaction()
            && !ahead::is_kept(self);
        if can_wait {
            self.check_usable()?;
            self.line.as_mut().map(Line::begin_later);
        }
        Ok(can_wait)
    }
}
