//! What a check-out and its return cost when nobody else wants a connection; no server.
//!
//! `cargo bench --bench pool`. Plain `r2d2` lends a number through a manager that does nothing;
//! rowmill's pool does all it promises, by itself and behind an engine, over a connection that does
//! nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "common/nothing.rs"]
mod nothing;

use criterion::{Criterion, criterion_group, criterion_main};
use nothing::Nothing;
use rowmill::backend::Connection;
use rowmill::{Engine, PoolOptions, QueuePool};
use std::convert::Infallible;
use std::sync::Arc;

/// Lends a number.
#[derive(Debug)]
struct Numbers;

impl r2d2::ManageConnection for Numbers {
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

fn check_out_and_return(c: &mut Criterion) {
    let mut group = c.benchmark_group("check-out and return");
    let plain = r2d2::Pool::builder().max_size(4).test_on_check_out(false);
    let plain = plain.build(Numbers).unwrap();
    group.bench_function("plain r2d2", |b| b.iter(|| drop(plain.get().unwrap())));
    let pool = QueuePool::new(Arc::new(Nothing), PoolOptions::new()).unwrap();
    group.bench_function("QueuePool", |b| b.iter(|| drop(pool.get().unwrap())));
    group.bench_function("QueuePool with a label", |b| {
        b.iter(|| drop(pool.get_labelled("merge").unwrap()));
    });
    let engine = Engine::from_backend(Arc::new(Nothing), PoolOptions::new()).unwrap();
    group.bench_function("Engine", |b| b.iter(|| drop(engine.get().unwrap())));
    group.finish();
}

fn statement(c: &mut Criterion) {
    let mut group = c.benchmark_group("a call that does nothing");
    let mut plain: Box<dyn Connection> = Box::new(Nothing);
    group.bench_function("on the connection", |b| b.iter(|| plain.execute("x", &[])));
    let pool = QueuePool::new(Arc::new(Nothing), PoolOptions::new()).unwrap();
    let mut pooled = pool.get().unwrap();
    group.bench_function("on loan", |b| b.iter(|| pooled.execute("x", &[])));
    group.finish();
}

criterion_group!(benches, check_out_and_return, statement);
criterion_main!(benches);
