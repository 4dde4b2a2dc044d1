//! Disposing of a pool.

use crate::support::LIMIT;
use crate::support::Log;
use crate::support::fake::{Fake, take, until};
use rowmill::{ErrorKind, PoolHooks, PoolOptions};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// pool-contract A15, H18
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

/// pool-contract A15, C10
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

/// pool-contract C10
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

/// pool-contract H18
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

/// pool-contract C10, H18
#[test]
fn closing_waits_for_what_is_on_loan() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    let held = take(&pool, 2);
    thread::scope(|scope| {
        let closing = scope.spawn(|| pool.close(LIMIT));
        until("the pool is closed", || pool.get().is_err());
        assert!(!closing.is_finished());
        drop(held);
        let report = closing.join().unwrap();
        assert!(report.interrupted.is_empty() && report.still_out.is_empty());
    });
    assert_eq!((fake.open(), fake.count("cancel"), fake.count("sever")), (0, 0, 0));
}

#[test]
fn a_statement_that_runs_too_long_is_cancelled_by_closing() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    thread::scope(|scope| {
        let busy = scope.spawn(|| pool.get_labelled("merge").unwrap().run("hang"));
        until("the statement runs", || fake.count("hang") == 1);
        let report = pool.close(Duration::from_millis(10));
        assert_eq!(report.interrupted.len(), 1);
        assert_eq!(report.interrupted[0].label.as_deref(), Some("merge"));
        assert!(report.interrupted[0].is_running && report.still_out.is_empty());
        assert!(busy.join().unwrap().is_err());
    });
    assert_eq!((fake.count("cancel"), fake.count("sever"), fake.open()), (1, 0, 0));
}

#[test]
fn a_statement_that_cannot_be_cancelled_is_cut_off_by_closing() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    thread::scope(|scope| {
        let busy = scope.spawn(|| pool.get().unwrap().run("hang on"));
        until("the statement runs", || fake.count("hang") == 1);
        assert!(pool.close(Duration::ZERO).still_out.is_empty());
        assert!(busy.join().unwrap().unwrap_err().is_disconnect());
    });
    assert_eq!((fake.count("sever"), fake.open()), (1, 0));
}

#[test]
fn closing_says_who_still_has_a_connection() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    let held = pool.get_labelled("forgotten").unwrap();
    let before = Instant::now();
    let report = pool.close(Duration::ZERO);
    assert!(before.elapsed() < LIMIT / 2);
    assert_eq!(report.still_out.len(), 1);
    assert_eq!(report.still_out[0].label.as_deref(), Some("forgotten"));
    drop(held);
    assert_eq!(fake.open(), 0);
}

/// The threads of this process that have this name.
#[cfg(target_os = "linux")]
fn threads_called(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|comm| comm.trim_end() == name).count()
}

/// pool-contract H18, H19, C10
#[cfg(target_os = "linux")]
#[test]
fn the_housekeeper_ends_with_its_pool_and_there_is_none_where_there_is_nothing_to_do() {
    let fake = Fake::default();
    let quiet = fake.pool(1, 0);
    drop(quiet.get().unwrap());
    assert_eq!(threads_called(&format!("rowmill-keep-{}", quiet.name().id)), 0);
    for is_closed in [true, false] {
        let options = PoolOptions::new().min_idle(1).idle_timeout(Duration::from_hours(1));
        let pool = fake.hooked(options, PoolHooks::new());
        let name: String = format!("rowmill-keep-{}", pool.name().id).chars().take(15).collect();
        until("the housekeeper works", || threads_called(&name) >= 1 && pool.stats().idle == 1);
        if is_closed {
            pool.close(Duration::ZERO);
        } else {
            drop(pool);
        }
        until("the housekeeper has ended", || threads_called(&name) == 0);
    }
}

/// pool-contract H18
#[test]
fn closing_twice_tells_once_and_leaves_nothing() {
    let (fake, log) = (Fake::default(), Arc::new(Log::default()));
    let pool = fake.hooked(PoolOptions::new().min_idle(2), PoolHooks::new().listener(log.clone()));
    until("it is filled", || pool.stats().idle == 2);
    pool.close(Duration::ZERO);
    pool.close(Duration::ZERO);
    let stats = pool.stats();
    assert_eq!((fake.open(), stats.total, stats.idle, log.count("pool closed")), (0, 0, 0, 1));
    pool.tend();
    assert_eq!(fake.open(), 0, "a closed pool opens nothing");
}

/// pool-contract C10
#[test]
fn a_closed_pool_can_be_made_again() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    pool.dispose();
    assert!(pool.recreate().unwrap().get().is_ok());
    assert!(pool.get().is_err());
}

#[test]
fn a_pool_that_is_closed_while_a_connection_is_opened_keeps_none() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let gate = fake.gate_connect();
    thread::scope(|scope| {
        let slow = scope.spawn(|| pool.get().map(drop));
        gate.wait_until_reached();
        pool.dispose();
        gate.open();
        let _ = slow.join().unwrap();
    });
    assert_eq!((fake.open(), pool.stats().total, pool.stats().in_use), (0, 0, 0));
}

/// pool-contract H14
#[test]
fn a_suspended_pool_holds_those_who_come_takes_what_comes_back_and_serves_them_later() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    let mut held = take(&pool, 2);
    drop(held.pop());
    pool.suspend();
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..2).map(|_| scope.spawn(|| pool.get().map(drop))).collect();
        until("both wait", || pool.stats().waiting == 2);
        held.clear();
        assert_eq!((pool.stats().idle, pool.stats().waiting), (2, 2));
        let error = pool.get_within(Duration::from_millis(5)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout);
        pool.resume();
        assert!(waiters.into_iter().all(|waiter| waiter.join().unwrap().is_ok()));
    });
    assert_eq!((pool.stats().in_use, fake.connects()), (0, 2));
}
