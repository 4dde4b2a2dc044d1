//! Statements, transactions, sign of life.

use super::disposal::{self, Remains};
use super::errors::{self, code};
use super::guard::guarded;
use super::notices::Notices;
use super::results::{self, Failure};
use super::session;
use super::statements::Statements;
use super::wire::Wire;
use super::{catalog, load, words};
use crate::backend::capabilities::Capabilities;
use crate::backend::table_info::TableInfo;
use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::column::Column;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sql::dialect::Dialect;
use crate::sqlstate::SqlState;
use crate::url::TargetSessionAttrs;
use postgres::Client;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CAPABILITIES: Capabilities = Capabilities {
    dialect: Dialect::PostgreSql,
    copy: true,
    concurrent_writers: true,
    row_locks: true,
    deferred_constraints: true,
    async_commit: true,
};

/// A connection to a PostgreSQL server.
pub(super) struct PostgresConnection {
    /// Gone only once it is closed.
    client: Option<Client>,
    statements: Statements,
    notices: Arc<Notices>,
    wire: Arc<Wire>,
    in_transaction: bool,
    broken: bool,
    running: bool,
}

impl PostgresConnection {
    /// A connection that was just opened, whose warnings go to `notices` and whose messages pass
    /// by `wire`.
    pub(super) fn new(client: Client, notices: Arc<Notices>, wire: Arc<Wire>) -> Self {
        Self {
            client: Some(client),
            statements: Statements::default(),
            notices,
            wire,
            in_transaction: false,
            broken: false,
            running: false,
        }
    }

    /// Checks that the server is what it must be.
    pub(super) fn check_role(&mut self, role: TargetSessionAttrs) -> Result<()> {
        self.with_client(|client, _| Ok(session::check_role(client, role)))?
    }

    /// Closes it and waits until it is closed, at most `patience`.
    pub(super) fn close_within(mut self, patience: Duration) {
        if let Some(remains) = self.take_remains() {
            disposal::close_within(remains, patience);
        }
    }

    /// Lets `work` use the client, and judges its error.
    pub(super) fn with_client<T>(
        &mut self,
        work: impl FnOnce(&mut Client, &mut Statements) -> Result<T, postgres::Error>,
    ) -> Result<T> {
        if self.broken {
            return Err(closed());
        }
        let Some(client) = &mut self.client else { return Err(closed()) };
        let statements = &mut self.statements;
        let outcome = guarded(|| work(client, statements))
            .and_then(|outcome| outcome.map_err(errors::statement));
        outcome.map_err(|error| self.judge(error))
    }

    /// Forgets a statement that the server no longer has or no longer wants; says whether it was
    /// kept, so that preparing it again can help.
    pub(super) fn forget_if_stale(&mut self, sql: &str, error: &Error) -> bool {
        let state = error.sqlstate();
        let state = state.as_ref().map_or("", SqlState::code);
        let was_kept = matches!(state, "0A000" | "26000") && self.statements.forget(sql);
        if state == "26000" && !was_kept {
            // The driver has statements of its own, for the types it does not know; there is no
            // way to have it prepare those again.
            self.broken = true;
        }
        was_kept
    }

    /// After an error that ends it, the connection is not to be used again.
    pub(super) fn judge(&mut self, error: Error) -> Error {
        if matches!(error.kind(), ErrorKind::Disconnect | ErrorKind::Panic) {
            self.broken = true;
        }
        error
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.with_client(|client, _| client.batch_execute(sql))
    }

    /// Runs a statement and hands out its rows; prepares it again if the server forgot it, or the
    /// table changed, and no transaction is lost by that. Returns how many rows it changed.
    fn stream(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<u64> {
        if self.broken {
            return Err(closed());
        }
        if words::is_commit(sql) {
            return self.commit().map(|()| 0);
        }
        self.note(sql);
        let mut outcome = self.stream_once(sql, params, each);
        if let Err(Failure::AtStart(error)) = &outcome
            && self.forget_if_stale(sql, error)
            && !self.in_transaction
        {
            outcome = self.stream_once(sql, params, each);
        }
        outcome.map_err(|failure| match failure {
            Failure::AtStart(error) | Failure::ByServer(error) => self.judge(error),
            Failure::ByCaller(error) => error,
        })
    }

    fn stream_once(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<u64, Failure> {
        let Some(client) = &mut self.client else { return Err(Failure::AtStart(closed())) };
        let (prepared, mut rows) =
            results::start(client, &mut self.statements, sql, params).map_err(Failure::AtStart)?;
        // Until the result is read to its end, also where `each` panics.
        (self.broken, self.running) = (true, true);
        let outcome = results::hand_out(&mut rows, &prepared, each);
        let finished = match &outcome {
            Err(Failure::ByCaller(_)) => results::drain(&mut rows),
            _ => true,
        };
        (self.broken, self.running) = (!finished, !finished);
        outcome
    }

    /// Notes what a statement does to the transaction and to the prepared statements. In doubt
    /// there is a transaction: a rollback too many does no harm.
    fn note(&mut self, sql: &str) {
        if words::starts_transaction(sql) {
            self.in_transaction = true;
        } else if words::ends_transaction(sql) {
            self.in_transaction = false;
        }
        if ["DISCARD", "DEALLOCATE"]
            .iter()
            .any(|word| words::first_word(sql).eq_ignore_ascii_case(word))
        {
            self.statements.clear();
        }
    }

    fn take_remains(&mut self) -> Option<Remains> {
        let client = self.client.take()?;
        let statements = std::mem::take(&mut self.statements);
        Some(Remains { client, statements, running: self.running })
    }
}

impl Connection for PostgresConnection {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        if words::is_commit(sql) {
            return self.commit();
        }
        self.note(sql);
        self.batch(sql)
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.stream(sql, params, &mut |_| Ok(()))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        self.stream(sql, params, each).map(drop)
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[Column],
        rows: &Rows,
        range: Range<usize>,
    ) -> Result<u64> {
        load::load(self, table, columns, rows, range)
    }

    fn begin(&mut self) -> Result<()> {
        self.notices.clear();
        self.batch("BEGIN")?;
        self.in_transaction = true;
        if self.notices.transaction_already() {
            return Err(Error::new(ErrorKind::Database, "a transaction is open already")
                .with_sqlstate(code("25001")));
        }
        Ok(())
    }

    /// The driver does not show whether the server answered `COMMIT` or `ROLLBACK`, which is its
    /// answer when the transaction was aborted before. So a statement goes ahead that an aborted
    /// transaction refuses, in the same message; and without any transaction the server warns.
    fn commit(&mut self) -> Result<()> {
        if self.is_broken() {
            return Err(errors::disconnect("the connection was lost before COMMIT was sent"));
        }
        self.notices.clear();
        match self.batch("SELECT 1; COMMIT") {
            Ok(()) if self.notices.no_transaction() => {
                self.in_transaction = false;
                Err(Error::new(ErrorKind::Database, "there was no transaction to commit")
                    .with_sqlstate(code("25P01")))
            }
            Ok(()) => {
                self.in_transaction = false;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Database => {
                // The transaction is over, or aborted and still open.
                // That it was not committed is certain, whatever becomes of the rollback.
                let _ = self.rollback();
                Err(error)
            }
            // Nothing was sent.
            Err(error) if error.kind() == ErrorKind::Unsupported => Err(error),
            Err(error) => Err(unknown_outcome(&error)),
        }
    }

    fn rollback(&mut self) -> Result<()> {
        if self.in_transaction {
            self.batch("ROLLBACK")?;
            self.in_transaction = false;
        }
        Ok(())
    }

    fn table_info(&mut self, table: &TableName) -> Result<Option<TableInfo>> {
        catalog::table_info(self, table)
    }

    fn ping(&mut self, deadline: Instant) -> Result<()> {
        let patience = deadline.saturating_duration_since(Instant::now());
        let pinged = self.with_client(|client, _| client.is_valid(patience));
        if pinged.is_err() {
            // The next statement would have to wait for the answer that is still owed.
            self.broken = true;
        }
        pinged.map_err(|error| match error.kind() {
            ErrorKind::Disconnect => error,
            _ => errors::disconnect("the server gave no sign of life in time"),
        })
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn is_broken(&self) -> bool {
        self.broken || self.client.as_ref().is_none_or(Client::is_closed)
    }
}

impl Drop for PostgresConnection {
    fn drop(&mut self) {
        if let Some(remains) = self.take_remains() {
            disposal::close(remains);
        }
    }
}

impl fmt::Debug for PostgresConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConnection")
            .field("in_transaction", &self.in_transaction)
            .field("broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}

fn unknown_outcome(error: &Error) -> Error {
    let message = format!("the answer to COMMIT was lost: {}", error.message());
    Error::new(ErrorKind::Disconnect, message)
        .with_sqlstate(SqlState::parse("08007").unwrap_or(SqlState::CONNECTION_FAILURE))
        .with_hint("it may have held: ask the database before doing it again")
}

fn closed() -> Error {
    errors::disconnect("the connection was lost or given up before")
}
