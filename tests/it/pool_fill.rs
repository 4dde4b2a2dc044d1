//! What a pool opens without being asked, and what it does at its start.

use crate::support::Gate;
use crate::support::fake::{Fake, id, take, until};
use rowmill::{ErrorKind, Pool, PoolHooks, PoolOptions, QueuePool, Start};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

fn filled(fake: &Fake, pool_size: u32, overflow: u32, min_idle: u32) -> Pool {
    let options = PoolOptions::new().pool_size(pool_size).max_overflow(overflow);
    let pool = fake.hooked(options.min_idle(min_idle), PoolHooks::new());
    until("it is filled", || pool.stats().idle == min_idle);
    pool
}

/// pool-contract H7, H13, C3
#[test]
fn as_many_as_are_to_sleep_are_opened_and_replaced_without_anybody_asking() {
    let fake = Fake::default();
    let pool = filled(&fake, 5, 0, 3);
    assert_eq!((fake.open(), pool.stats().in_use), (3, 0));
    pool.invalidate_all();
    until("it is filled again", || pool.stats().idle == 3);
    assert_eq!((fake.connects(), fake.open()), (6, 3));
}

/// pool-contract H11
#[test]
fn those_who_borrow_do_not_count_as_sleeping_and_the_limit_holds() {
    let fake = Fake::default();
    let pool = filled(&fake, 10, 0, 5);
    let held = take(&pool, 7);
    until("it is filled up to the limit", || pool.stats().idle == 3 && fake.open() == 10);
    drop(held);
    assert_eq!((pool.stats().idle, fake.open(), fake.peak()), (10, 10, 10));
}

/// pool-contract H9
#[test]
fn nothing_is_opened_when_the_last_one_who_waits_is_gone() {
    let fake = Fake::default();
    let pool = fake.pool(4, 0);
    drop(take(&pool, 1));
    let connects = fake.connects();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| drop(pool.get().unwrap()));
        }
    });
    let opened = fake.connects();
    assert!(opened - connects <= 3, "{opened}");
    thread::park_timeout(Duration::from_millis(50));
    assert_eq!(fake.connects(), opened);
}

/// pool-contract H9
#[test]
fn one_who_waits_takes_what_comes_back_and_no_connection_is_opened_for_it() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    let held = take(&pool, 2);
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..8).map(|_| scope.spawn(|| drop(pool.get().unwrap()))).collect();
        until("all wait", || pool.stats().waiting == 8);
        drop(held);
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
    assert_eq!(fake.connects(), 2);
}

/// pool-contract C8, H15
#[test]
fn a_server_that_was_down_when_it_was_to_be_filled_is_tried_again() {
    let fake = Fake::default();
    fake.stop();
    let options = PoolOptions::new().pool_size(3).min_idle(3);
    let pool = fake.hooked(options, PoolHooks::new());
    until("it was tried", || pool.stats().connect_failures > 0);
    fake.start();
    until("it is filled", || pool.stats().idle == 3);
}

#[test]
fn an_eager_pool_is_full_when_it_is_made() {
    let fake = Fake::default();
    let pool = fake.pool_with(PoolOptions::new().pool_size(4).start(Start::Eager));
    assert_eq!((fake.open(), pool.stats().idle, fake.connects()), (4, 4, 4));
    assert!(id(&mut pool.get().unwrap()) < 4);
}

#[test]
fn an_eager_pool_opens_in_parallel_after_the_first() {
    let fake = Fake::default();
    let (gate, opened) = (Gate::closed(), fake.clone());
    let stop = gate.clone();
    let hooks = PoolHooks::new().on_connect(move |_| {
        if opened.connects() > 1 {
            stop.pass();
        }
        Ok(())
    });
    thread::scope(|scope| {
        let options = PoolOptions::new().pool_size(4).start(Start::Eager);
        let pool = scope.spawn(|| fake.hooked(options, hooks));
        gate.wait_until_reached_by(3);
        gate.open();
        assert_eq!(pool.join().unwrap().stats().idle, 4);
    });
}

#[test]
fn an_eager_pool_without_a_server_is_made_all_the_same() {
    let fake = Fake::default();
    fake.stop();
    let pool = fake.pool_with(PoolOptions::new().start(Start::Eager));
    assert_eq!((pool.stats().idle, fake.connects()), (0, 1));
}

/// pool-contract H15
#[test]
fn a_pool_that_is_to_fail_fast_fails_with_the_cause() {
    let fake = Fake::default();
    fake.fail_with(&["28P01"]);
    let options = PoolOptions::new().start(Start::FailFast);
    let error = QueuePool::new(Arc::new(fake.clone()), options.clone()).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Connect, "refused with 28P01"));
    let pool = QueuePool::new(Arc::new(fake.clone()), options).unwrap();
    assert_eq!((fake.open(), pool.stats().idle, fake.connects()), (1, 1, 2));
}

/// pool-contract H15
#[test]
fn a_connector_that_panics_ends_neither_the_housekeeper_nor_the_pool() {
    let fake = Fake::default();
    fake.panic_on_connect(2);
    let pool = filled(&fake, 2, 0, 2);
    assert_eq!((pool.stats().connect_failures, pool.stats().connects), (2, 2));
}
