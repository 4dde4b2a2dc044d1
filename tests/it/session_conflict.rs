//! Transactions that meet each other: what a whole closure that is run again makes of it, and what
//! becomes of it without.
//!
//! `ROWMILL_FAULT_POOL=full` makes 10,000 transactions of it.

use crate::support::trial::sized;
use crate::support::{TestDb, shared};
use rowmill::{Cell, Engine, Isolation, Result, RetryPolicy, Transaction, TransactionOptions};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

fn patient() -> TransactionOptions {
    let mut policy = RetryPolicy::default();
    policy.attempts = 100;
    TransactionOptions::new().retry(policy)
}

fn number(transaction: &mut Transaction, sql: &str) -> Result<i64> {
    let mut found = 0;
    transaction.query(sql, &[], |row| {
        found = Cell::unpack(row.cell(0)?)?;
        Ok(())
    })?;
    Ok(found)
}

/// Two rows, and connections enough for so many threads.
fn scene(label: &str, threads: u32) -> (TestDb<'static>, Engine) {
    let database = shared().database(label);
    database.sql("create table t (id int primary key, n bigint not null)");
    database.sql("insert into t values (0, 0), (1, 0)");
    database.sql(&format!("alter database \"{}\" set deadlock_timeout = '10ms'", database.name()));
    let engine = Engine::builder(&database.url()).pool_size(threads).build().unwrap();
    (database, engine)
}

/// Adds one to both rows, in one order or the other. Whoever has the first waits for `both` to have
/// theirs, in the first attempt.
fn add_to_both(transaction: &mut Transaction, first: i64, both: Option<&Barrier>) -> Result<u32> {
    let add = "update t set n = n + 1 where id = $1";
    transaction.execute(add, &[first.into()])?;
    if let (1, Some(both)) = (transaction.attempt(), both) {
        both.wait();
    }
    transaction.execute(add, &[(1 - first).into()])?;
    Ok(transaction.attempt())
}

/// F33
#[test]
fn of_transactions_in_opposite_orders_none_is_lost() {
    let rounds = sized(25, 1_250);
    let (database, engine) = scene("orders", 8);
    let (retried, most) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for worker in 0..8_i64 {
            let (engine, retried, most) = (&engine, &retried, &most);
            scope.spawn(move || {
                for round in 0..rounds {
                    let first = (worker + round) % 2;
                    let work = |it: &mut Transaction| add_to_both(it, first, None);
                    let attempts = engine.transact(&patient(), work).unwrap();
                    retried.fetch_add(attempts - 1, Ordering::Relaxed);
                    most.fetch_max(attempts, Ordering::Relaxed);
                }
            });
        }
    });
    let all = (8 * rounds).to_string();
    eprintln!("FAULTS F33 transactions={all} retries={retried:?} most={most:?}");
    assert_eq!(database.value("select min(n) || ' ' || max(n) from t"), format!("{all} {all}"));
}

/// F33: two that certainly meet: without another attempt one of them is an error.
#[test]
fn a_deadlock_is_an_error_of_whoever_does_not_try_again() {
    let run = |options: &TransactionOptions| {
        let (database, engine) = scene("deadly", 2);
        let both = Barrier::new(2);
        let failed = thread::scope(|scope| {
            let run = |first| {
                let (engine, both) = (&engine, &both);
                scope.spawn(move || {
                    engine.transact(options, |it| add_to_both(it, first, Some(both)))
                })
            };
            let ends = [run(0), run(1)].map(|it| it.join().unwrap());
            ends.iter().filter(|end| end.is_err()).count()
        });
        (failed, database.value("select min(n) || ' ' || max(n) from t"))
    };
    assert_eq!(run(&TransactionOptions::new()), (1, "1 1".to_owned()));
    assert_eq!(run(&patient()), (0, "2 2".to_owned()));
}

/// Takes one from a row if there is one in both together: what must never leave less than nothing.
fn take(transaction: &mut Transaction, row: i64, both: Option<&Barrier>) -> Result<bool> {
    let left = number(transaction, "select cast(sum(n) as bigint) from t")?;
    if let (1, Some(both)) = (transaction.attempt(), both) {
        both.wait();
    }
    if left < 1 {
        return Ok(false);
    }
    transaction.execute("update t set n = n - 1 where id = $1", &[row.into()])?;
    Ok(true)
}

/// F34: sixteen threads take from two rows what there is in both together.
#[test]
fn what_serializable_transactions_promise_each_other_holds() {
    let (database, engine) = scene("skew", 16);
    let start = sized(60_i64, 5_000);
    database.sql(&format!("update t set n = {start}"));
    let options = patient().isolation(Isolation::Serializable);
    let taken = AtomicU32::new(0);
    thread::scope(|scope| {
        for worker in 0..16_i64 {
            let (engine, options, taken) = (&engine, &options, &taken);
            scope.spawn(move || {
                while engine.transact(options, |it| take(it, worker % 2, None)).unwrap() {
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(i64::from(taken.into_inner()), 2 * start);
    assert_eq!(database.value("select sum(n) from t"), "0");
}

/// F34: two that certainly meet; where transactions only repeat what they read, both take the last.
#[test]
fn without_serializable_transactions_two_take_the_last_one() {
    let left_by = |isolation: Isolation| {
        let (database, engine) = scene("last", 2);
        database.sql("update t set n = 1 where id = 0");
        let (options, both) = (patient().isolation(isolation), Barrier::new(2));
        thread::scope(|scope| {
            for row in 0..2 {
                let (engine, options, both) = (&engine, &options, &both);
                scope.spawn(move || {
                    engine.transact(options, |it| take(it, row, Some(both))).unwrap();
                });
            }
        });
        database.value("select sum(n) from t")
    };
    assert_eq!(left_by(Isolation::RepeatableRead), "-1");
    assert_eq!(left_by(Isolation::Serializable), "0");
}
