//! Waiting for a connection.

use crate::support::LIMIT;
use crate::support::fake::{Fake, id, take, until};
use rowmill::{ErrorKind, PoolOptions};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn those_who_wait_are_served_in_the_order_in_which_they_came() {
    let pool = Fake::default().pool(1, 0);
    let (report, served) = mpsc::channel();
    let held = take(&pool, 1);
    thread::scope(|scope| {
        for number in 0..8 {
            let (line, report) = (pool.clone(), report.clone());
            scope.spawn(move || {
                let connection = line.get().unwrap();
                report.send(number).unwrap();
                drop(connection);
            });
            until("the thread waits", || pool.stats().waiting == number + 1);
        }
        drop(held);
    });
    drop(report);
    assert_eq!(served.iter().collect::<Vec<_>>(), (0..8).collect::<Vec<u32>>());
}

#[test]
fn one_who_comes_later_does_not_overtake_one_who_waits() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    thread::scope(|scope| {
        let held = take(&pool, 1);
        let (got, first) = mpsc::channel();
        let (release, wait) = mpsc::channel::<()>();
        let waiter = pool.clone();
        scope.spawn(move || {
            let _connection = waiter.get().unwrap();
            got.send(()).unwrap();
            wait.recv().unwrap();
        });
        until("the thread waits", || pool.stats().waiting == 1);
        drop(held);
        // The permit went to the waiter directly, whether it has woken up yet or not.
        let error = pool.get_within(Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout);
        first.recv().unwrap();
        release.send(()).unwrap();
    });
    assert_eq!(fake.connects(), 1);
}

#[test]
fn the_time_out_says_who_holds_what() {
    let options = PoolOptions::new().pool_size(2).max_overflow(1);
    let pool = Fake::default().pool_with(options.timeout(Duration::from_millis(20)));
    let _held = take(&pool, 3);
    let before = Instant::now();
    let error = pool.get().unwrap_err();
    assert!(before.elapsed() >= Duration::from_millis(20));
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    let start = "no connection within 20ms: 3 in use, 0 idle, 1 waiting, limit 3; held by (thread ";
    assert!(error.message().starts_with(start), "{error}");
    assert_eq!(error.message().matches("not using it").count(), 3);
    assert!(error.message().contains("fake.rs:"), "{error}");
    assert!(error.is_transient());
    assert_eq!(pool.stats().waiting, 0);
}

/// pool-contract C1
#[test]
fn a_waiter_that_gave_up_does_not_lose_a_connection() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    // Waiters give up at every moment of a return, also at the one of the hand-over.
    for round in 0..200_u64 {
        let held = take(&pool, 2);
        thread::scope(|scope| {
            for waiter in 0..2 {
                let pool = pool.clone();
                let timeout = Duration::from_micros(round * 5 + waiter * 40);
                scope.spawn(move || drop(pool.get_within(timeout)));
            }
            drop(held);
        });
        assert_eq!((pool.stats().in_use, pool.stats().waiting), (0, 0));
    }
    assert_eq!(take(&pool, 2).len(), 2);
    assert!(fake.peak() <= 2);
}

/// pool-contract A13
#[test]
fn a_broken_connection_that_comes_back_wakes_those_who_wait() {
    // With r2d2 alone the second and the third would sleep to their time-out: it throws the
    // broken connection away and wakes nobody.
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut held = take(&pool, 1);
    let before = Instant::now();
    thread::scope(|scope| {
        for _ in 0..5 {
            let pool = pool.clone();
            scope.spawn(move || pool.get().unwrap().run("break").unwrap());
        }
        until("all wait", || pool.stats().waiting == 5);
        held[0].run("break").unwrap();
        drop(held);
    });
    assert!(before.elapsed() < LIMIT / 2);
    assert_eq!((fake.connects(), fake.open(), pool.stats().total), (6, 0, 0));
}

/// pool-contract H25, C11
#[test]
fn the_longest_wait_and_the_peak_are_remembered() {
    let pool = Fake::default().pool(1, 1);
    let held = take(&pool, 2);
    assert!(pool.get_within(Duration::from_millis(5)).is_err());
    drop(held);
    let stats = pool.stats();
    assert_eq!((stats.peak_in_use, stats.in_use), (2, 0));
    assert!(stats.longest_wait >= Duration::from_millis(5));
    assert!(id(&mut pool.get().unwrap()) < 2);
}

/// pool-contract A2, A3, A4
#[test]
fn a_time_out_comes_neither_early_nor_rounded() {
    let timeout = Duration::from_millis(250);
    let pool =
        Fake::default().pool_with(PoolOptions::new().pool_size(3).max_overflow(0).timeout(timeout));
    assert_eq!(pool.options().timeout, timeout);
    let _held = take(&pool, 3);
    let mut waits = (0..20).map(|_| {
        let before = Instant::now();
        assert_eq!(pool.get().unwrap_err().kind(), ErrorKind::PoolTimeout);
        before.elapsed()
    });
    // A busy machine holds up some of them; one that was rounded would be late each time.
    let in_time = waits.find(|waited| {
        assert!(*waited >= timeout, "{waited:?}");
        *waited < timeout + Duration::from_millis(250)
    });
    assert!(in_time.is_some());
}

/// pool-contract A5
#[test]
fn none_of_those_who_give_up_gives_up_early() {
    let (hold, timeout) = (Duration::from_millis(200), Duration::from_millis(150));
    let pool =
        Fake::default().pool_with(PoolOptions::new().pool_size(2).max_overflow(1).timeout(timeout));
    let late = || -> Vec<_> {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..10)
                .map(|_| {
                    scope.spawn(|| {
                        let before = Instant::now();
                        match pool.get() {
                            Ok(_connection) => {
                                thread::park_timeout(hold);
                                None
                            }
                            Err(_) => Some(before.elapsed()),
                        }
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        })
    };
    // A busy machine may begin the threads one after the other, or wake them late.
    let as_meant = (0..20).map(|_| late()).find(|late| {
        assert!(late.iter().all(|waited| *waited >= timeout), "{late:?}");
        !late.is_empty() && late.iter().all(|waited| *waited < timeout + hold)
    });
    assert!(as_meant.is_some());
}

/// pool-contract A12
#[test]
fn those_who_wait_are_served_after_an_invalidation() {
    for options in [
        PoolOptions::new().pool_size(2).max_overflow(0),
        PoolOptions::new().pool_size(1).max_overflow(1),
    ] {
        let fake = Fake::default();
        let pool = fake.pool_with(options.timeout(LIMIT));
        let mut held = take(&pool, 2);
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..2).map(|_| scope.spawn(|| pool.get().map(drop))).collect();
            until("both wait", || pool.stats().waiting == 2);
            held[0].invalidate();
            drop(held.remove(0));
            for waiter in waiters {
                assert!(waiter.join().unwrap().is_ok());
            }
        });
        assert_eq!(pool.stats().in_use, 1);
    }
}

/// pool-contract A13
#[test]
fn one_connection_that_is_given_up_is_replaced_once_for_all_who_wait() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut held = take(&pool, 1);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| drop(pool.get().unwrap()));
        }
        until("all wait", || pool.stats().waiting == 5);
        held[0].invalidate();
        held.clear();
    });
    assert_eq!((fake.connects(), fake.open()), (2, 1));
}

/// pool-contract A14
#[test]
fn giving_all_up_between_check_out_and_hand_over_is_no_error() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    thread::scope(|scope| {
        let users: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| (0..2000).for_each(|_| drop(pool.get().unwrap()))))
            .collect();
        while !users.iter().all(thread::ScopedJoinHandle::is_finished) {
            pool.invalidate_all();
        }
    });
    assert_eq!((pool.stats().in_use, pool.stats().total), (0, fake.open()));
}

/// pool-contract C2
#[test]
fn one_more_than_may_wait_is_turned_away_at_once() {
    let pool = Fake::default()
        .pool_with(PoolOptions::new().pool_size(1).max_overflow(0).max_waiting(1).timeout(LIMIT));
    let held = take(&pool, 1);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| pool.get().map(drop));
        until("one waits", || pool.stats().waiting == 1);
        let before = Instant::now();
        let error = pool.get().unwrap_err();
        assert!(before.elapsed() < LIMIT / 2);
        assert_eq!(error.kind(), ErrorKind::PoolFull);
        assert!(error.is_transient() && error.message().contains("held by"), "{error}");
        drop(held);
        assert!(waiter.join().unwrap().is_ok());
    });
}

#[test]
fn the_time_out_names_what_a_connection_was_taken_for() {
    let pool = Fake::default().pool(1, 0);
    let held =
        thread::scope(|scope| scope.spawn(|| pool.get_labelled("merge").unwrap()).join().unwrap());
    let error = pool.get_labelled_within("load", Duration::from_millis(5)).unwrap_err();
    assert!(error.message().contains("held by merge (thread "), "{error}");
    assert_eq!(pool.holders()[0].label.as_deref(), Some("merge"));
    drop(held);
    assert!(pool.holders().is_empty());
}

#[test]
fn the_time_out_names_no_more_than_eight_holders() {
    let pool = Fake::default().pool(10, 0);
    let _held = take(&pool, 10);
    let error = pool.get_within(Duration::from_millis(5)).unwrap_err();
    assert_eq!(error.message().matches("not using it").count(), 8);
    assert!(error.message().contains(" and 2 more"), "{error}");
}

/// One who was given a seat and is not awake yet does not count twice.
#[test]
fn what_comes_back_while_others_wake_up_is_kept() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    for _ in 0..50 {
        let held = take(&pool, 2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| drop(pool.get().unwrap()));
            }
            until("two wait", || pool.stats().waiting == 2);
            drop(held);
        });
    }
    assert_eq!(fake.connects(), 2);
}
