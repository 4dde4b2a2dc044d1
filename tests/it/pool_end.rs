//! The last handle of a pool goes: nothing of it is left, whatever was on loan.

use crate::support::fake::{Fake, take, take_one, until};
use crate::support::{Log, TestDb, shared};
use rowmill::{Engine, Pool, PoolHooks, PoolOptions, Pooled};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;

/// A pool, what it opens, and one who listens, whom nobody but the pool knows.
fn listened(options: PoolOptions) -> (Fake, Pool, Weak<Log>) {
    let (fake, log) = (Fake::default(), Arc::new(Log::default()));
    let heard = Arc::downgrade(&log);
    let pool = fake.hooked(options, PoolHooks::new().listener(log));
    (fake, pool, heard)
}

fn sized(size: u32) -> PoolOptions {
    PoolOptions::new().pool_size(size).max_overflow(0)
}

/// pool-contract C10
#[test]
fn what_sleeps_is_closed_and_the_pool_is_freed() {
    let (fake, pool, heard) = listened(sized(3));
    for _ in 0..3 {
        drop(take(&pool, 3));
    }
    let clone = pool.clone();
    drop(pool);
    assert_eq!((fake.open(), clone.stats().idle), (3, 3), "another handle is left");
    drop(clone);
    assert_eq!((fake.open(), heard.strong_count()), (0, 0));
}

#[test]
fn a_loan_outlives_its_pool_and_is_closed_when_it_comes_back() {
    let (fake, pool, heard) = listened(sized(3));
    drop(take(&pool, 3));
    let mut held = take_one(&pool);
    drop(pool);
    assert_eq!(fake.open(), 1, "only what is on loan is open");
    held.execute("id", &[]).unwrap();
    let log = heard.upgrade().unwrap();
    thread::spawn(move || drop(held)).join().unwrap();
    assert_eq!(log.count("close: the pool was closed"), 3, "{:?}", log.lines());
    drop(log);
    assert_eq!((fake.open(), heard.strong_count()), (0, 0));
}

#[test]
fn whatever_becomes_of_a_loan_that_outlives_its_pool_nothing_is_left() {
    let ways: [fn(Pooled); 6] = [
        drop,
        |mut held| held.invalidate(),
        |mut held| held.soft_invalidate(),
        |held| drop(held.detach().unwrap()),
        |mut held| drop(held.begin()),
        |held| {
            let failed = catch_unwind(AssertUnwindSafe(move || {
                let _held = held;
                std::panic::resume_unwind(Box::new("on purpose"));
            }));
            assert!(failed.is_err());
        },
    ];
    for (number, way) in ways.into_iter().enumerate() {
        // One that slept before, and one that did not.
        for loans in [1, 2] {
            let (fake, pool, heard) = listened(sized(2));
            drop(take_one(&pool));
            let held = take(&pool, loans);
            drop(pool);
            held.into_iter().for_each(way);
            assert_eq!((fake.open(), heard.strong_count()), (0, 0), "way {number} of {loans}");
        }
    }
}

#[test]
fn a_detached_connection_outlives_its_pool_alone() {
    let (fake, pool, heard) = listened(sized(2));
    drop(take_one(&pool));
    let detached = take_one(&pool).detach().unwrap();
    drop(pool);
    assert_eq!(fake.open(), 1);
    drop(detached);
    assert_eq!((fake.open(), heard.strong_count()), (0, 0));
}

#[test]
fn a_pool_that_is_disposed_of_or_emptied_is_freed_with_its_last_handle() {
    let ways: [fn(&Pool); 4] =
        [Pool::dispose, Pool::invalidate_all, |pool| pool.resize(1, 0).unwrap(), Pool::tend];
    for way in ways {
        let (fake, pool, heard) = listened(sized(3));
        drop(take(&pool, 3));
        let held = take_one(&pool);
        way(&pool);
        drop(pool);
        drop(held);
        assert_eq!((fake.open(), heard.strong_count()), (0, 0));
    }
}

#[test]
fn threads_that_give_back_connections_and_handles_in_any_order_leave_nothing() {
    for round in 0..50 {
        let (fake, pool, heard) = listened(sized(2));
        thread::scope(|scope| {
            for number in 0..6 {
                let pool = pool.clone();
                scope.spawn(move || {
                    drop(pool.get().unwrap());
                    let held = pool.get().unwrap();
                    if number % 2 == 0 { drop((pool, held)) } else { drop((held, pool)) }
                });
            }
            drop(pool);
        });
        assert_eq!((fake.open(), heard.strong_count()), (0, 0), "round {round}");
    }
}

#[test]
fn what_is_opened_unasked_goes_with_the_pool_also_while_a_connection_is_on_loan() {
    let (fake, pool, heard) = listened(sized(3).min_idle(2));
    until("it is filled", || pool.stats().idle == 2);
    let held = take_one(&pool);
    until("it is filled again", || pool.stats().idle == 2);
    drop(pool);
    until("only what is on loan is open", || fake.open() == 1);
    drop(held);
    // The housekeeper may be in the middle of a round, which is its last.
    until("nothing is left", || fake.open() == 0 && heard.strong_count() == 0);
}

#[test]
fn the_servers_sessions_end_with_the_engine_and_with_its_last_loan() {
    let db = shared().database("pool_end");
    let engine = Engine::builder(&db.url()).pool_size(3).max_overflow(0).build().unwrap();
    drop(take(engine.pool(), 3));
    let mut held = engine.get().unwrap();
    drop(engine);
    only_one_is_left(&db);
    held.run("select 1").unwrap();
    drop(held);
    db.wait_until_alone();
}

fn only_one_is_left(db: &TestDb<'_>) {
    until("what slept has ended", || db.sessions() == 1);
}
