//! A pool whose sizes change while it is used.

use crate::support::LIMIT;
use crate::support::Log;
use crate::support::fake::{Fake, id, take, take_one, until};
use rowmill::{ErrorKind, Overflow, PoolHooks, PoolKind, PoolOptions, QueuePool};
use std::sync::Arc;
use std::thread;

fn fixed(fake: &Fake, pool_size: u32) -> QueuePool {
    fake.pool(pool_size, 0)
}

/// pool-contract C3
#[test]
fn one_that_grows_serves_those_who_wait() {
    let fake = Fake::default();
    let pool = fixed(&fake, 1);
    let held = take(&pool, 1);
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..2).map(|_| scope.spawn(|| drop(pool.get().unwrap()))).collect();
        until("two wait", || pool.stats().waiting == 2);
        pool.resize(2, 1).unwrap();
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
    drop(held);
    assert_eq!((pool.capacity(), pool.stats().pool_size, fake.open()), (3, 2, 2));
}

/// pool-contract C3: every slot can be used, and no more than those.
#[test]
fn one_that_grew_has_room_for_as_many_as_it_says() {
    let fake = Fake::default();
    let pool = fixed(&fake, 1);
    drop(take(&pool, 1));
    pool.resize(20, 4).unwrap();
    let held = take(&pool, 24);
    assert_eq!((fake.open(), fake.peak()), (24, 24));
    assert_eq!(
        pool.get_within(std::time::Duration::ZERO).unwrap_err().kind(),
        ErrorKind::PoolTimeout
    );
    drop(held);
    assert_eq!((fake.open(), pool.stats().idle), (20, 20));
}

/// pool-contract C3
#[test]
fn one_that_shrinks_closes_what_sleeps_at_once_and_the_rest_when_it_comes_back() {
    let fake = Fake::default();
    let log = Arc::new(Log::default());
    let options = PoolOptions::new().pool_size(6).max_overflow(0).timeout(LIMIT);
    let pool = fake.hooked(options, PoolHooks::new().listener(log.clone()));
    let mut held = take(&pool, 6);
    drop(held.split_off(4));
    assert_eq!((fake.open(), pool.stats().idle), (6, 2));
    pool.resize(3, 0).unwrap();
    assert_eq!((fake.open(), pool.stats().idle, pool.stats().in_use), (4, 0, 4));
    drop(held.pop());
    assert_eq!((fake.open(), pool.stats().idle), (3, 0), "there were four");
    drop(held);
    assert_eq!((fake.open(), pool.stats().idle, pool.stats().in_use), (3, 3, 0));
    assert_eq!(log.count("close: "), 3);
    drop(take(&pool, 3));
    assert_eq!((fake.open(), fake.connects()), (3, 6));
}

/// What is kept is what was used last.
#[test]
fn what_slept_longest_is_closed() {
    let fake = Fake::default();
    let pool = fixed(&fake, 3);
    let mut held = take(&pool, 3);
    let last = id(&mut held[2]);
    for one in held {
        drop(one);
    }
    pool.resize(1, 0).unwrap();
    assert_eq!((fake.open(), id(&mut pool.get().unwrap())), (1, last));
}

/// A seat that comes back while there are too many is nobody's.
#[test]
fn those_who_wait_are_served_only_within_the_new_limit() {
    let fake = Fake::default();
    let pool = fixed(&fake, 3);
    let mut held = take(&pool, 3);
    pool.resize(1, 0).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| id(&mut pool.get().unwrap()));
        until("one waits", || pool.stats().waiting == 1);
        drop(held.pop());
        drop(held.pop());
        assert_eq!((pool.stats().waiting, fake.open(), pool.stats().in_use), (1, 1, 1));
        let left = id(&mut held[0]);
        drop(held.pop());
        assert_eq!(waiter.join().unwrap(), left);
    });
    assert_eq!((fake.open(), fake.connects()), (1, 3));
}

/// pool-contract C3
#[test]
fn a_bad_size_is_refused_and_changes_nothing() {
    let fake = Fake::default();
    let pool = fake.pool_with(PoolOptions::new().pool_size(4).max_overflow(1).min_idle(2));
    for (pool_size, overflow) in [(1, 0), (20_000, 0)] {
        let error = pool.resize(pool_size, overflow).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    assert_eq!((pool.capacity(), pool.stats().pool_size), (5, 4));
    let single = fake.hooked(PoolOptions::new().kind(PoolKind::Assertion), PoolHooks::new());
    assert_eq!(single.resize(4, 0).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn the_limit_can_go_and_a_new_pool_has_the_new_sizes() {
    let fake = Fake::default();
    let pool = fixed(&fake, 1);
    pool.resize(2, Overflow::Unlimited).unwrap();
    drop(take(&pool, 12));
    assert_eq!((fake.peak(), fake.open()), (12, 2));
    assert_eq!(pool.recreate().unwrap().stats().pool_size, 2);
}

/// Resizing while others come and go: never more than the larger size, and nobody is forgotten.
#[test]
fn resizing_under_load_loses_nobody() {
    let fake = Fake::default();
    let pool = fixed(&fake, 4);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..300).for_each(|_| drop(pool.get().unwrap())));
        }
        for round in 0..100 {
            pool.resize(1 + round % 4, 0).unwrap();
        }
    });
    assert!(fake.peak() <= 4, "{}", fake.peak());
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.waiting, stats.idle), (0, 0, fake.open()));
    pool.resize(2, 0).unwrap();
    drop(take(&pool, 2));
    assert_eq!(fake.open(), 2);
    drop(take_one(&pool));
}
