//! In which state a connection comes back.

use crate::support::fake::{Fake, id, take};
use rowmill::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn an_open_transaction_is_rolled_back_and_the_connection_kept() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    pool.get().unwrap().begin().unwrap();
    assert_eq!(fake.calls(), ["ping 0", "rollback 0"]);
    let mut again = pool.get().unwrap();
    assert!(!again.in_transaction());
    assert_eq!(id(&mut again), 0);
}

#[test]
fn a_transaction_on_a_silent_connection_is_ended_by_closing_it() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut connection = pool.get().unwrap();
    connection.begin().unwrap();
    fake.fall_silent();
    drop(connection);
    assert_eq!(fake.calls(), ["ping 0", "close 0"]);
    assert_eq!(pool.stats().total, 0);
}

#[test]
fn a_clean_connection_comes_back_without_a_question() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    drop(pool.get().unwrap());
    assert!(fake.calls().is_empty());
}

#[test]
fn a_broken_connection_is_closed() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    pool.get().unwrap().run("break").unwrap();
    assert_eq!((fake.open(), pool.stats().idle, pool.stats().total), (0, 0, 0));
    assert_eq!(id(&mut pool.get().unwrap()), 1);
}

#[test]
fn a_connection_that_a_panic_drops_is_closed() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _connection = pool.get().unwrap();
        std::panic::resume_unwind(Box::new("the closure of a user"));
    }));
    assert!(panic.is_err());
    assert_eq!(fake.calls(), ["close 0"]);
    assert_eq!((pool.stats().in_use, pool.stats().total), (0, 0));
    assert_eq!(id(&mut pool.get().unwrap()), 1);
}

#[test]
fn an_invalidated_connection_is_closed_once_and_says_so() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut connection = pool.get().unwrap();
    connection.invalidate();
    connection.invalidate();
    assert_eq!(connection.execute("id", &[]).unwrap_err().kind(), ErrorKind::Disconnect);
    assert!(connection.is_broken());
    drop(connection);
    assert_eq!(fake.calls(), ["close 0"]);
    assert_eq!(id(&mut pool.get().unwrap()), 1);
}

#[test]
fn a_connection_may_come_back_on_another_thread() {
    let pool = Fake::default().pool(1, 0);
    let held = take(&pool, 1);
    std::thread::scope(|scope| scope.spawn(move || drop(held)).join().unwrap());
    assert_eq!((pool.stats().idle, pool.stats().in_use), (1, 0));
}
