//! Statements, transactions, sign of life.

use super::abilities::CAPABILITIES;
use super::ahead;
use super::begin;
use super::catalog;
use super::commit;
use super::errors;
use super::fate;
use super::flight;
use super::guard::guarded;
use super::runtime;
use crate::backend::capabilities::Capabilities;
use crate::backend::fate::{Fate, TransactionId};
use crate::backend::flight::Request;
use crate::backend::interrupt::Interrupt;
use crate::backend::leftovers::Leftovers;
use crate::backend::postgres::deadline::disposal::{self, Remains};
use crate::backend::postgres::deadline::interrupt::Interrupter;
use crate::backend::postgres::deadline::timer::{self, Timer};
use crate::backend::postgres::direct::line::Line;
use crate::backend::postgres::session::left::Left;
use crate::backend::postgres::session::limits;
use crate::backend::postgres::session::notices::Notices;
use crate::backend::postgres::session::notifications;
use crate::backend::postgres::session::opened::Setup;
use crate::backend::postgres::session::ping;
use crate::backend::postgres::session::reset;
use crate::backend::postgres::session::setup;
use crate::backend::postgres::session::state;
use crate::backend::postgres::session::traces::Traces;
use crate::backend::postgres::statement::cache::Statements;
use crate::backend::postgres::statement::load;
use crate::backend::postgres::statement::streaming::stream;
use crate::backend::postgres::statement::unload;
use crate::backend::postgres::storage;
use crate::backend::postgres::wire::state::Wire;
use crate::backend::postgres::wire::tags::Tags;
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
use crate::url::TargetSessionAttrs;
use postgres::Client;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection to a PostgreSQL server.
pub(super) struct PostgresConnection {
    /// Gone only once it is closed.
    pub(super) client: Option<Client>,
    /// What speaks without it; `None` where it cannot.
    pub(super) line: Option<Line>,
    pub(super) statements: Statements,
    pub(super) notices: Arc<Notices>,
    pub(super) wire: Arc<Wire>,
    interrupter: Arc<Interrupter>,
    pub(super) setup: Setup,
    /// How long a statement may take now.
    pub(super) limit: Option<Duration>,
    /// As far as the texts tell; the wire knows better.
    pub(super) in_transaction: bool,
    pub(super) left: Left,
    pub(super) broken: bool,
    /// A statement is under way whose result is not read to its end.
    pub(super) running: bool,
}

impl PostgresConnection {
    /// A connection that was just opened, whose warnings go to `notices` and whose messages pass
    /// by `wire`.
    pub(super) fn new(
        client: Client,
        statements: Statements,
        notices: Arc<Notices>,
        wire: Arc<Wire>,
        interrupter: Interrupter,
        setup: Setup,
    ) -> Self {
        // What the set-up did is how the session is to be.
        wire.forget(Tags::ALL);
        Self {
            client: Some(client),
            line: setup.direct.then(|| Line::new(&wire, &notices)).flatten(),
            statements,
            notices,
            wire,
            interrupter: Arc::new(interrupter),
            limit: setup.limit,
            setup,
            in_transaction: false,
            left: Left::default(),
            broken: false,
            running: false,
        }
    }

    /// Checks that the server is what it must be.
    pub(super) fn check_role(&mut self, role: TargetSessionAttrs) -> Result<()> {
        self.with_client(|client, _| Ok(setup::check_role(client, role)))?
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
        self.check_usable()?;
        ahead::send(self)?;
        self.begin_now()?;
        let timer = self.start_timer();
        let Some(client) = &mut self.client else { return Err(closed()) };
        let statements = &mut self.statements;
        let outcome = guarded(|| work(client, statements))
            .and_then(|outcome| outcome.map_err(errors::statement));
        self.conclude(timer, outcome).map_err(|error| self.judge(error))
    }

    pub(super) fn check_usable(&self) -> Result<()> {
        if self.broken || self.wire.is_severed() {
            return Err(closed());
        }
        runtime::refuse()
    }

    pub(super) fn start_timer(&self) -> Option<Timer> {
        self.start_timer_for(1)
    }

    /// For so many statements, one behind the other.
    pub(super) fn start_timer_for(&self, statements: u32) -> Option<Timer> {
        let blockers = self.setup.blockers.as_ref();
        let limit = self.limit.map(|limit| limit.saturating_mul(statements));
        limit.map(|limit| Timer::start(limit, &self.wire, &self.interrupter, blockers))
    }

    /// Looks at how a statement ended.
    pub(super) fn conclude<T>(&mut self, timer: Option<Timer>, outcome: Result<T>) -> Result<T> {
        let outcome = match timer {
            Some(timer) => timer.stop(outcome),
            None => outcome,
        };
        notifications::throw_away(self);
        // What came behind would be outside of the transaction that was asked for.
        self.broken |= self.line.as_ref().is_some_and(Line::is_begin_refused);
        // A request to cancel that came too late for this statement would hit the next one.
        if self.interrupter.take_sent() && !outcome.as_ref().is_err_and(timer::is_cancelled) {
            self.broken = true;
        }
        outcome
    }

    /// After an error that ends it, the connection is not to be used again.
    pub(super) fn judge(&mut self, error: Error) -> Error {
        if matches!(error.kind(), ErrorKind::Disconnect | ErrorKind::Panic) {
            self.broken = true;
            self.statements.resolver.retire();
        }
        error
    }

    /// Whether a statement can go without the driver now.
    pub(super) fn is_free(&self) -> bool {
        self.line.as_ref().is_some_and(Line::is_free)
    }

    /// Runs statements and forgets their results.
    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        self.check_usable()?;
        if !self.is_free() {
            return self.with_client(|client, _| client.batch_execute(sql));
        }
        let timer = self.start_timer();
        let Some(line) = &mut self.line else { return Err(closed()) };
        let outcome = line.batch(sql);
        self.conclude(timer, outcome).map_err(|error| self.judge(error))
    }

    /// Notes what a statement is going to do to the transaction and to the session. In doubt
    /// there is a transaction: a rollback too many does no harm.
    pub(super) fn note(&mut self, sql: &str, traces: Traces) {
        if traces.starts {
            self.in_transaction = true;
        } else if traces.ends {
            self.in_transaction = false;
        }
        // Behind a pooler the session is another one by the time it could be reset.
        let knowledge = (!self.setup.pooled).then_some(&*self.setup.knowledge);
        self.left.note(sql, traces, knowledge);
        if traces.statements {
            self.statements.clear();
        }
        commit::expect(self, traces);
    }

    fn take_remains(&mut self) -> Option<Remains> {
        let client = self.client.take()?;
        // The socket is closed with the last of those who have it.
        self.line = None;
        let statements = std::mem::take(&mut self.statements);
        let (wire, interrupter) = (Arc::clone(&self.wire), Arc::clone(&self.interrupter));
        Some(Remains { client, statements, wire, interrupter, running: self.running })
    }
}

impl Connection for PostgresConnection {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        let traces = Traces::of(sql);
        if traces.is_commit {
            return self.commit();
        }
        self.note(sql, traces);
        let outcome = self.batch(sql);
        commit::check(self, traces, outcome)
    }

    fn ahead(&mut self, sql: &str) -> Result<()> {
        ahead::ahead(self, sql)
    }

    fn execute_ahead(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        ahead::execute(self, sql, params)
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        stream(self, sql, params, &mut |_| Ok(()))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        stream(self, sql, params, each).map(drop)
    }

    fn fly(&mut self, requests: &mut [Request]) -> Result<()> {
        flight::fly(self, requests)
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[Column],
        rows: &Rows,
        range: Range<usize>,
    ) -> Result<u64> {
        self.left.note_load(table.table.as_str(), &self.setup.knowledge);
        load::load(self, table, columns, rows, range)
    }

    fn unload(
        &mut self,
        select: &str,
        types: &[ColumnType],
        each: &mut dyn FnMut(Unloaded<'_>) -> Result<()>,
    ) -> Result<u64> {
        unload::unload(self, select, types.len() as u16, each)
    }

    fn begin(&mut self) -> Result<()> {
        begin::begin(self)
    }

    fn begin_with(&mut self, settings: &str) -> Result<()> {
        ahead::begin(self, settings)
    }

    fn commit(&mut self) -> Result<()> {
        commit::commit(self)
    }

    fn rollback(&mut self) -> Result<()> {
        ahead::forget(self);
        if !self.forget_begin() && self.in_transaction() {
            self.batch("ROLLBACK")?;
            self.in_transaction = false;
        }
        Ok(())
    }

    fn transaction_id(&mut self) -> Result<Option<TransactionId>> {
        fate::transaction_id(self)
    }

    fn fate(&mut self, transaction: &TransactionId) -> Result<Fate> {
        fate::fate(self, transaction)
    }

    /// The statements themselves check, once they are told to: `SET CONSTRAINTS ALL IMMEDIATE`.
    fn check_constraints(&mut self) -> Result<()> {
        Ok(())
    }

    fn table_info(&mut self, table: &TableName) -> Result<Option<TableInfo>> {
        catalog::table_info(self, table)
    }

    fn table_storage(
        &mut self,
        table: &TableName,
        key: Option<&Ident>,
    ) -> Result<Option<TableStorage>> {
        storage::table_storage(self, table, key)
    }

    fn ping(&mut self, deadline: Instant) -> Result<()> {
        ping::ping(self, deadline)
    }

    fn reset(&mut self, deadline: Instant) -> Result<Leftovers> {
        reset::reset(self, deadline)
    }

    fn distrust(&mut self) {
        self.left.doubt |= self.left.ran;
    }

    fn set_statement_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        limits::set_statement_timeout(self, limit)
    }

    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.interrupter) as Arc<dyn Interrupt>)
    }

    fn server_limit(&mut self) -> Result<Option<ServerLimit>> {
        limits::server_limit(self).map(Some)
    }

    fn server_state(&mut self, deadline: Instant) -> Result<Option<ServerState>> {
        state::server_state(self, deadline).map(Some)
    }

    fn log_place(&mut self) -> Result<Option<LogPlace>> {
        state::log_place(self).map(Some)
    }

    fn log_forks(&mut self, timeline: u32, deadline: Instant) -> Result<Option<Vec<Fork>>> {
        state::log_forks(self, timeline, deadline)
    }

    fn explain(&self, refusal: Refusal) -> Error {
        errors::refused(refusal)
    }

    fn in_transaction(&self) -> bool {
        begin::is_open(self)
    }

    fn is_broken(&self) -> bool {
        self.broken || self.wire.is_severed() || self.client.as_ref().is_none_or(Client::is_closed)
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

pub(super) fn closed() -> Error {
    errors::disconnect("the connection was lost or given up before")
}
