//! One thread, one connection of a pool.

use crate::support::fake::Fake;
use rowmill::{ErrorKind, PoolOptions, QueuePool};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// pool-contract C12
#[test]
fn a_nested_check_out_fails_at_once_and_names_both_places() {
    let fake = Fake::default();
    let pool = fake.pool(5, 0);
    let first = line!() + 1;
    let held = pool.get().unwrap();
    let error = pool.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NestedCheckout);
    for line in [first, first + 1] {
        assert!(error.message().contains(&format!("pool_nested.rs:{line}:")), "{error}");
    }
    assert_eq!((fake.connects(), pool.stats().in_use), (1, 1));
    drop(held);
    assert!(pool.get().is_ok());
}

#[test]
fn two_pools_and_two_threads_do_not_hinder_each_other() {
    let (one, other) = (Fake::default().pool(2, 0), Fake::default().pool(2, 0));
    let _held = one.get().unwrap();
    assert!(other.get().is_ok());
    thread::scope(|scope| scope.spawn(|| assert!(one.get().is_ok())).join().unwrap());
}

#[test]
fn a_check_out_that_failed_leaves_no_mark() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    fake.fail_with(&["57P03"; 100]);
    let error = pool.get_within(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    fake.fail_with(&[]);
    assert!(pool.get().is_ok());
}

#[test]
fn as_many_as_are_allowed_may_be_nested() {
    let fake = Fake::default();
    let options = PoolOptions::new().pool_size(3).max_overflow(0).allow_nested(2, 2);
    let pool = fake.pool_with(options);
    let first = pool.get().unwrap();
    let second = pool.get().unwrap();
    assert_eq!(pool.get().unwrap_err().kind(), ErrorKind::NestedCheckout);
    drop(first);
    let third = pool.get().unwrap();
    drop((second, third));
    assert!(pool.get().is_ok());
}

#[test]
fn more_nesting_than_there_is_room_for_is_refused() {
    let options = PoolOptions::new().pool_size(3).max_overflow(0).allow_nested(2, 3);
    let error = QueuePool::new(Arc::new(Fake::default()), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("3 threads x (2 - 1) + 1 = 4"), "{error}");
}
