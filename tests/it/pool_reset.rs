//! What is done to a connection that comes back.

use crate::support::Log;
use crate::support::fake::{Fake, id};
use rowmill::{Error, ErrorKind, Pool, PoolHooks, PoolOptions, ResetPolicy, Result};
use std::sync::{Arc, Mutex};

fn hooked(fake: &Fake, policy: ResetPolicy) -> (Pool, Arc<Log>) {
    let log = Arc::new(Log::default());
    let options = PoolOptions::new().pool_size(1).reset_on_return(policy);
    (fake.hooked(options, PoolHooks::new().listener(log.clone())), log)
}

/// Returns a connection with an open transaction.
fn leave_a_transaction(pool: &Pool) {
    pool.get().unwrap().begin().unwrap();
}

/// pool-contract A31
#[test]
fn by_default_a_transaction_is_rolled_back_and_never_committed() {
    let fake = Fake::default();
    let (pool, _) = hooked(&fake, ResetPolicy::default());
    leave_a_transaction(&pool);
    assert_eq!((fake.count("rollback"), fake.count("commit")), (1, 0));
}

/// pool-contract A32
#[test]
fn it_can_be_committed_instead() {
    let fake = Fake::default();
    let (pool, _) = hooked(&fake, ResetPolicy::Commit);
    leave_a_transaction(&pool);
    assert_eq!((fake.count("rollback"), fake.count("commit"), fake.open()), (0, 1, 1));
}

#[test]
fn a_thorough_reset_trusts_nothing_that_is_known_of_a_connection() {
    let fake = Fake::default();
    let (pool, _) = hooked(&fake, ResetPolicy::Thorough);
    leave_a_transaction(&pool);
    assert_eq!((fake.count("distrust"), fake.count("rollback"), fake.open()), (1, 1, 1));
}

/// pool-contract A33
#[test]
fn without_a_reset_nothing_is_sent_and_an_open_transaction_ends_with_its_connection() {
    let fake = Fake::default();
    let (pool, _) = hooked(&fake, ResetPolicy::None);
    drop(pool.get().unwrap());
    assert_eq!((fake.calls().len(), fake.open()), (0, 1));
    leave_a_transaction(&pool);
    assert_eq!((fake.calls(), fake.open()), (vec!["close 0".to_owned()], 0));
}

/// pool-contract C5, A36
#[test]
fn what_was_left_behind_is_told_and_the_connection_kept() {
    let fake = Fake::default();
    let (pool, log) = hooked(&fake, ResetPolicy::Rollback);
    leave_a_transaction(&pool);
    pool.get().unwrap().run("set").unwrap();
    drop(pool.get().unwrap());
    let resets: Vec<_> = log.lines().into_iter().filter(|line| line.starts_with("reset")).collect();
    assert_eq!(resets, ["reset: an open transaction", "reset: session state", "reset: nothing"]);
    assert_eq!((fake.connects(), pool.stats().resets), (1, 2));
}

/// pool-contract C7
#[test]
fn one_that_cannot_be_made_clean_is_closed() {
    let fake = Fake::default();
    let (pool, log) = hooked(&fake, ResetPolicy::Rollback);
    fake.fail_resets();
    drop(pool.get().unwrap());
    assert_eq!((fake.open(), pool.stats().total, pool.stats().discarded), (0, 0, 1));
    let lines = log.lines();
    let end = ["reset failed", "check-in: nobody", "close: it could not be made clean"];
    assert!(lines.ends_with(&end.map(str::to_owned)), "{lines:?}");
}

/// Whether a transaction was open, and whether the connection leaves, each time.
type Told = Arc<Mutex<Vec<(bool, bool)>>>;

/// What a reset hook is told.
fn told(fake: &Fake, policy: ResetPolicy) -> (Pool, Told) {
    let told = Told::default();
    let listener = Arc::clone(&told);
    let hooks = PoolHooks::new().on_reset(move |_, returning| {
        listener.lock().unwrap().push((returning.in_transaction, returning.is_leaving));
        Ok(())
    });
    (fake.hooked(PoolOptions::new().reset_on_return(policy), hooks), told)
}

/// pool-contract A34
#[test]
fn a_reset_hook_runs_on_a_return_and_on_a_detachment_but_not_for_one_that_was_given_up() {
    let (fake, policy) = (Fake::default(), ResetPolicy::None);
    let (pool, told) = told(&fake, policy);
    drop(pool.get().unwrap());
    drop(pool.get().unwrap().detach().unwrap());
    pool.get().unwrap().invalidate();
    assert_eq!(*told.lock().unwrap(), [(false, false), (false, true)]);
}

/// pool-contract A35
#[test]
fn a_reset_hook_is_told_whether_the_transaction_was_ended_and_nothing_is_rolled_back_twice() {
    let fake = Fake::default();
    let (pool, told) = told(&fake, ResetPolicy::Rollback);
    leave_a_transaction(&pool);
    let mut connection = pool.get().unwrap();
    connection.begin().unwrap();
    connection.rollback().unwrap();
    drop(connection);
    assert_eq!(*told.lock().unwrap(), [(true, false), (false, false)]);
    assert_eq!(fake.count("rollback"), 2, "one of the pool's, one of the holder's");
}

/// pool-contract C4
#[test]
fn a_reset_hook_that_leaves_it_dirty_or_fails_or_panics_closes_the_connection() {
    type Hook = fn(&mut rowmill::Hooked<'_>) -> Result<()>;
    let hooks: [Hook; 4] = [
        |hooked| hooked.connection.begin(),
        |hooked| hooked.connection.run("break"),
        |_| Err(Error::new(ErrorKind::Database, "no")),
        |_| std::panic::resume_unwind(Box::new("no")),
    ];
    for hook in hooks {
        let fake = Fake::default();
        let options = PoolOptions::new().reset_on_return(ResetPolicy::None);
        let pool = fake.hooked(options, PoolHooks::new().on_reset(move |hooked, _| hook(hooked)));
        drop(pool.get().unwrap());
        assert_eq!((fake.open(), pool.stats().in_use, pool.stats().total), (0, 0, 0));
        assert_eq!(id(&mut pool.get().unwrap()), 1);
    }
}

/// pool-contract C4
#[test]
fn a_connect_hook_that_leaves_it_dirty_or_broken_gets_no_connection_into_the_pool() {
    for statement in ["begin", "break"] {
        let fake = Fake::default();
        let hooks = PoolHooks::new().on_connect(move |hooked| match statement {
            "begin" => hooked.connection.begin(),
            other => hooked.connection.run(other),
        });
        let pool = fake.hooked(PoolOptions::new(), hooks);
        let error = pool.get().unwrap_err();
        assert!(error.message().contains("in a transaction or broken"), "{error}");
        assert_eq!((fake.open(), pool.stats().in_use, pool.stats().total), (0, 0, 0));
    }
}
