//! What a statement takes for its connection.

use super::shared::Flights;
use crate::backend::capabilities::Capabilities;
use crate::backend::fate::{Fate, TransactionId};
use crate::backend::flight::{Answer, Outcome, Request};
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
use crate::pool::Pooled;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a statement takes for its connection: its statements are sent with those of others, until it
/// does what needs a connection of its own, which it then keeps.
#[derive(Debug)]
pub(super) struct Passenger<'a> {
    flights: &'a Flights,
    own: Option<Pooled>,
}

impl<'a> Passenger<'a> {
    pub(super) fn new(flights: &'a Flights) -> Self {
        Self { flights, own: None }
    }

    #[track_caller]
    fn own(&mut self) -> Result<&mut dyn Connection> {
        if self.own.is_none() {
            self.own = Some(self.flights.engine().get()?);
        }
        match &mut self.own {
            Some(own) => Ok(&mut **own),
            None => Err(Error::new(ErrorKind::Internal, "a connection was lost")),
        }
    }

    /// Sends a statement with those of others; `None` if it has to be run alone.
    #[track_caller]
    fn ride(&self, sql: &str, params: &[Param<'_>]) -> Result<Option<Answer>> {
        if self.own.is_some() {
            return Ok(None);
        }
        match self.flights.ride(Request::new(sql, params))?.outcome {
            Outcome::Answer(answer) => Ok(Some(answer)),
            Outcome::Failed(error) => Err(error),
            Outcome::NotTaken => Ok(None),
            Outcome::Unknown => {
                Err(Error::new(ErrorKind::Internal, "nobody knows what became of a statement"))
            }
        }
    }
}

impl Connection for Passenger<'_> {
    fn capabilities(&self) -> &Capabilities {
        self.flights.capabilities()
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        self.own()?.run(sql)
    }

    fn ahead(&mut self, sql: &str) -> Result<()> {
        self.own()?.ahead(sql)
    }

    fn execute_ahead(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.own()?.execute_ahead(sql, params)
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        match self.ride(sql, params)? {
            Some(answer) => Ok(answer.changed()),
            None => self.own()?.execute(sql, params),
        }
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        match self.ride(sql, params)? {
            Some(answer) => answer.rows(each),
            None => self.own()?.query(sql, params, each),
        }
    }

    fn fly(&mut self, requests: &mut [Request]) -> Result<()> {
        self.own()?.fly(requests)
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[Column],
        rows: &Rows,
        range: Range<usize>,
    ) -> Result<u64> {
        self.own()?.load(table, columns, rows, range)
    }

    fn unload(
        &mut self,
        select: &str,
        types: &[ColumnType],
        each: &mut dyn FnMut(Unloaded<'_>) -> Result<()>,
    ) -> Result<u64> {
        self.own()?.unload(select, types, each)
    }

    fn begin(&mut self) -> Result<()> {
        self.own()?.begin()
    }

    fn begin_with(&mut self, settings: &str) -> Result<()> {
        self.own()?.begin_with(settings)
    }

    fn commit(&mut self) -> Result<()> {
        self.own()?.commit()
    }

    fn rollback(&mut self) -> Result<()> {
        match &mut self.own {
            Some(own) => own.rollback(),
            None => Ok(()),
        }
    }

    fn transaction_id(&mut self) -> Result<Option<TransactionId>> {
        self.own()?.transaction_id()
    }

    fn fate(&mut self, transaction: &TransactionId) -> Result<Fate> {
        self.own()?.fate(transaction)
    }

    fn check_constraints(&mut self) -> Result<()> {
        self.own()?.check_constraints()
    }

    fn table_info(&mut self, table: &TableName) -> Result<Option<TableInfo>> {
        self.own()?.table_info(table)
    }

    fn table_storage(
        &mut self,
        table: &TableName,
        key: Option<&Ident>,
    ) -> Result<Option<TableStorage>> {
        self.own()?.table_storage(table, key)
    }

    fn ping(&mut self, deadline: Instant) -> Result<()> {
        self.own()?.ping(deadline)
    }

    fn reset(&mut self, deadline: Instant) -> Result<Leftovers> {
        match &mut self.own {
            Some(own) => own.reset(deadline),
            None => Ok(Leftovers::default()),
        }
    }

    fn distrust(&mut self) {
        if let Some(own) = &mut self.own {
            own.distrust();
        }
    }

    fn set_statement_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        self.own()?.set_statement_timeout(limit)
    }

    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        self.own.as_ref().and_then(|own| own.interrupt())
    }

    fn server_limit(&mut self) -> Result<Option<ServerLimit>> {
        self.own()?.server_limit()
    }

    fn server_state(&mut self, deadline: Instant) -> Result<Option<ServerState>> {
        self.own()?.server_state(deadline)
    }

    fn log_place(&mut self) -> Result<Option<LogPlace>> {
        self.own()?.log_place()
    }

    fn log_forks(&mut self, timeline: u32, deadline: Instant) -> Result<Option<Vec<Fork>>> {
        self.own()?.log_forks(timeline, deadline)
    }

    fn explain(&self, refusal: Refusal) -> Error {
        match &self.own {
            Some(own) => own.explain(refusal),
            None => refusal.unexplained(),
        }
    }

    fn in_transaction(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.in_transaction())
    }

    fn is_broken(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.is_broken())
    }
}
