//! How many connections there are.

use crate::support::fake::{Fake, id, take};
use rowmill::{Order, PoolOptions, ResetPolicy};
use std::thread;
use std::time::Duration;

#[test]
fn nothing_is_opened_before_it_is_asked_for() {
    let fake = Fake::default();
    let pool = fake.pool(3, 2);
    assert_eq!((fake.connects(), pool.capacity(), pool.stats().total), (0, 5, 0));
}

/// pool-contract A1, H1
#[test]
fn the_counts_follow_the_borrowers() {
    let fake = Fake::default();
    let pool = fake.pool_with(PoolOptions::new().pool_size(3).unlimited_overflow());
    let counts = || {
        let stats = pool.stats();
        (stats.pool_size, stats.idle, stats.overflow(), stats.in_use)
    };
    let mut held = Vec::new();
    for taken in 1..=6_u32 {
        held.extend(take(&pool, 1));
        assert_eq!(counts(), (3, 0, i64::from(taken) - 3, taken));
    }
    held.truncate(3);
    assert_eq!(counts(), (3, 3, 3, 3));
    held.clear();
    assert_eq!(counts(), (3, 3, 0, 0));
    let mut held = take(&pool, 2);
    assert_eq!(counts(), (3, 1, 0, 2));
    held.pop();
    assert_eq!(counts(), (3, 2, 0, 1));
}

/// pool-contract A8
#[test]
fn a_pool_size_of_none_is_unlimited_and_keeps_all() {
    for overflow in [0, 4] {
        let fake = Fake::default();
        let pool = fake.pool(0, overflow);
        drop(take(&pool, 40));
        assert_eq!((fake.peak(), fake.open(), pool.stats().idle), (40, 40, 40));
        assert_eq!(pool.capacity(), 10_000);
    }
}

/// pool-contract A9
#[test]
fn overflow_connections_are_closed_on_return() {
    let fake = Fake::default();
    let pool = fake.pool(2, 2);
    for _ in 0..5 {
        drop(take(&pool, 4));
    }
    let closed = fake.calls().iter().filter(|call| call.starts_with("close")).count();
    assert_eq!((closed, fake.open(), fake.connects()), (10, 2, 12));
}

#[test]
fn a_kept_connection_is_used_again_before_another_is_opened() {
    let fake = Fake::default();
    let pool = fake.pool(3, 0);
    drop(take(&pool, 3));
    for _ in 0..20 {
        drop(take(&pool, 3));
    }
    assert_eq!(fake.connects(), 3);
}

/// Takes and gives back in turns, and returns which connections came; three sleep at first.
fn order_of_use(order: Order) -> Vec<u64> {
    let fake = Fake::default();
    let pool = fake.pool_with(PoolOptions::new().pool_size(3).max_overflow(0).order(order));
    // They come back in their order: 0, 1, 2.
    take(&pool, 3).drain(..).for_each(drop);
    let mut first = take(&pool, 2);
    let mut ids = vec![id(&mut first[0]), id(&mut first[1])];
    drop(first.remove(0));
    let mut more = take(&pool, 2);
    ids.extend([id(&mut more[0]), id(&mut more[1])]);
    ids
}

/// pool-contract A16
#[test]
fn the_connection_returned_last_is_lent_first() {
    assert_eq!(order_of_use(Order::Lifo), [2, 1, 2, 0]);
}

/// pool-contract A17
#[test]
fn a_pool_in_turn_lends_the_connection_first_that_was_returned_first() {
    assert_eq!(order_of_use(Order::Fifo), [0, 1, 2, 0]);
}

/// pool-contract A6, A7, H8
#[test]
fn thirty_two_threads_never_open_more_than_the_limit() {
    for overflow in [0, 3] {
        let fake = Fake::default();
        let pool = fake.pool(3, overflow);
        thread::scope(|scope| {
            for number in 0..32 {
                let pool = pool.clone();
                scope.spawn(move || {
                    for round in 0..200 {
                        let mut connection = pool.get().unwrap();
                        if (number + round) % 17 == 0 {
                            connection.run("break").unwrap();
                        }
                        assert!(pool.stats().in_use <= pool.capacity());
                    }
                });
            }
        });
        let stats = pool.stats();
        assert!(fake.peak() <= 3 + overflow, "{} were open", fake.peak());
        assert!(stats.idle <= 3 && stats.idle == fake.open() && stats.total == fake.open());
        assert_eq!((stats.in_use, stats.waiting), (0, 0));
        drop(pool);
        assert_eq!(fake.open(), 0);
    }
}

#[test]
fn a_database_for_one_connection_bounds_the_pool() {
    let fake = Fake::default();
    fake.limit(1);
    let pool = fake.pool_with(PoolOptions::new());
    assert_eq!(pool.capacity(), 1);
}

/// pool-contract H24
#[test]
fn an_overload_leaves_no_trace_when_it_is_over() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    let held = take(&pool, 2);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert!(pool.get_within(Duration::from_millis(20)).is_err()));
        }
    });
    drop(held);
    assert_eq!((pool.stats().timeouts, pool.stats().waiting), (20, 0));
    for _ in 0..10 {
        assert!(pool.get_within(Duration::from_millis(20)).is_ok());
    }
    assert_eq!((pool.stats().timeouts, fake.connects()), (20, 2));
}

/// pool-contract H22
#[test]
fn ten_thousand_check_outs_and_evictions_on_two_threads_do_no_harm() {
    let fake = Fake::default();
    let pool = fake.pool(2, 0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for round in 0..10_000 {
                    let mut connection = pool.get().unwrap();
                    if round % 2 == 0 {
                        connection.invalidate();
                    } else {
                        connection.soft_invalidate();
                    }
                }
            });
        }
    });
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.total), (0, fake.open()));
    assert!(fake.peak() <= 2);
}

/// pool-contract A29
#[test]
fn a_pool_that_is_made_again_keeps_its_options() {
    let fake = Fake::default();
    let options =
        PoolOptions::new().pool_size(2).max_overflow(1).reset_on_return(ResetPolicy::None);
    let pool = fake.pool_with(options);
    drop(take(&pool, 1));
    let again = pool.recreate().unwrap();
    assert_eq!((again.options(), again.capacity()), (pool.options(), 3));
    assert_eq!((again.stats().total, pool.stats().total), (0, 1));
    assert_ne!(again.name().id, pool.name().id);
}
