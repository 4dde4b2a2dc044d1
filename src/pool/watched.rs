//! A connection in the hands of its holder.

use super::link::Link;
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
use crate::sql::dialect::Dialect;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection in the hands of its holder: passes every call on, marks that one runs, and notes
/// what its error says of the connection. One that was given up fails every call.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) link: Option<Box<Link>>,
}

const NOTHING: Capabilities = Capabilities::none(Dialect::PostgreSql);

fn gone() -> Error {
    Error::new(ErrorKind::Disconnect, "this connection was given up")
        .with_hint("take another one from the pool")
}

impl Watched {
    fn call<T>(
        &mut self,
        work: impl FnOnce(&mut (dyn Connection + 'static)) -> Result<T>,
    ) -> Result<T> {
        let link = self.link.as_deref_mut().ok_or_else(gone)?;
        let running = link.badge.begin();
        let result = work(&mut *link.connection);
        drop(running);
        result.map_err(|error| link.note(error))
    }

    /// The same for work that hands out rows. An error of whoever takes them says nothing of this
    /// connection, for it may be another's: the work sets it aside.
    fn hand_out<T>(
        &mut self,
        work: impl FnOnce(&mut (dyn Connection + 'static), &mut Option<Error>) -> Result<T>,
    ) -> Result<T> {
        let mut foreign = None;
        let link = self.link.as_deref_mut().ok_or_else(gone)?;
        let running = link.badge.begin();
        let result = work(&mut *link.connection, &mut foreign);
        drop(running);
        match (result, foreign) {
            (Err(_), Some(error)) if !link.connection.is_broken() => Err(error),
            (Err(error), _) => Err(link.note(error)),
            (Ok(done), _) => Ok(done),
        }
    }
}

/// Keeps an error of the caller's, and gives a copy to go on with.
fn set_aside(foreign: &mut Option<Error>, error: Error) -> Error {
    let copy = error.without_source();
    *foreign = Some(error);
    copy
}

impl Connection for Watched {
    fn capabilities(&self) -> &Capabilities {
        self.link.as_ref().map_or(&NOTHING, |link| link.connection.capabilities())
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        self.call(|connection| connection.run(sql))
    }

    fn ahead(&mut self, sql: &str) -> Result<()> {
        self.call(|connection| connection.ahead(sql))
    }

    fn execute_ahead(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.call(|connection| connection.execute_ahead(sql, params))
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.call(|connection| connection.execute(sql, params))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        self.hand_out(|connection, foreign| {
            connection
                .query(sql, params, &mut |row| each(row).map_err(|error| set_aside(foreign, error)))
        })
    }

    fn fly(&mut self, requests: &mut [Request]) -> Result<()> {
        self.call(|connection| connection.fly(requests))
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[Column],
        rows: &Rows,
        range: Range<usize>,
    ) -> Result<u64> {
        self.call(|connection| connection.load(table, columns, rows, range))
    }

    fn unload(
        &mut self,
        select: &str,
        types: &[ColumnType],
        each: &mut dyn FnMut(Unloaded<'_>) -> Result<()>,
    ) -> Result<u64> {
        self.hand_out(|connection, foreign| {
            connection.unload(select, types, &mut |row| {
                each(row).map_err(|error| set_aside(foreign, error))
            })
        })
    }

    fn begin(&mut self) -> Result<()> {
        self.call(Connection::begin)
    }

    fn begin_with(&mut self, settings: &str) -> Result<()> {
        self.call(|connection| connection.begin_with(settings))
    }

    fn commit(&mut self) -> Result<()> {
        self.call(Connection::commit)
    }

    fn rollback(&mut self) -> Result<()> {
        self.call(Connection::rollback)
    }

    fn transaction_id(&mut self) -> Result<Option<TransactionId>> {
        self.call(Connection::transaction_id)
    }

    fn fate(&mut self, transaction: &TransactionId) -> Result<Fate> {
        self.call(|connection| connection.fate(transaction))
    }

    fn check_constraints(&mut self) -> Result<()> {
        self.call(Connection::check_constraints)
    }

    fn table_info(&mut self, table: &TableName) -> Result<Option<TableInfo>> {
        self.call(|connection| connection.table_info(table))
    }

    fn table_storage(
        &mut self,
        table: &TableName,
        key: Option<&Ident>,
    ) -> Result<Option<TableStorage>> {
        self.call(|connection| connection.table_storage(table, key))
    }

    fn ping(&mut self, deadline: Instant) -> Result<()> {
        self.call(|connection| connection.ping(deadline))
    }

    fn reset(&mut self, deadline: Instant) -> Result<Leftovers> {
        self.call(|connection| connection.reset(deadline))
    }

    fn distrust(&mut self) {
        if let Some(link) = &mut self.link {
            link.connection.distrust();
        }
    }

    fn set_statement_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.call(|connection| connection.set_statement_timeout(timeout))
    }

    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        self.link.as_ref().and_then(|link| link.connection.interrupt())
    }

    fn server_limit(&mut self) -> Result<Option<ServerLimit>> {
        self.call(Connection::server_limit)
    }

    fn server_state(&mut self, deadline: Instant) -> Result<Option<ServerState>> {
        self.call(|connection| connection.server_state(deadline))
    }

    fn log_place(&mut self) -> Result<Option<LogPlace>> {
        self.call(Connection::log_place)
    }

    fn log_forks(&mut self, timeline: u32, deadline: Instant) -> Result<Option<Vec<Fork>>> {
        self.call(|connection| connection.log_forks(timeline, deadline))
    }

    fn explain(&self, refusal: Refusal) -> Error {
        match &self.link {
            Some(link) => link.connection.explain(refusal),
            None => refusal.unexplained(),
        }
    }

    fn in_transaction(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.connection.in_transaction())
    }

    fn is_broken(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.lost.is_some() || link.connection.is_broken())
    }
}

#[cfg(test)]
mod tests {
    /// One that is left out would answer with the trait's default instead of the database.
    #[test]
    fn every_call_is_passed_on() {
        let seam = include_str!("../backend/mod.rs");
        let start = seam.find("pub trait Connection").unwrap();
        let end = start + seam[start..].find("\n}").unwrap();
        let calls = seam[start..end].split("    fn ").skip(1);
        let names: Vec<_> = calls.map(|call| call.split('(').next().unwrap()).collect();
        assert!(names.len() > 15 && names.contains(&"reset"), "{names:?}");
        let own = include_str!("watched.rs");
        for name in names {
            assert!(own.contains(&format!("    fn {name}(")), "{name} is not passed on");
        }
    }
}
