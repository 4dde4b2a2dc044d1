//! Connections that leave the pool.

use crate::support::fake::{Fake, id, take};
use rowmill::ErrorKind;

/// pool-contract A26
#[test]
fn a_detached_connection_leaves_the_accounting_and_is_closed_by_its_owner() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut detached = pool.get().unwrap().detach().unwrap();
    assert_eq!((pool.stats().total, pool.stats().in_use), (0, 0));
    let mut other = pool.get().unwrap();
    assert_eq!((detached.execute("id", &[]).unwrap(), id(&mut other), fake.open()), (0, 1, 2));
    pool.dispose();
    assert!(detached.run("fine").is_ok());
    drop(detached);
    assert_eq!(fake.calls(), ["close 0"]);
}

#[test]
fn what_was_done_before_a_detachment_is_reset() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut connection = pool.get().unwrap();
    connection.begin().unwrap();
    let detached = connection.detach().unwrap();
    assert!(!detached.in_transaction());
    assert_eq!(fake.count("rollback"), 1);
}

/// pool-contract A27; A28, as far as Rust lets anybody give a loan back twice: it was given up, and is dropped
#[test]
fn one_that_is_given_up_is_closed_once_and_its_successor_is_kept() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    let mut connection = pool.get().unwrap();
    connection.invalidate();
    assert!(connection.id().is_none() && connection.opened().is_none());
    drop(connection);
    assert_eq!(id(&mut pool.get().unwrap()), 1);
    assert_eq!((fake.calls(), fake.open()), (vec!["close 0".to_owned()], 1));
}

/// pool-contract R14
#[test]
fn one_that_was_given_up_or_lost_cannot_be_detached() {
    let fake = Fake::default();
    let pool = fake.pool(1, 0);
    for statement in ["invalidate", "break", "fail 57P01"] {
        let mut connection = pool.get().unwrap();
        if statement == "invalidate" {
            connection.invalidate();
        } else {
            let _ = connection.run(statement);
        }
        assert_eq!(connection.detach().unwrap_err().kind(), ErrorKind::Disconnect, "{statement}");
        assert_eq!((fake.open(), pool.stats().in_use, pool.stats().total), (0, 0, 0));
    }
    assert_eq!(take(&pool, 1).len(), 1);
}
