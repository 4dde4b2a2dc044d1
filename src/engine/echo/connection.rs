//! A connection that has an echo.

use super::event::{StatementEvent, StatementKind};
use super::options::EchoOptions;
use crate::backend::capabilities::Capabilities;
use crate::backend::fate::{Fate, TransactionId};
use crate::backend::flight::{Outcome, Request};
use crate::backend::interrupt::Interrupt;
use crate::backend::leftovers::Leftovers;
use crate::backend::refusal::Refusal;
use crate::backend::server_limit::ServerLimit;
use crate::backend::server_state::{Fork, LogPlace, ServerState};
use crate::backend::table_info::TableInfo;
use crate::backend::table_storage::TableStorage;
use crate::backend::unloaded::Unloaded;
use crate::backend::{Connection, RowRef};
use crate::error::{Error, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::trace;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection that tells what it does. Every call of the seam is passed on, also those that
/// nobody is told of: a default body here would hide what the backend can do.
#[derive(Debug)]
pub(super) struct EchoConnection {
    inner: Box<dyn Connection>,
    echo: Arc<EchoOptions>,
    number: u64,
}

/// A call that is told.
#[derive(Clone, Copy)]
struct Call<'a> {
    kind: StatementKind,
    sql: &'a str,
    params: &'a [Param<'a>],
}

impl<'a> Call<'a> {
    fn new(kind: StatementKind, sql: &'a str) -> Self {
        Self { kind, sql, params: &[] }
    }
}

impl EchoConnection {
    pub(super) fn new(inner: Box<dyn Connection>, echo: Arc<EchoOptions>, number: u64) -> Self {
        Self { inner, echo, number }
    }

    /// Does `work` and tells of it; `work` returns its result and how many rows it had.
    fn told<T>(
        &mut self,
        call: Call<'_>,
        work: impl FnOnce(&mut dyn Connection) -> Result<(T, Option<u64>)>,
    ) -> Result<T> {
        let span = trace::statement(call.kind.name(), call.sql);
        let start = Instant::now();
        let done = span.in_scope(|| work(&mut *self.inner));
        let time = start.elapsed();
        let rows = done.as_ref().ok().and_then(|(_, rows)| *rows);
        let error = done.as_ref().err();
        span.ended(rows, error);
        if self.echo.wants(time) {
            self.tell(call, time, rows, error);
        }
        done.map(|(value, _)| value)
    }

    /// Tells of a statement that was sent with others; those that were not sent are told when they are.
    #[cold]
    fn tell_of(&self, request: &Request, time: Duration) {
        let params = request.params();
        let call = Call { params: &params, ..Call::new(StatementKind::Query, request.sql()) };
        match &request.outcome {
            Outcome::NotTaken => {}
            Outcome::Unknown => self.tell(call, time, None, None),
            Outcome::Answer(answer) => self.tell(call, time, Some(answer.changed()), None),
            Outcome::Failed(error) => self.tell(call, time, None, Some(error)),
        }
    }

    #[cold]
    fn tell(&self, call: Call<'_>, time: Duration, rows: Option<u64>, error: Option<&Error>) {
        let Call { kind, sql, params } = call;
        self.echo.tell(&StatementEvent {
            kind,
            sql,
            parameter_count: params.len(),
            parameters: self.echo.shows_parameters().then_some(params),
            time,
            rows,
            error,
            connection: self.number,
        });
    }
}

/// The result of a call without rows.
fn no_rows<T>(value: T) -> (T, Option<u64>) {
    (value, None)
}

/// The result of a call whose result is the number of its rows.
fn rows(rows: u64) -> (u64, Option<u64>) {
    (rows, Some(rows))
}

impl Connection for EchoConnection {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        let call = Call::new(StatementKind::Run, sql);
        self.told(call, |inner| inner.run(sql).map(no_rows))
    }

    fn ahead(&mut self, sql: &str) -> Result<()> {
        let call = Call::new(StatementKind::Run, sql);
        self.told(call, |inner| inner.ahead(sql).map(no_rows))
    }

    fn execute_ahead(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        let call = Call { params, ..Call::new(StatementKind::Execute, sql) };
        self.told(call, |inner| inner.execute_ahead(sql, params).map(no_rows))
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        let call = Call { params, ..Call::new(StatementKind::Execute, sql) };
        self.told(call, |inner| inner.execute(sql, params).map(rows))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        let call = Call { params, ..Call::new(StatementKind::Query, sql) };
        self.told(call, |inner| {
            let mut count = 0;
            inner.query(sql, params, &mut |row| {
                count += 1;
                each(row)
            })?;
            Ok(((), Some(count)))
        })
    }

    fn fly(&mut self, requests: &mut [Request]) -> Result<()> {
        let start = Instant::now();
        let outcome = self.inner.fly(requests);
        let time = start.elapsed();
        if self.echo.wants(time) {
            for request in &*requests {
                self.tell_of(request, time);
            }
        }
        outcome
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[Column],
        rows_of: &Rows,
        range: Range<usize>,
    ) -> Result<u64> {
        let names: Vec<_> = columns.iter().map(|column| column.name.to_string()).collect();
        let words = format!("LOAD {table} ({})", names.join(", "));
        let call = Call::new(StatementKind::Load, &words);
        self.told(call, |inner| inner.load(table, columns, rows_of, range).map(rows))
    }

    fn unload(
        &mut self,
        select: &str,
        types: &[ColumnType],
        each: &mut dyn FnMut(Unloaded<'_>) -> Result<()>,
    ) -> Result<u64> {
        // Behind it stand values of keys, which are not for a log.
        let head = select.split(" WHERE ").next().unwrap_or_default();
        let words = format!("UNLOAD {head}");
        let call = Call::new(StatementKind::Query, &words);
        self.told(call, |inner| inner.unload(select, types, each).map(rows))
    }

    fn begin(&mut self) -> Result<()> {
        self.told(Call::new(StatementKind::Begin, "BEGIN"), |inner| inner.begin().map(no_rows))
    }

    fn begin_with(&mut self, settings: &str) -> Result<()> {
        let sql = format!("BEGIN; {settings}");
        let call = Call::new(StatementKind::Begin, &sql);
        self.told(call, |inner| inner.begin_with(settings).map(no_rows))
    }

    fn commit(&mut self) -> Result<()> {
        self.told(Call::new(StatementKind::Commit, "COMMIT"), |inner| inner.commit().map(no_rows))
    }

    fn rollback(&mut self) -> Result<()> {
        // Without a transaction it does nothing, and there is nothing to tell.
        if !self.inner.in_transaction() {
            return self.inner.rollback();
        }
        let call = Call::new(StatementKind::Rollback, "ROLLBACK");
        self.told(call, |inner| inner.rollback().map(no_rows))
    }

    fn transaction_id(&mut self) -> Result<Option<TransactionId>> {
        self.inner.transaction_id()
    }

    fn fate(&mut self, transaction: &TransactionId) -> Result<Fate> {
        self.inner.fate(transaction)
    }

    fn check_constraints(&mut self) -> Result<()> {
        let call = Call::new(StatementKind::Run, "CHECK CONSTRAINTS");
        self.told(call, |inner| inner.check_constraints().map(no_rows))
    }

    fn table_info(&mut self, table: &TableName) -> Result<Option<TableInfo>> {
        let words = format!("DESCRIBE {table}");
        let call = Call::new(StatementKind::Describe, &words);
        self.told(call, |inner| inner.table_info(table).map(no_rows))
    }

    fn table_storage(
        &mut self,
        table: &TableName,
        key: Option<&Ident>,
    ) -> Result<Option<TableStorage>> {
        let words = format!("DESCRIBE STORAGE {table}");
        let call = Call::new(StatementKind::Describe, &words);
        self.told(call, |inner| inner.table_storage(table, key).map(no_rows))
    }

    fn ping(&mut self, deadline: Instant) -> Result<()> {
        self.inner.ping(deadline)
    }

    fn distrust(&mut self) {
        self.inner.distrust();
    }

    fn reset(&mut self, deadline: Instant) -> Result<Leftovers> {
        let start = Instant::now();
        let left = self.inner.reset(deadline)?;
        let time = start.elapsed();
        if !left.is_empty() && self.echo.wants(time) {
            let words = format!("RESET {left}");
            self.tell(Call::new(StatementKind::Reset, &words), time, None, None);
        }
        Ok(left)
    }

    fn set_statement_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.inner.set_statement_timeout(timeout)
    }

    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        self.inner.interrupt()
    }

    fn server_limit(&mut self) -> Result<Option<ServerLimit>> {
        self.inner.server_limit()
    }

    fn server_state(&mut self, deadline: Instant) -> Result<Option<ServerState>> {
        self.inner.server_state(deadline)
    }

    fn log_place(&mut self) -> Result<Option<LogPlace>> {
        self.inner.log_place()
    }

    fn log_forks(&mut self, timeline: u32, deadline: Instant) -> Result<Option<Vec<Fork>>> {
        self.inner.log_forks(timeline, deadline)
    }

    fn explain(&self, refusal: Refusal) -> Error {
        self.inner.explain(refusal)
    }

    fn in_transaction(&self) -> bool {
        self.inner.in_transaction()
    }

    fn is_broken(&self) -> bool {
        self.inner.is_broken()
    }
}
