//! The kinds of pools: one that keeps nothing, one that lends one connection at a time.

use crate::support::LIMIT;
use crate::support::fake::{Fake, id, take, until};
use rowmill::{
    AssertionPool, Engine, ErrorKind, NullPool, Pool, PoolHooks, PoolKind, PoolOptions, QueuePool,
};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

fn null(fake: &Fake, most: u32) -> NullPool {
    let options = PoolOptions::new().pool_size(most).max_overflow(0).timeout(LIMIT);
    NullPool::new(Arc::new(fake.clone()), options).unwrap()
}

/// pool-contract A40, R15
#[test]
fn a_null_pool_opens_a_connection_for_each_check_out_and_closes_it() {
    let fake = Fake::default();
    let pool = null(&fake, 2);
    for number in 0..3 {
        let mut connection = pool.get().unwrap();
        assert_eq!((id(&mut connection), fake.open()), (number, 1));
        drop(connection);
        assert_eq!((fake.open(), pool.stats().idle, pool.stats().total), (0, 0, 0));
    }
    let mut connection = pool.get().unwrap();
    connection.invalidate();
    drop(connection);
    assert_eq!((fake.open(), id(&mut pool.get().unwrap())), (0, 4));
}

#[test]
fn a_null_pool_is_bounded_and_serves_those_who_wait() {
    let fake = Fake::default();
    let pool = null(&fake, 2);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..20).for_each(|_| drop(pool.get().unwrap())));
        }
    });
    assert!(fake.peak() <= 2);
    assert_eq!((fake.connects(), fake.open(), pool.capacity()), (320, 0, 2));
}

#[test]
fn what_has_to_do_with_kept_connections_means_nothing_to_a_null_pool() {
    let fake = Fake::default();
    let options = PoolOptions::new().pre_ping(true).idle_timeout(Duration::from_secs(1));
    let pool = fake.hooked(options.kind(PoolKind::Null), PoolHooks::new());
    drop(pool.get().unwrap());
    drop(pool.get().unwrap());
    pool.tend();
    assert_eq!((fake.count("ping"), fake.connects(), fake.open()), (0, 2, 0));
}

/// pool-contract A41
#[test]
fn an_assertion_pool_refuses_a_second_connection_and_names_the_first() {
    let fake = Fake::default();
    let pool = AssertionPool::new(Arc::new(fake.clone()), PoolOptions::new()).unwrap();
    assert_eq!(pool.capacity(), 1);
    let held = take(&pool, 1);
    let error = pool.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolFull);
    assert!(error.message().contains("pool_kinds.rs"), "the second: {error}");
    assert!(error.message().contains("taken at tests/it/support/fake.rs"), "the first: {error}");
    drop(held);
    let mut again = pool.get().unwrap();
    assert_eq!(id(&mut again), 0);
    again.invalidate();
    drop(again);
    assert!(pool.get().is_ok());
}

/// pool-contract A41
#[test]
fn an_assertion_pool_whose_connection_cannot_be_opened_lends_one_later() {
    let fake = Fake::default();
    let options = PoolOptions::new();
    let pool = AssertionPool::new(Arc::new(fake.clone()), options).unwrap();
    fake.fail_with(&["57P03"; 100]);
    assert!(pool.get_within(Duration::from_millis(1)).is_err());
    fake.fail_with(&[]);
    assert!(pool.get().is_ok());
}

#[test]
fn an_engine_works_with_each_kind() {
    for (kind, kept) in [(PoolKind::Queue, 1), (PoolKind::Null, 0), (PoolKind::Assertion, 1)] {
        let fake = Fake::default();
        let options = PoolOptions::new().kind(kind);
        let engine = Engine::from_backend(Arc::new(fake.clone()), options).unwrap();
        engine.run("fine").unwrap();
        assert_eq!((engine.stats().idle, engine.pool().options().kind), (kept, kind));
    }
}

#[test]
fn a_name_of_a_kind_wins_over_the_kind_in_the_options() {
    let options = PoolOptions::new().kind(PoolKind::Null);
    let pool: Pool = QueuePool::new(Arc::new(Fake::default()), options).unwrap().into();
    drop(pool.get().unwrap());
    assert_eq!(pool.stats().idle, 1);
    let gone = pool.clone();
    drop(pool);
    until("it sleeps", || gone.stats().idle == 1);
}
