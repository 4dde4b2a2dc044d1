//! How old a connection may become, and for how long it may sleep. The clock is set by hand.

use crate::support::fake::{Fake, id, take};
use rowmill::{Clock, Pool, PoolHooks, PoolOptions};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn pool(fake: &Fake, options: PoolOptions) -> (Pool, Clock) {
    let clock = Clock::manual();
    (fake.hooked(options, PoolHooks::new().clock(&clock)), clock)
}

/// pool-contract A18, H2
#[test]
fn an_old_connection_is_replaced_when_it_is_asked_for() {
    let fake = Fake::default();
    let (pool, clock) = pool(&fake, PoolOptions::new().recycle(30 * SECOND));
    drop(pool.get().unwrap());
    clock.advance(SECOND);
    assert_eq!(id(&mut pool.get().unwrap()), 0);
    clock.advance(34 * SECOND);
    assert_eq!(id(&mut pool.get().unwrap()), 1);
    assert_eq!(fake.calls(), ["close 0"]);
    assert_eq!((pool.stats().total, pool.stats().recycled), (1, 1));
}

#[test]
fn an_old_connection_is_closed_when_it_comes_back() {
    let fake = Fake::default();
    let (pool, clock) = pool(&fake, PoolOptions::new().recycle(30 * SECOND));
    let held = pool.get().unwrap();
    clock.advance(35 * SECOND);
    drop(held);
    assert_eq!((fake.open(), pool.stats().recycled), (0, 1));
}

/// pool-contract C3
#[test]
fn connections_that_were_opened_together_do_not_end_together() {
    let fake = Fake::default();
    let options = PoolOptions::new().pool_size(100).recycle(100 * SECOND);
    let (pool, clock) = pool(&fake, options);
    drop(take(&pool, 100));
    clock.advance(Duration::from_millis(97_499));
    pool.tend();
    assert_eq!(fake.open(), 100, "2.5 % sooner at most");
    clock.advance(Duration::from_millis(1_250));
    pool.tend();
    assert!((1..100).contains(&fake.open()), "{} are left", fake.open());
    clock.advance(Duration::from_millis(1_251));
    pool.tend();
    assert_eq!(fake.open(), 0, "never later");
}

/// pool-contract A19
#[test]
fn after_an_invalidation_the_next_connection_is_another() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut connection = pool.get().unwrap();
    assert_eq!(id(&mut connection), 0);
    connection.invalidate();
    drop(connection);
    assert_eq!(id(&mut pool.get().unwrap()), 1);
    assert_eq!(fake.open(), 1);
}

/// pool-contract A20
#[test]
fn a_soft_invalidation_lets_the_holder_go_on() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut connection = pool.get().unwrap();
    connection.soft_invalidate();
    assert_eq!(id(&mut connection), 0);
    assert_eq!(fake.open(), 1);
    drop(connection);
    assert_eq!(id(&mut pool.get().unwrap()), 1);
}

/// pool-contract H12
#[test]
fn what_sleeps_for_too_long_is_closed_but_not_below_the_least() {
    let fake = Fake::default();
    let options = PoolOptions::new().pool_size(5).min_idle(2).idle_timeout(10 * SECOND);
    let (pool, clock) = pool(&fake, options);
    drop(take(&pool, 5));
    clock.advance(9 * SECOND);
    pool.tend();
    assert_eq!(pool.stats().idle, 5);
    // The one that was used last is not idle for long.
    drop(pool.get().unwrap());
    clock.advance(2 * SECOND);
    pool.tend();
    assert_eq!((pool.stats().idle, fake.open()), (2, 2));
    clock.advance(100 * SECOND);
    pool.tend();
    assert_eq!((pool.stats().idle, fake.open()), (2, 2));
}

/// pool-contract H12
#[test]
fn a_pool_of_a_fixed_size_never_shrinks() {
    let fake = Fake::default();
    let options = PoolOptions::new().pool_size(3).min_idle(3).idle_timeout(SECOND);
    let (pool, clock) = pool(&fake, options);
    pool.tend();
    clock.advance(100 * SECOND);
    pool.tend();
    assert_eq!((pool.stats().idle, fake.connects()), (3, 3));
}

/// pool-contract H3
#[test]
fn what_sleeps_is_kept_alive() {
    let fake = Fake::default();
    let options = PoolOptions::new().pool_size(2).keepalive(10 * SECOND);
    let (pool, clock) = pool(&fake, options);
    drop(take(&pool, 2));
    clock.advance(9 * SECOND);
    pool.tend();
    assert_eq!(fake.count("ping"), 0);
    clock.advance(SECOND);
    pool.tend();
    pool.tend();
    assert_eq!(fake.count("ping"), 2, "each once");
    assert_eq!((pool.stats().idle, fake.open()), (2, 2));
}

/// pool-contract H3, C9
#[test]
fn what_is_found_dead_in_its_sleep_is_closed() {
    let fake = Fake::default();
    let options = PoolOptions::new().pool_size(2).keepalive(10 * SECOND);
    let (pool, clock) = pool(&fake, options);
    drop(take(&pool, 2));
    fake.fall_silent();
    clock.advance(10 * SECOND);
    pool.tend();
    pool.tend();
    assert_eq!((pool.stats().idle, fake.open()), (0, 0));
    assert_eq!(fake.count("ping"), 1, "the other one is as old, and not asked");
    assert_eq!(id(&mut pool.get().unwrap()), 2);
}

#[test]
fn keeping_alive_does_not_change_who_is_lent_next() {
    let fake = Fake::default();
    let (pool, clock) = pool(&fake, PoolOptions::new().pool_size(3).keepalive(SECOND));
    drop(take(&pool, 3));
    let next = id(&mut pool.get().unwrap());
    clock.advance(SECOND);
    pool.tend();
    assert_eq!(id(&mut pool.get().unwrap()), next);
}

/// pool-contract P1, C9
#[test]
fn every_connection_that_slept_is_asked_exactly_once_and_no_new_one() {
    let fake = Fake::default();
    let (pool, _) = pool(&fake, PoolOptions::new().pre_ping(true).ping_bypass(Duration::ZERO));
    drop(pool.get().unwrap());
    assert_eq!(fake.count("ping"), 0);
    for asked in 1..5 {
        drop(pool.get().unwrap());
        assert_eq!(fake.count("ping"), asked);
    }
}

#[test]
fn one_that_was_used_moments_ago_is_not_asked() {
    let fake = Fake::default();
    let (pool, clock) = pool(&fake, PoolOptions::new().pre_ping(true));
    drop(pool.get().unwrap());
    clock.advance(Duration::from_millis(499));
    drop(pool.get().unwrap());
    assert_eq!(fake.count("ping"), 0);
    clock.advance(Duration::from_millis(500));
    drop(pool.get().unwrap());
    assert_eq!(fake.count("ping"), 1);
}

/// pool-contract H5, H16
#[test]
fn giving_all_up_closes_what_sleeps_now_and_the_others_when_they_come_back() {
    let fake = Fake::default();
    let pool = fake.pool(3, 0);
    let mut held = take(&pool, 3);
    drop(held.pop());
    pool.invalidate_all();
    assert_eq!((fake.open(), pool.stats().idle), (2, 0));
    assert!(held[0].execute("id", &[]).is_ok());
    drop(held);
    assert_eq!((fake.open(), pool.stats().total), (0, 0));
    assert_eq!(id(&mut pool.get().unwrap()), 3);
}
