//! Several pools within one budget, and the limit of the server.

use crate::support::LIMIT;
use crate::support::fake::{Fake, take, take_one, until};
use rowmill::backend::server_limit::ServerLimit;
use rowmill::{Budget, ErrorKind, Pool, PoolHooks, PoolOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn pool(fake: &Fake, budget: &Budget) -> Pool {
    fake.hooked(PoolOptions::new().pool_size(4), PoolHooks::new().budget(budget))
}

#[test]
fn pools_together_never_open_more_than_the_budget() {
    let (fake, budget) = (Fake::default(), Budget::new(3));
    let pools = [pool(&fake, &budget), pool(&fake, &budget), pool(&fake, &budget)];
    thread::scope(|scope| {
        for number in 0..12 {
            let pool = &pools[number % 3];
            scope.spawn(|| (0..50).for_each(|_| drop(pool.get().unwrap())));
        }
    });
    assert!(fake.peak() <= 3, "{} were open", fake.peak());
    assert_eq!(budget.open(), fake.open());
    drop(pools);
    assert_eq!((budget.open(), fake.open()), (0, 0));
}

#[test]
fn one_that_sleeps_in_another_pool_makes_room() {
    let (fake, budget) = (Fake::default(), Budget::new(2));
    let (one, other) = (pool(&fake, &budget), pool(&fake, &budget));
    drop(take(&one, 2));
    drop(take(&other, 1));
    assert_eq!((one.stats().idle, other.stats().idle, fake.open()), (1, 1, 2));
}

#[test]
fn without_one_that_sleeps_the_pools_wait_for_each_other() {
    let (fake, budget) = (Fake::default(), Budget::new(1));
    let (one, other) = (pool(&fake, &budget), pool(&fake, &budget));
    let held = take(&one, 1);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| drop(other.get().unwrap()));
        until("it waits", || budget.waiting() == 1);
        drop(held);
        waiter.join().unwrap();
    });
    assert_eq!((one.stats().total, other.stats().total, fake.peak()), (0, 1, 1));
}

/// The other pool looks for one that sleeps while this one is on its way to sleep.
#[test]
fn one_that_falls_asleep_while_another_pool_comes_into_the_line_makes_room() {
    let (fake, budget) = (Fake::default(), Budget::new(1));
    let other = pool(&fake, &budget);
    let (line, comes_back) = (budget.clone(), Arc::new(AtomicBool::new(false)));
    let here = Arc::clone(&comes_back);
    let late = PoolHooks::new().budget(&budget).on_reset(move |_, _| {
        here.store(true, Ordering::Release);
        until("the other waits", || line.waiting() == 1);
        Ok(())
    });
    let one = fake.hooked(PoolOptions::new().pool_size(4), late);
    let held = take_one(&one);
    thread::scope(|scope| {
        let returned = scope.spawn(|| drop(held));
        until("it comes back", || comes_back.load(Ordering::Acquire));
        drop(other.get_within(LIMIT).unwrap());
        returned.join().unwrap();
    });
    assert_eq!((one.stats().total, other.stats().total, fake.peak()), (0, 1, 1));
}

/// Borrowers of one pool who need more connections than the budget has.
#[test]
fn who_waits_for_the_budget_is_lent_what_comes_back_to_its_own_pool() {
    let (fake, budget) = (Fake::default(), Budget::new(2));
    let pool = pool(&fake, &budget);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..200).for_each(|_| drop(pool.get().unwrap())));
        }
    });
    assert_eq!((fake.connects(), fake.peak(), budget.waiting()), (2, 2, 0));
    assert_eq!(pool.stats().check_outs, 1600);
}

#[test]
fn what_comes_back_goes_to_who_waits_and_not_to_who_comes_later() {
    let (fake, budget) = (Fake::default(), Budget::new(1));
    let pool = pool(&fake, &budget);
    let held = take_one(&pool);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let held = pool.get().unwrap();
            until("the other has tried", || is_over.load(Ordering::Acquire));
            drop(held);
        });
        until("it waits", || budget.waiting() == 1);
        drop(held);
        let late = pool.get_within(Duration::from_millis(10)).map(drop);
        is_over.store(true, Ordering::Release);
        assert_eq!(late.unwrap_err().kind(), ErrorKind::PoolTimeout);
    });
    assert_eq!(fake.connects(), 1);
}

/// Somebody waits for a turn in the one pool whenever its connection comes back.
#[test]
fn a_pool_that_is_never_at_rest_does_not_starve_another() {
    let (fake, budget) = (Fake::default(), Budget::new(1));
    let options = PoolOptions::new().pool_size(1).max_overflow(0);
    let one = fake.hooked(options, PoolHooks::new().budget(&budget));
    let other = pool(&fake, &budget);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Acquire) {
                    let held = one.get().unwrap();
                    until("one waits", || {
                        one.stats().waiting > 0 || is_over.load(Ordering::Acquire)
                    });
                    drop(held);
                }
            });
        }
        until("the one is at work", || one.stats().check_outs > 3);
        let outcome = other.get_within(LIMIT).map(drop);
        is_over.store(true, Ordering::Release);
        assert!(outcome.is_ok(), "{outcome:?}");
    });
    assert_eq!(fake.peak(), 1);
}

#[test]
fn one_who_waits_for_the_budget_learns_that_its_pool_was_closed() {
    let (fake, budget) = (Fake::default(), Budget::new(1));
    let pool = pool(&fake, &budget);
    let held = take_one(&pool);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| pool.get().err().map(|error| error.kind()));
        until("it waits", || budget.waiting() == 1);
        pool.close(Duration::ZERO);
        assert_eq!(waiter.join().unwrap(), Some(ErrorKind::PoolClosed));
    });
    drop(held);
    assert_eq!((budget.open(), fake.open()), (0, 0));
}

#[test]
fn the_wait_for_the_budget_ends_with_the_time_out_and_says_so() {
    let (fake, budget) = (Fake::default(), Budget::new(1));
    let (one, other) = (pool(&fake, &budget), pool(&fake, &budget));
    let _held = take_one(&one);
    let before = Instant::now();
    let error = other.get_within(Duration::from_millis(30)).unwrap_err();
    assert!(before.elapsed() < LIMIT / 2);
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    assert!(error.message().contains("all 1 of the budget are open"), "{error}");
    assert_eq!((other.stats().in_use, budget.open()), (0, 1));
}

#[test]
fn a_detached_connection_is_no_longer_within_the_budget() {
    let (fake, budget) = (Fake::default(), Budget::new(1));
    let pool = pool(&fake, &budget);
    let _detached = pool.get().unwrap().detach().unwrap();
    assert_eq!(budget.open(), 0);
    assert!(pool.get().is_ok());
}

#[test]
fn more_connections_than_the_server_has_room_for_are_refused_with_the_sum() {
    let fake = Fake::default();
    assert_eq!(pool(&fake, &Budget::new(50)).check_limit().unwrap(), None);
    let limit = ServerLimit { most: 20, reserved: 3, open: 7, own: None };
    fake.limit_server(limit);
    let fits = fake.pool(10, 7);
    assert_eq!(fits.check_limit().unwrap(), Some(limit));
    let error = fake.pool(10, 8).check_limit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.message().contains("= 18 connections are more")
            && error.message().contains("20 - 3 reserved = 17, of which 7 are open"),
        "{error}"
    );
    let error = pool(&fake, &Budget::new(18)).check_limit().unwrap_err();
    assert!(error.message().starts_with("the budget = 18"), "{error}");
}
