//! What a check-out and its return cost when nobody else wants a connection; no server.
//!
//! `cargo bench --bench pool`. Plain `r2d2` lends a number through a manager that does nothing;
//! rowmill's pool does all it promises, over a connection that does nothing.
#![allow(missing_docs, clippy::unwrap_used, unreachable_pub, reason = "a bench fails by panicking")]

#[path = "../tests/it/support/mod.rs"]
mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use std::convert::Infallible;
use support::fake::Fake;

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
    let plain = r2d2::Pool::builder().max_size(4).test_on_check_out(false).build(Numbers).unwrap();
    group.bench_function("plain r2d2", |b| b.iter(|| drop(plain.get().unwrap())));
    let pool = Fake::default().pool(4, 0);
    group.bench_function("QueuePool", |b| b.iter(|| drop(pool.get().unwrap())));
    group.bench_function("QueuePool with a label", |b| {
        b.iter(|| drop(pool.get_labelled("merge").unwrap()));
    });
    group.finish();
}

criterion_group!(benches, check_out_and_return);
criterion_main!(benches);
