//! What a check-out and its return cost when nobody else wants a connection; no server.
//!
//! `cargo bench --bench pool`. Plain `r2d2` lends a number through a manager that does nothing;
//! rowmill's pool does all it promises, over a connection that does nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use criterion::{Criterion, criterion_group, criterion_main};
use rowmill::backend::capabilities::Capabilities;
use rowmill::backend::fate::{Fate, TransactionId};
use rowmill::backend::interrupt::Interrupt;
use rowmill::backend::leftovers::Leftovers;
use rowmill::backend::server_limit::ServerLimit;
use rowmill::backend::table_info::TableInfo;
use rowmill::backend::{Backend, Connection, JobLock, RowRef};
use rowmill::{Column, Dialect, Param, PoolOptions, QueuePool, Result, Rows, TableName};
use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug)]
struct Nothing(Capabilities);

const NOTHING: Capabilities = Capabilities::none(Dialect::PostgreSql);

impl r2d2::ManageConnection for Nothing {
    type Connection = u64;
    type Error = Infallible;

    fn connect(&self) -> Result<u64, Infallible> {
        Ok(7)
    }

    fn is_valid(&self, _: &mut u64) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, _: &mut u64) -> bool {
        false
    }
}

impl Backend for Nothing {
    fn connect(&self, _: Instant) -> Result<Box<dyn Connection>> {
        Ok(Box::new(Self(self.0)))
    }

    fn max_connections(&self) -> Option<u32> {
        None
    }

    fn lock_job(&self, _: i64, _: Instant) -> Result<Option<Box<dyn JobLock>>> {
        Ok(None)
    }

    fn describe(&self) -> String {
        "nothing".to_owned()
    }
}

impl Connection for Nothing {
    fn capabilities(&self) -> &Capabilities {
        &self.0
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

    fn load(&mut self, _: &TableName, _: &[Column], _: &Rows, _: Range<usize>) -> Result<u64> {
        Ok(0)
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

    fn in_transaction(&self) -> bool {
        false
    }

    fn is_broken(&self) -> bool {
        false
    }
}

fn check_out_and_return(c: &mut Criterion) {
    let mut group = c.benchmark_group("check-out and return");
    let plain = r2d2::Pool::builder().max_size(4).test_on_check_out(false);
    let plain = plain.build(Nothing(NOTHING)).unwrap();
    group.bench_function("plain r2d2", |b| b.iter(|| drop(plain.get().unwrap())));
    let pool = QueuePool::new(Arc::new(Nothing(NOTHING)), PoolOptions::new()).unwrap();
    group.bench_function("QueuePool", |b| b.iter(|| drop(pool.get().unwrap())));
    group.bench_function("QueuePool with a label", |b| {
        b.iter(|| drop(pool.get_labelled("merge").unwrap()));
    });
    group.finish();
}

fn statement(c: &mut Criterion) {
    let mut group = c.benchmark_group("a call that does nothing");
    let mut plain: Box<dyn Connection> = Box::new(Nothing(NOTHING));
    group.bench_function("on the connection", |b| b.iter(|| plain.execute("x", &[])));
    let pool = QueuePool::new(Arc::new(Nothing(NOTHING)), PoolOptions::new()).unwrap();
    let mut pooled = pool.get().unwrap();
    group.bench_function("on loan", |b| b.iter(|| pooled.execute("x", &[])));
    group.finish();
}

criterion_group!(benches, check_out_and_return, statement);
criterion_main!(benches);
