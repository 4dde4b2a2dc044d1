//! Disposing of a pool.

use crate::support::LIMIT;
use crate::support::fake::{Fake, take, until};
use rowmill::ErrorKind;
use std::thread;
use std::time::Instant;

#[test]
fn idle_connections_are_closed_and_nobody_gets_another() {
    let fake = Fake::default();
    let pool = fake.pool(3, 0);
    drop(take(&pool, 3));
    pool.dispose();
    pool.dispose();
    assert_eq!((fake.open(), pool.stats().total, pool.stats().idle), (0, 0, 0));
    assert_eq!(pool.get().unwrap_err().kind(), ErrorKind::PoolClosed);
}

#[test]
fn a_connection_on_loan_is_closed_when_it_comes_back() {
    let fake = Fake::default();
    let pool = fake.pool(3, 0);
    let mut held = take(&pool, 1);
    pool.dispose();
    assert!(held[0].execute("id", &[]).is_ok());
    drop(held);
    assert_eq!((fake.open(), pool.stats().total), (0, 0));
}

#[test]
fn those_who_wait_are_told_at_once() {
    let pool = Fake::default().pool(1, 0);
    let held = take(&pool, 1);
    let before = Instant::now();
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..4).map(|_| scope.spawn(|| pool.get().map(drop))).collect();
        until("all wait", || pool.stats().waiting == 4);
        pool.dispose();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap().unwrap_err().kind(), ErrorKind::PoolClosed);
        }
    });
    assert!(before.elapsed() < LIMIT / 2);
    drop(held);
}

#[test]
fn one_who_pauses_between_two_attempts_is_told_at_once() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    fake.fail_with(&["57P03"; 1000]);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| pool.get().map(drop));
        until("an attempt fails", || fake.connects() > 0);
        pool.dispose();
        assert_eq!(waiter.join().unwrap().unwrap_err().kind(), ErrorKind::PoolClosed);
    });
}

#[test]
fn a_pool_that_is_disposed_of_while_it_is_used_ends_with_nothing_open() {
    for _ in 0..20 {
        let fake = Fake::default();
        let pool = fake.pool(2, 2);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| while pool.get().is_ok() {});
            }
            until("connections are used", || fake.connects() > 2);
            pool.dispose();
        });
        let stats = pool.stats();
        assert_eq!((fake.open(), stats.total, stats.idle, stats.in_use), (0, 0, 0, 0));
    }
}
