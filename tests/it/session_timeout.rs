//! The time-outs of a transaction, and that they strike.

use crate::support::{TestDb, shared};
use rowmill::{Engine, Error, ErrorKind, Executor, Sql, TransactionOptions};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(100);
/// Nothing here takes so long unless a time-out is missing.
const LONG: Duration = Duration::from_secs(20);

fn engine(label: &str) -> (TestDb<'static>, Engine) {
    let database = shared().database(label);
    database.sql("create table t (id int primary key, n int); insert into t values (1, 0)");
    let engine = Engine::open(&database.url()).unwrap();
    (database, engine)
}

fn sqlstate(error: &Error) -> String {
    error.sqlstate().map(|state| state.to_string()).unwrap_or_default()
}

fn pid(on: &impl Executor) -> i32 {
    Sql::new("select pg_backend_pid()").scalar(on).unwrap()
}

#[test]
fn a_statement_that_takes_too_long_is_cancelled_and_the_next_borrower_has_no_limit() {
    let (_database, engine) = engine("statement_timeout");
    let start = Instant::now();
    let options = TransactionOptions::new().statement_timeout(SHORT);
    let error = engine.transact(&options, |it| it.run("select pg_sleep(60)")).unwrap_err();
    assert_eq!((error.kind(), sqlstate(&error).as_str()), (ErrorKind::Database, "57014"));
    assert!(start.elapsed() < LONG);
    let slower = "select pg_sleep(0.3)";
    engine.transaction(|transaction| transaction.run(slower)).unwrap();
}

#[test]
fn who_waits_too_long_for_a_lock_is_told_and_the_other_goes_on() {
    let (database, engine) = engine("lock_timeout");
    let other = Engine::open(&database.url()).unwrap();
    let mut holder = other.begin().unwrap();
    holder.run("update t set n = 1").unwrap();
    let start = Instant::now();
    let options = TransactionOptions::new().lock_timeout(SHORT).statement_timeout(LONG);
    let error = engine.transact(&options, |it| it.run("update t set n = 2")).unwrap_err();
    assert_eq!((error.kind(), sqlstate(&error).as_str()), (ErrorKind::Database, "55P03"));
    assert!(start.elapsed() < LONG && error.is_transient());
    holder.commit().unwrap();
    assert_eq!(database.value("select n from t"), "1");
}

#[test]
fn a_transaction_that_does_nothing_for_too_long_is_ended_by_the_server() {
    let (database, engine) = engine("idle_timeout");
    let options = TransactionOptions::new().idle_timeout(Duration::from_secs(2));
    let mut server = 0;
    let error = engine
        .transact(&options, |transaction| {
            transaction.run("update t set n = 3")?;
            server = pid(transaction);
            database.wait_until_gone(server);
            transaction.run("update t set n = 4")
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnect, "{error}");
    assert_eq!(database.value("select n from t"), "0");
    assert_ne!(pid(&engine), server);
}
