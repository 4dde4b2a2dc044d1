//! Opening connections, and failing to.

use crate::support::LIMIT;
use crate::support::fake::{Fake, id, take, until};
use rowmill::{Clock, ErrorKind, PoolHooks, PoolOptions};
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_wrong_password_is_an_error_at_once() {
    for state in ["28P01", "28000", "3D000"] {
        let (fake, clock) = (Fake::default(), Clock::manual());
        let pool = fake.hooked(PoolOptions::new().pool_size(1), PoolHooks::new().clock(&clock));
        fake.fail_with(&[state]);
        let before = Instant::now();
        let error = pool.get().unwrap_err();
        assert!(before.elapsed() < LIMIT / 2);
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert_eq!(error.sqlstate().map(|state| state.to_string()).as_deref(), Some(state));
        assert_eq!(fake.connects(), 1);
        assert_eq!((pool.stats().in_use, pool.stats().total), (0, 0));
        clock.advance(Duration::from_secs(1));
        assert!(pool.get().is_ok());
    }
}

#[test]
fn a_wrong_password_is_tried_once_for_sixty_four_threads() {
    let fake = Fake::default();
    let pool = fake.hooked(PoolOptions::new(), PoolHooks::new().clock(&Clock::manual()));
    fake.fail_with(&["28P01"; 1000]);
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| assert_eq!(pool.get().unwrap_err().message(), "refused with 28P01"));
        }
    });
    assert_eq!(fake.connects(), 1);
}

#[test]
fn a_server_that_starts_up_is_asked_again() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    fake.fail_with(&["57P03", "53300"]);
    assert_eq!(id(&mut pool.get().unwrap()), 2);
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_for_as_long_as_patience_lasts() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    fake.fail_with(&["08001"; 1000]);
    let before = Instant::now();
    let error = pool.get_patiently(LIMIT, Duration::from_millis(1_500)).unwrap_err();
    assert!(before.elapsed() < LIMIT / 2);
    assert_eq!(error.message(), "refused with 08001");
    assert!((2..=15).contains(&fake.connects()), "{}", fake.connects());
}

#[test]
fn patience_is_no_bound_for_a_server_that_starts_up() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    fake.fail_with(&["57P03", "57P03"]);
    assert_eq!(id(&mut pool.get_patiently(LIMIT, Duration::ZERO).unwrap()), 2);
}

/// pool-contract H10
#[test]
fn the_deadline_ends_the_attempts_with_the_error_of_the_last() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    fake.fail_with(&["57P03"; 100]);
    let before = Instant::now();
    let error = pool.get_within(Duration::from_millis(450)).unwrap_err();
    assert!(before.elapsed() >= Duration::from_millis(450));
    assert!(before.elapsed() < LIMIT / 2, "{:?}", before.elapsed());
    assert_eq!((error.kind(), error.message()), (ErrorKind::Connect, "refused with 57P03"));
    assert!((1..=5).contains(&fake.connects()), "{}", fake.connects());
    assert_eq!(pool.stats().in_use, 0);
}

/// pool-contract H10
#[test]
fn one_who_cannot_connect_takes_a_connection_that_comes_back() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    let held = take(&pool, 1);
    fake.fail_with(&["57P03"; 1000]);
    thread::scope(|scope| {
        let waiter = pool.clone();
        let waiter = scope.spawn(move || id(&mut waiter.get().unwrap()));
        until("an attempt fails", || fake.connects() > 1);
        drop(held);
        assert_eq!(waiter.join().unwrap(), 0);
    });
}

/// batch 3.7.4
#[test]
fn the_time_out_tells_why_no_connection_could_be_opened() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    fake.fail_with(&["57P03"; 1000]);
    thread::scope(|scope| {
        let other = pool.clone();
        scope.spawn(move || other.get_within(LIMIT));
        until("an attempt fails", || fake.connects() > 0 && pool.stats().in_use == 1);
        let error = pool.get_within(Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout);
        let text = error.to_string();
        assert!(text.contains("1 waiting, limit 1; held by (thread "), "{text}");
        assert!(text.contains("connecting"), "{text}");
        assert!(
            text.ends_with("; the last attempt to connect failed: refused with 57P03 (57P03)"),
            "{text}"
        );
        assert!(error.source().is_some());
        pool.dispose();
    });
}

/// pool-contract A11
#[test]
fn a_connect_that_hangs_does_not_delay_the_others() {
    let fake = Fake::default();
    let pool = fake.pool(3, 0);
    let held = take(&pool, 1);
    let gate = fake.gate_connect();
    thread::scope(|scope| {
        let hanging = pool.clone();
        scope.spawn(move || drop(hanging.get().unwrap()));
        gate.wait_until_reached();
        drop(held);
        drop(pool.get_within(Duration::from_secs(10)).unwrap());
        gate.open();
    });
    assert_eq!(fake.connects(), 2);
}

#[test]
fn a_ping_finds_a_dead_connection_before_the_borrower_does() {
    let fake = Fake::default();
    let pool = fake.pool_with(PoolOptions::new().pre_ping(true).ping_bypass(Duration::ZERO));
    drop(pool.get().unwrap());
    assert!(fake.calls().is_empty(), "a new connection is not asked");
    drop(pool.get().unwrap());
    fake.fall_silent();
    assert_eq!(id(&mut pool.get().unwrap()), 1);
    assert_eq!(fake.calls(), ["ping 0", "ping 0", "close 0"]);
}

#[test]
fn a_replacement_that_cannot_be_opened_leaves_the_counts_as_they_should_be() {
    let fake = Fake::default();
    let options = PoolOptions::new().pool_size(1).max_overflow(2).pre_ping(true);
    let clock = Clock::manual();
    let hooks = PoolHooks::new().clock(&clock);
    let pool = fake.hooked(options.ping_bypass(Duration::ZERO), hooks);
    drop(pool.get().unwrap());
    fake.fall_silent();
    fake.fail_with(&["28P01"]);
    assert_eq!(pool.get().unwrap_err().kind(), ErrorKind::Connect);
    let stats = pool.stats();
    assert_eq!((stats.idle, stats.in_use, stats.total), (0, 0, 0));
    clock.advance(Duration::from_secs(1));
    assert_eq!(take(&pool, 3).len(), 3);
}

#[test]
fn a_connection_that_broke_while_it_slept_is_replaced() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    drop(take(&pool, 2));
    fake.cut();
    assert_eq!(id(&mut pool.get().unwrap()), 2);
    assert_eq!((fake.open(), pool.stats().total), (1, 1));
}

/// pool-contract A10
#[test]
fn a_connect_that_fails_in_the_overflow_gives_its_room_back() {
    let (fake, clock) = (Fake::default(), Clock::manual());
    let options = PoolOptions::new().pool_size(1).max_overflow(1);
    let pool = fake.hooked(options, PoolHooks::new().clock(&clock));
    let _held = take(&pool, 1);
    fake.fail_with(&["28P01"]);
    assert!(pool.get().is_err());
    assert_eq!((pool.stats().overflow(), pool.stats().in_use), (0, 1));
    clock.advance(Duration::from_secs(1));
    assert_eq!(id(&mut pool.get().unwrap()), 2);
}

/// pool-contract H10, C8
#[test]
fn a_server_that_comes_back_serves_soon_after() {
    let fake = Fake::default();
    let pool = fake.pool(4, 0);
    fake.stop();
    let back = Duration::from_millis(300);
    let before = Instant::now();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(pool.get().unwrap()));
        }
        thread::park_timeout(back);
        fake.start();
    });
    assert!(before.elapsed() >= back && before.elapsed() < back + Duration::from_secs(5));
}

#[test]
fn a_server_that_is_down_is_asked_by_one_thread_at_a_time() {
    let fake = Fake::default();
    let pool = fake.pool(8, 0);
    fake.stop();
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| assert!(pool.get_within(Duration::from_millis(500)).is_err()));
        }
    });
    // Some more where they begin one after the other; each by itself would make that many.
    assert!((1..=16).contains(&fake.connects()), "{} attempts", fake.connects());
}

#[test]
fn a_time_out_takes_over_the_code_of_the_last_failure() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let _held = take(&pool, 1);
    assert_eq!(pool.get_within(Duration::from_millis(1)).unwrap_err().sqlstate(), None);
    let away = fake.pool(1, 0);
    fake.fail_with(&["53300"; 1000]);
    thread::scope(|scope| {
        let other = scope.spawn(|| away.get_within(LIMIT));
        until("an attempt fails", || away.stats().connect_failures > 0);
        let error = away.get_within(Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout);
        assert_eq!(error.sqlstate().unwrap().to_string(), "53300");
        away.dispose();
        assert!(other.join().unwrap().is_err());
    });
}
