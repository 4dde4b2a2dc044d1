//! A closure is run again where the run before has certainly left nothing behind, as a whole, and
//! never once its COMMIT may have held.

use crate::support::{Cluster, Home, TestDb, shared};
use rowmill::{
    Engine, ErrorKind, Isolation, Result, RetryPolicy, SqlState, Transaction, TransactionOptions,
};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

fn retrying() -> TransactionOptions {
    TransactionOptions::new().retry(RetryPolicy::default())
}

fn number(transaction: &mut Transaction, sql: &str) -> Result<i64> {
    let mut found = 0;
    transaction.query(sql, &[], |row| {
        found = rowmill::Cell::unpack(row.cell(0)?)?;
        Ok(())
    })?;
    Ok(found)
}

fn pid(transaction: &mut Transaction) -> i64 {
    number(transaction, "select pg_backend_pid()").unwrap()
}

fn counter(label: &str) -> (TestDb<'static>, Engine) {
    let database = shared().database(label);
    database.sql("create table t (n bigint not null); insert into t values (0)");
    let engine = Engine::open(&database.url()).unwrap();
    (database, engine)
}

/// F34
#[test]
fn a_serialization_failure_runs_the_whole_closure_again() {
    let (database, engine) = counter("serialization");
    let options = retrying().isolation(Isolation::Serializable);
    let attempts = engine
        .transact(&options, |transaction| {
            let seen = number(transaction, "select n from t")?;
            if transaction.attempt() == 1 {
                database.sql("update t set n = n + 10");
            }
            transaction.execute("update t set n = $1", &[(seen + 1).into()])?;
            Ok(transaction.attempt())
        })
        .unwrap();
    assert_eq!((attempts, database.value("select n from t").as_str()), (2, "11"));
}

/// F33
#[test]
fn transactions_that_deadlock_all_succeed_in_the_end() {
    let database = shared().database("deadlock");
    database.sql("create table t (id int primary key, n bigint not null)");
    database.sql("insert into t values (0, 0), (1, 0)");
    database.sql(&format!("alter database \"{}\" set deadlock_timeout = '10ms'", database.name()));
    let engine = Engine::builder(&database.url()).pool_size(8).build().unwrap();
    // How many attempts it took; `between` is where one row is taken and the other is not.
    let add_to_both = |first: i64, between: &dyn Fn(u32)| {
        let add = "update t set n = n + 1 where id = $1";
        let attempt = engine.transact(&retrying(), |transaction| {
            transaction.execute(add, &[(first % 2).into()])?;
            between(transaction.attempt());
            transaction.execute(add, &[((first + 1) % 2).into()])?;
            Ok(transaction.attempt())
        });
        attempt.unwrap()
    };
    // These two certainly meet: each has what the other one wants.
    let both_have_one = Barrier::new(2);
    let meet = |attempt| {
        if attempt == 1 {
            both_have_one.wait();
        }
    };
    let attempts = AtomicU32::new(0);
    thread::scope(|scope| {
        for worker in 0..2 {
            let (add_to_both, meet, attempts) = (&add_to_both, &meet, &attempts);
            scope.spawn(move || attempts.fetch_add(add_to_both(worker, meet), Ordering::Relaxed));
        }
    });
    assert!(attempts.load(Ordering::Relaxed) > 2, "{attempts:?}");
    thread::scope(|scope| {
        for worker in 0..8 {
            let add_to_both = &add_to_both;
            scope.spawn(move || {
                (0..20).for_each(|round| {
                    add_to_both(worker + round, &|_| ());
                });
            });
        }
    });
    assert_eq!(database.value("select min(n) || ' ' || max(n) from t"), "162 162");
}

#[test]
fn a_connection_that_is_lost_before_the_commit_is_replaced() {
    let (database, engine) = counter("lost_before");
    let attempt = engine
        .transact(&retrying(), |transaction| {
            transaction.execute("update t set n = n + 1", &[])?;
            if transaction.attempt() == 1 {
                let pid = pid(transaction);
                database.sql(&format!("select pg_terminate_backend({pid}, 10000)"));
            }
            transaction.execute("update t set n = n + 1", &[])?;
            Ok(transaction.attempt())
        })
        .unwrap();
    assert_eq!((attempt, database.value("select n from t").as_str()), (2, "2"));
}

#[test]
fn what_cannot_pass_is_not_tried_again_and_what_may_is_not_for_ever() {
    let home = Home::postgres();
    home.sql("create table t (n integer primary key)");
    let runs = AtomicU32::new(0);
    let count = |options: &TransactionOptions, sql: &str| {
        runs.store(0, Ordering::Relaxed);
        let failed = home.engine().transact(options, |transaction| {
            runs.fetch_add(1, Ordering::Relaxed);
            transaction.execute(sql, &[])
        });
        (failed.unwrap_err(), runs.load(Ordering::Relaxed))
    };
    assert_eq!(count(&retrying(), "insert into t values (1), (1)").1, 1);
    assert_eq!(count(&retrying().read_only(), "insert into t values (1)").1, 1);
    let deadlock = "do $$ begin raise exception 'x' using errcode = '40P01'; end $$";
    let mut policy = RetryPolicy::default();
    policy.attempts = 3;
    let (error, runs_of_it) = count(&TransactionOptions::new().retry(policy), deadlock);
    assert_eq!((error.sqlstate(), runs_of_it), (SqlState::parse("40P01"), 3));
    assert_eq!(count(&retrying().deadline(Duration::ZERO), deadlock).1, 1);
    assert_eq!(count(&TransactionOptions::new(), deadlock).1, 1);
}

/// A table whose first COMMIT waits until its session is ended.
fn waits_at_commit(database: &TestDb<'_>) {
    database.sql(
        "create table t (n bigint not null);
         create sequence runs;
         create function wait() returns trigger language plpgsql as $$ begin
             if nextval('runs') = 1 then perform pg_sleep(60); end if; return null; end $$;
         create constraint trigger wait after insert on t deferrable initially deferred
             for each row execute function wait()",
    );
}

/// Ends the session that waits, once it does.
fn end_who_waits(database: &TestDb<'_>, wait_event: &str) {
    let sql = format!(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity \
         where wait_event = '{wait_event}' and datname = current_database()"
    );
    crate::support::fake::until("a session waits", || database.value(&sql) != "0");
}

fn insert(transaction: &mut Transaction) -> Result<u32> {
    transaction.execute("insert into t values (1)", &[])?;
    Ok(transaction.attempt())
}

/// F13
#[test]
fn a_commit_whose_answer_was_lost_is_an_error_of_its_own_and_not_tried_again() {
    let database = shared().database("unknown");
    waits_at_commit(&database);
    let engine = Engine::open(&database.url()).unwrap();
    let error = thread::scope(|scope| {
        let committing = scope.spawn(|| engine.transact(&retrying(), insert));
        end_who_waits(&database, "PgSleep");
        committing.join().unwrap().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
    assert_eq!(database.value("select last_value from runs"), "1");
}

#[test]
fn a_commit_that_turns_out_not_to_have_held_is_run_again() {
    let database = shared().database("did_not_hold");
    waits_at_commit(&database);
    let engine = Engine::open(&database.url()).unwrap();
    let options = retrying().resolve_commit();
    let attempt = thread::scope(|scope| {
        let committing = scope.spawn(|| engine.transact(&options, insert));
        end_who_waits(&database, "PgSleep");
        committing.join().unwrap()
    });
    assert_eq!((attempt.unwrap(), database.count("t")), (2, 1));
}

/// F18
#[test]
fn a_commit_that_turns_out_to_have_held_is_not_run_again() {
    // The server commits, waits for a standby that is not there, and its session is ended: the
    // transaction has held, and nobody said so.
    let cluster = Cluster::start();
    let database = cluster.database("held");
    database.sql("create table t (n bigint not null)");
    // Nobody else waits.
    cluster.sql("alter system set synchronous_commit = 'local'");
    cluster.commits_wait_for("nobody");
    let called = AtomicU32::new(0);
    let engine = Engine::open(&database.url()).unwrap();
    let attempt = thread::scope(|scope| {
        let committing = scope.spawn(|| {
            engine.transact(&retrying().resolve_commit(), |transaction| {
                called.fetch_add(1, Ordering::Relaxed);
                transaction.run("set local synchronous_commit = on")?;
                insert(transaction)
            })
        });
        end_who_waits(&database, "SyncRep");
        committing.join().unwrap()
    });
    assert_eq!((attempt.unwrap(), called.load(Ordering::Relaxed)), (1, 1));
    assert_eq!(database.count("t"), 1);
}

/// A statement that was prepared before a table changed cannot be prepared again in a transaction.
#[test]
fn a_table_that_changed_runs_the_whole_closure_again() {
    let (database, engine) = counter("changed");
    let everything = |options: &TransactionOptions| {
        engine.transact(options, |transaction| {
            transaction.execute("update t set n = n + 1", &[])?;
            let mut cells = 0;
            transaction.query("select * from t", &[], |row| {
                cells = row.len();
                Ok(())
            })?;
            Ok((transaction.attempt(), cells))
        })
    };
    assert_eq!(everything(&retrying()).unwrap(), (1, 1));
    database.sql("alter table t add more int");
    assert_eq!(everything(&retrying()).unwrap(), (2, 2));
    assert_eq!(database.value("select n from t"), "2");
    // Whoever runs it again by hand is told that it helps, and it does.
    database.sql("alter table t drop more");
    let error = everything(&TransactionOptions::new()).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Database, SqlState::parse("0A000")));
    assert!(error.is_transient() && error.hint().unwrap().contains("run the transaction again"));
    assert_eq!(everything(&TransactionOptions::new()).unwrap(), (1, 1));
}

#[test]
fn a_type_that_was_made_anew_runs_the_whole_closure_again() {
    let (database, engine) = counter("anew");
    database.sql("create type mood as enum ('calm')");
    let echo = |mood: &'static str| {
        engine.transact(&retrying(), |transaction| {
            transaction.execute("update t set n = n + 1", &[])?;
            transaction.execute("select $1::mood", &[mood.into()])?;
            Ok(transaction.attempt())
        })
    };
    assert_eq!(echo("calm").unwrap(), 1);
    database.sql("drop type mood; create type mood as enum ('keen')");
    assert_eq!(echo("keen").unwrap(), 2);
    assert_eq!(database.value("select n from t"), "2");
}

#[test]
fn what_the_server_cannot_do_is_not_tried_again() {
    let (database, engine) = counter("cannot");
    database.sql(
        "create function cannot() returns int language plpgsql immutable as \
         $$ begin raise exception 'x' using errcode = '0A000'; end $$",
    );
    for _ in 0..2 {
        let mut runs = 0;
        let failed = engine.transact(&retrying(), |transaction| {
            runs += 1;
            transaction.execute("select cannot()", &[])
        });
        assert!(!failed.unwrap_err().is_transient());
        assert_eq!(runs, 1);
    }
}
