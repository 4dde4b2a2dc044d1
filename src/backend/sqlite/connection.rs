//! Statements and transactions.

use super::abilities::CAPABILITIES;
use super::bind;
use super::catalog;
use super::deferred;
use super::errors;
use super::load;
use super::memory::Lease;
use super::open::Handle;
use super::row::SqliteRow;
use super::traces::Traces;
use super::turn::{Turn, aborted};
use super::unload;
use crate::backend::capabilities::Capabilities;
use crate::backend::fate::{Fate, TransactionId};
use crate::backend::flight::Request;
use crate::backend::interrupt::Interrupt;
use crate::backend::leftovers::Leftovers;
use crate::backend::refusal::Refusal;
use crate::backend::server_limit::ServerLimit;
use crate::backend::server_state::{Fork, LogPlace, ServerState};
use crate::backend::table_info::TableInfo;
use crate::backend::table_storage::TableStorage;
use crate::backend::unloaded::Unloaded;
use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sqlstate::SqlState;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, CachedStatement, Statement};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long to pause when SQLite reports a lock at once instead of waiting for it.
const PAUSE: Duration = Duration::from_millis(2);

/// A connection to an SQLite database.
///
/// ORDER: the fields are dropped as they stand: the handle is closed, then the turn is given
/// back, then the lease, so that the next one finds everything rolled back.
pub(super) struct SqliteConnection {
    handle: Handle,
    turn: Turn,
    lease: Option<Lease>,
    traces: Traces,
    statement_timeout: Option<Duration>,
    broken: bool,
}

impl SqliteConnection {
    pub(super) fn new(handle: Handle, turn: Turn, lease: Option<Lease>) -> Self {
        handle.watch.renew();
        let (traces, statement_timeout) = (Traces::default(), None);
        Self { handle, turn, lease, traces, statement_timeout, broken: false }
    }

    /// Lets `work` use SQLite, and notes when an error says that the connection is of no use any
    /// more.
    fn with<T>(
        &mut self,
        work: impl FnOnce(&rusqlite::Connection, &mut Turn) -> Result<T>,
    ) -> Result<T> {
        self.turn.check()?;
        let Handle { sqlite, watch, .. } = &self.handle;
        watch.enter(self.statement_timeout)?;
        let outcome = watch.leave(work(&sqlite.lock(), &mut self.turn));
        if let Err(error) = &outcome {
            self.broken |= errors::breaks(error);
        }
        outcome
    }

    /// Looks at a text of the caller before it is run.
    fn look_at(&mut self, sql: &str) -> Result<()> {
        refuse_nul(sql)?;
        self.traces.note(&self.handle.sqlite.lock(), sql)
    }

    /// Runs a transaction control statement.
    fn control(&mut self, sql: &'static str) -> Result<()> {
        self.with(|sqlite, turn| {
            let mut statement = prepare(sqlite, sql)?;
            let reads_only = statement.readonly();
            turn.statement(sqlite, reads_only, || {
                statement.raw_execute().map(drop).map_err(errors::of)
            })
        })
    }
}

impl Connection for SqliteConnection {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        self.look_at(sql)?;
        if self.turn.is_lost() && is_rollback(sql) {
            return self.rollback();
        }
        self.with(|sqlite, turn| {
            let mut batch = Batch::new(sqlite, sql);
            while let Some(mut statement) = batch.next().map_err(errors::of)? {
                let reads_only = statement.readonly();
                turn.statement(sqlite, reads_only, || exhaust(&mut statement))?;
            }
            Ok(())
        })
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.look_at(sql)?;
        self.with(|sqlite, turn| {
            let mut statement = prepare(sqlite, sql)?;
            bind::params(&mut statement, params)?;
            let reads_only = statement.readonly();
            turn.statement(sqlite, reads_only, || {
                let before = sqlite.total_changes();
                exhaust(&mut statement)?;
                // `changes` keeps its value over statements that change no rows.
                Ok(if sqlite.total_changes() == before { 0 } else { sqlite.changes() })
            })
        })
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        self.look_at(sql)?;
        self.with(|sqlite, turn| {
            let mut statement = prepare(sqlite, sql)?;
            bind::params(&mut statement, params)?;
            let reads_only = statement.readonly();
            turn.statement(sqlite, reads_only, || {
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next().map_err(errors::of)? {
                    each(&SqliteRow(row))?;
                }
                Ok(())
            })
        })
    }

    fn fly(&mut self, _: &mut [Request]) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "statements are sent one by one to SQLite"))
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[Column],
        rows: &Rows,
        range: Range<usize>,
    ) -> Result<u64> {
        if self.in_transaction() {
            return self.with(|sqlite, turn| {
                turn.statement(sqlite, false, || load::load(sqlite, table, columns, rows, range))
            });
        }
        self.begin()?;
        let loaded = self.load(table, columns, rows, range);
        let outcome = loaded.and_then(|count| self.commit().map(|()| count));
        if outcome.is_err() {
            self.rollback()?;
        }
        outcome
    }

    fn unload(
        &mut self,
        select: &str,
        types: &[ColumnType],
        each: &mut dyn FnMut(Unloaded<'_>) -> Result<()>,
    ) -> Result<u64> {
        self.look_at(select)?;
        self.with(|sqlite, turn| {
            let mut statement = prepare(sqlite, select)?;
            let reads_only = statement.readonly();
            turn.statement(sqlite, reads_only, || unload::unload(&mut statement, types, each))
        })
    }

    fn ahead(&mut self, sql: &str) -> Result<()> {
        self.run(sql)
    }

    fn execute_ahead(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.execute(sql, params).map(drop)
    }

    fn begin_with(&mut self, settings: &str) -> Result<()> {
        self.begin()?;
        self.run(settings)
    }

    fn begin(&mut self) -> Result<()> {
        if self.in_transaction() {
            self.turn.check()?;
            return Err(errors::database("a transaction is open already")
                .with_sqlstate(errors::state("25001")));
        }
        let deadline = self.handle.patience.deadline();
        loop {
            match self.control("BEGIN IMMEDIATE") {
                Err(error) if is_locked(&error) && Instant::now() < deadline => {
                    thread::sleep(PAUSE);
                }
                outcome => return outcome,
            }
        }
    }

    fn commit(&mut self) -> Result<()> {
        if self.turn.settle_lost() {
            return Err(aborted());
        }
        self.control("COMMIT")
    }

    fn rollback(&mut self) -> Result<()> {
        if self.turn.settle_lost() || !self.in_transaction() {
            return Ok(());
        }
        self.control("ROLLBACK").map_err(|error| {
            self.broken = true;
            Error::new(ErrorKind::Disconnect, "the transaction cannot be rolled back")
                .with_source(error)
        })
    }

    fn check_constraints(&mut self) -> Result<()> {
        self.with(|sqlite, turn| turn.statement(sqlite, false, || deferred::check(sqlite)))
    }

    /// It numbers none.
    fn transaction_id(&mut self) -> Result<Option<TransactionId>> {
        Ok(None)
    }

    fn fate(&mut self, _: &TransactionId) -> Result<Fate> {
        Ok(Fate::Unknown)
    }

    /// No server stands behind it.
    fn server_limit(&mut self) -> Result<Option<ServerLimit>> {
        Ok(None)
    }

    fn table_info(&mut self, table: &TableName) -> Result<Option<TableInfo>> {
        self.with(|sqlite, turn| {
            turn.statement(sqlite, true, || catalog::table_info(sqlite, table))
        })
    }

    fn table_storage(
        &mut self,
        table: &TableName,
        _: Option<&Ident>,
    ) -> Result<Option<TableStorage>> {
        self.with(|sqlite, turn| {
            turn.statement(sqlite, true, || catalog::table_storage(sqlite, table))
        })
    }

    fn ping(&mut self, deadline: Instant) -> Result<()> {
        self.handle.watch.enter(None)?;
        let sqlite = self.handle.sqlite.lock();
        // It reads the file; `select 1` would not.
        let answer = self.handle.patience.before(deadline, || {
            prepare(&sqlite, "SELECT count(*) FROM sqlite_schema")
                .and_then(|mut statement| exhaust(&mut statement))
        });
        match answer {
            Err(error) if !is_locked(&error) => {
                self.broken = true;
                Err(Error::new(ErrorKind::Disconnect, "the database does not answer")
                    .with_source(error))
            }
            // Whoever says that it is locked is alive.
            _ => Ok(()),
        }
    }

    fn reset(&mut self, deadline: Instant) -> Result<Leftovers> {
        let transaction = self.in_transaction();
        self.rollback()?;
        self.statement_timeout = None;
        let Handle { sqlite, patience, .. } = &self.handle;
        let session = patience.before(deadline, || self.traces.clear(&sqlite.lock()))?;
        Ok(Leftovers { transaction, session })
    }

    /// No code of a database changes what a connection is: what is left is always known.
    fn distrust(&mut self) {}

    fn set_statement_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.handle.watch.install(&mut self.handle.sqlite.lock())?;
        self.statement_timeout = timeout;
        Ok(())
    }

    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        let watch = &self.handle.watch;
        watch.install(&mut self.handle.sqlite.lock()).ok()?;
        Some(Arc::new(watch.interrupter(self.turn.gate())))
    }

    fn server_state(&mut self, _: Instant) -> Result<Option<ServerState>> {
        Ok(None)
    }

    fn log_place(&mut self) -> Result<Option<LogPlace>> {
        Ok(None)
    }

    fn log_forks(&mut self, _: u32, _: Instant) -> Result<Option<Vec<Fork>>> {
        Ok(None)
    }

    fn explain(&self, refusal: Refusal) -> Error {
        refusal.unexplained()
    }

    fn in_transaction(&self) -> bool {
        self.turn.is_lost() || !self.handle.sqlite.lock().is_autocommit()
    }

    fn is_broken(&self) -> bool {
        self.broken || self.handle.watch.is_severed()
    }
}

impl Drop for SqliteConnection {
    fn drop(&mut self) {
        // A file is closed, which takes away what this leaves. The handle of a database in memory
        // goes on to the next borrower, whatever became of this one.
        self.handle.watch.renew();
        let _ = match &self.lease {
            None => self.rollback(),
            Some(_) => self.reset(Instant::now()).map(drop),
        };
    }
}

impl fmt::Debug for SqliteConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteConnection")
            .field("in_memory", &self.lease.is_some())
            .field("in_transaction", &self.in_transaction())
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

pub(super) fn prepare<'a>(
    sqlite: &'a rusqlite::Connection,
    sql: &str,
) -> Result<CachedStatement<'a>> {
    sqlite.prepare_cached(sql).map_err(errors::of)
}

/// Runs a statement to its end, whatever rows it returns.
pub(super) fn exhaust(statement: &mut Statement<'_>) -> Result<()> {
    let mut rows = statement.raw_query();
    while rows.next().map_err(errors::of)?.is_some() {}
    Ok(())
}

/// SQLite stops reading at a NUL; the rest would be left out without a word.
fn refuse_nul(sql: &str) -> Result<()> {
    if memchr::memchr(0, sql.as_bytes()).is_some() {
        return Err(errors::database("the statement contains NUL")
            .with_sqlstate(errors::state("42601"))
            .with_hint("give the text as a parameter"));
    }
    Ok(())
}

fn is_rollback(sql: &str) -> bool {
    sql.trim().trim_end_matches(';').trim_end().eq_ignore_ascii_case("rollback")
}

/// Another process holds the lock; a turn that did not come has waited long enough.
fn is_locked(error: &Error) -> bool {
    error.sqlstate() == Some(SqlState::LOCK_NOT_AVAILABLE)
        && std::error::Error::source(error).is_some()
}
