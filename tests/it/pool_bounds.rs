//! How many connections there are.

use crate::support::fake::{Fake, id, take};
use rowmill::PoolOptions;
use std::thread;

#[test]
fn nothing_is_opened_before_it_is_asked_for() {
    let fake = Fake::default();
    let pool = fake.pool(3, 2);
    assert_eq!((fake.connects(), pool.capacity(), pool.stats().total), (0, 5, 0));
}

#[test]
fn the_counts_follow_the_borrowers() {
    let fake = Fake::default();
    let pool = fake.pool(3, 7);
    let counts = || (pool.stats().idle, pool.stats().in_use, pool.stats().total);
    let mut held = take(&pool, 6);
    assert_eq!(counts(), (0, 6, 6));
    held.truncate(3);
    assert_eq!(counts(), (3, 3, 6));
    held.clear();
    assert_eq!(counts(), (3, 0, 3));
    let mut held = take(&pool, 2);
    assert_eq!(counts(), (1, 2, 3));
    held.pop();
    assert_eq!(counts(), (2, 1, 3));
}

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

#[test]
fn the_connection_returned_last_is_lent_first() {
    let pool = Fake::default().pool(3, 0);
    let mut held = take(&pool, 3);
    let last = id(&mut held[2]);
    // They come back in their order.
    held.drain(..).for_each(drop);
    assert_eq!(id(&mut pool.get().unwrap()), last);
}

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
