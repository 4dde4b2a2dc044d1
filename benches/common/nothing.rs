//! A database that does nothing, for what is measured around it.

use rowmill::backend::capabilities::Capabilities;
use rowmill::backend::fate::{Fate, TransactionId};
use rowmill::backend::interrupt::Interrupt;
use rowmill::backend::leftovers::Leftovers;
use rowmill::backend::server_limit::ServerLimit;
use rowmill::backend::server_state::{Fork, LogPlace, ServerState};
use rowmill::backend::table_info::TableInfo;
use rowmill::backend::{Backend, Connection, JobLock, RowRef};
use rowmill::{Column, Dialect, Param, Result, Rows, TableName};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The database, and a connection to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nothing;

const NOTHING: Capabilities = Capabilities::none(Dialect::PostgreSql);

impl Backend for Nothing {
    fn connect(&self, _: Instant) -> Result<Box<dyn Connection>> {
        Ok(Box::new(Self))
    }

    fn max_connections(&self) -> Option<u32> {
        None
    }

    fn lock_job(&self, _: i64, _: Instant) -> Result<Option<Box<dyn JobLock>>> {
        Ok(None)
    }

    fn share_job(&self, _: i64, _: Instant) -> Result<Option<Box<dyn JobLock>>> {
        Ok(None)
    }

    fn locked_jobs(&self, keys: &[i64], _: Instant) -> Result<Vec<bool>> {
        Ok(vec![false; keys.len()])
    }

    fn describe(&self) -> String {
        "nothing".to_owned()
    }
}

impl Connection for Nothing {
    fn capabilities(&self) -> &Capabilities {
        &NOTHING
    }

    fn run(&mut self, _: &str) -> Result<()> {
        Ok(())
    }

    fn execute(&mut self, _: &str, _: &[Param<'_>]) -> Result<u64> {
        Ok(0)
    }

    fn query(
        &mut self,
        _: &str,
        _: &[Param<'_>],
        _: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        Ok(())
    }

    fn fly(&mut self, _: &mut [rowmill::backend::flight::Request]) -> Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &TableName, _: &[Column], _: &Rows, _: Range<usize>) -> Result<u64> {
        Ok(0)
    }

    fn unload(
        &mut self,
        _: &str,
        _: &[rowmill::ColumnType],
        _: &mut dyn FnMut(rowmill::backend::unloaded::Unloaded<'_>) -> Result<()>,
    ) -> Result<u64> {
        Ok(0)
    }

    fn table_storage(
        &mut self,
        _: &TableName,
        _: Option<&rowmill::Ident>,
    ) -> Result<Option<rowmill::backend::table_storage::TableStorage>> {
        Ok(None)
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
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        Ok(())
    }

    fn table_info(&mut self, _: &TableName) -> Result<Option<TableInfo>> {
        Ok(None)
    }

    fn ping(&mut self, _: Instant) -> Result<()> {
        Ok(())
    }

    fn distrust(&mut self) {}

    fn reset(&mut self, _: Instant) -> Result<Leftovers> {
        Ok(Leftovers::default())
    }

    fn transaction_id(&mut self) -> Result<Option<TransactionId>> {
        Ok(None)
    }

    fn fate(&mut self, _: &TransactionId) -> Result<Fate> {
        Ok(Fate::Unknown)
    }

    fn check_constraints(&mut self) -> Result<()> {
        Ok(())
    }

    fn set_statement_timeout(&mut self, _: Option<Duration>) -> Result<()> {
        Ok(())
    }

    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        None
    }

    fn server_limit(&mut self) -> Result<Option<ServerLimit>> {
        Ok(None)
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

    fn explain(&self, refusal: rowmill::backend::refusal::Refusal) -> rowmill::Error {
        refusal.unexplained()
    }

    fn in_transaction(&self) -> bool {
        false
    }

    fn is_broken(&self) -> bool {
        false
    }
}
