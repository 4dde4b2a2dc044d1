//! The turn of a connection at the gate, and what became of its transaction.

use super::errors;
use super::gate::{Gate, Pass};
use super::watch::Watch;
use crate::error::{Error, Result};
use crate::sqlstate::SqlState;
use rusqlite::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The turn of a connection at the gate of writers.
///
/// It is taken before the first statement that may write, and given back as soon as no
/// transaction is open.
#[derive(Debug)]
pub(super) struct Turn {
    gate: Arc<Gate>,
    watch: Arc<Watch>,
    timeout: Duration,
    pass: Option<Pass>,
    lost: bool,
}

impl Turn {
    pub(super) fn new(gate: Arc<Gate>, watch: Arc<Watch>, timeout: Duration) -> Self {
        Self { gate, watch, timeout, pass: None, lost: false }
    }

    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Runs one statement, which `reads_only` or not, in its turn.
    pub(super) fn statement<T>(
        &mut self,
        sqlite: &Connection,
        reads_only: bool,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.check()?;
        if !reads_only {
            self.take()?;
        }
        let was_open = !sqlite.is_autocommit();
        let outcome = work();
        let is_open = !sqlite.is_autocommit();
        // SQLite rolls back by itself after some errors; only a statement that succeeded can have
        // ended the transaction on purpose.
        self.lost = was_open && !is_open && outcome.is_err();
        if !is_open {
            self.pass = None;
        }
        outcome
    }

    /// Refuses a statement in a transaction that SQLite rolled back by itself.
    pub(super) fn check(&self) -> Result<()> {
        if self.lost { Err(aborted()) } else { Ok(()) }
    }

    /// Whether SQLite rolled back the transaction by itself and nobody was told yet; from now on
    /// it is known.
    pub(super) fn settle_lost(&mut self) -> bool {
        std::mem::take(&mut self.lost)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    fn take(&mut self) -> Result<()> {
        if self.pass.is_some() {
            return Ok(());
        }
        let now = Instant::now();
        let deadline =
            now.checked_add(self.timeout).unwrap_or_else(|| now + Duration::from_hours(24));
        let deadline = self.watch.deadline().map_or(deadline, |limit| limit.min(deadline));
        self.pass = self.gate.pass(deadline, &|| self.watch.is_over());
        match self.pass {
            Some(_) => Ok(()),
            None => Err(errors::database(format!(
                "no turn to write within {:?}: other connections of this process are writing",
                self.timeout
            ))
            .with_sqlstate(SqlState::LOCK_NOT_AVAILABLE)
            .with_hint("make transactions shorter, or raise writer_timeout")),
        }
    }
}

pub(super) fn aborted() -> Error {
    errors::database("the transaction was rolled back by an error before")
        .with_sqlstate(SqlState::IN_FAILED_TRANSACTION)
        .with_hint("roll back and begin again; the first error says why")
}
