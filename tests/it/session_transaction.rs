//! Statements that hold together, and savepoints within.

use crate::support::{Home, on_both};
use rowmill::{
    Error, ErrorKind, Executor, Intent, Isolation, Param, Result, SqlState, Transaction,
    TransactionOptions,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn with_table(test: impl Fn(&Home)) {
    on_both(|home| {
        home.sql("create table t (n integer primary key)");
        test(home);
    });
}

fn add(transaction: &mut Transaction, n: i64) -> Result<u64> {
    transaction.execute("insert into t values ($1)", &[n.into()])
}

fn numbers(home: &Home) -> Vec<String> {
    home.rows("select n from t order by n")
}

fn refusal() -> Error {
    Error::new(ErrorKind::Config, "on second thoughts")
}

#[test]
fn what_is_not_committed_is_rolled_back() {
    with_table(|home| {
        let mut dropped = home.engine().begin().unwrap();
        add(&mut dropped, 1).unwrap();
        drop(dropped);
        let mut ended = home.engine().begin().unwrap();
        add(&mut ended, 2).unwrap();
        ended.rollback().unwrap();
        let failed: Result<()> = home.engine().transaction(|transaction| {
            add(transaction, 3)?;
            Err(refusal())
        });
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Config);
        let mut kept = home.engine().begin().unwrap();
        add(&mut kept, 4).unwrap();
        kept.commit().unwrap();
        assert_eq!(numbers(home), ["4"]);
        assert_eq!(home.engine().stats().in_use, 0);
    });
}

#[test]
fn a_panic_in_the_closure_rolls_back_and_gives_the_connection_up() {
    with_table(|home| {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            home.engine().transaction(|transaction| -> Result<()> {
                add(transaction, 1)?;
                panic!("the planted panic");
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(home.engine().stats().in_use, 0);
        assert!(numbers(home).is_empty());
    });
}

#[test]
fn an_error_within_a_savepoint_takes_back_what_is_within_and_nothing_else() {
    with_table(|home| {
        let done = home.engine().transaction(|transaction| {
            add(transaction, 1)?;
            let inner = transaction.savepoint(|transaction| {
                add(transaction, 2)?;
                transaction.savepoint(|transaction| add(transaction, 3))?;
                add(transaction, 1)
            });
            assert_eq!(inner.unwrap_err().sqlstate(), Some(SqlState::UNIQUE_VIOLATION));
            transaction.savepoint(|transaction| add(transaction, 4))?;
            let refused: Result<()> = transaction.savepoint(|transaction| {
                add(transaction, 5)?;
                Err(refusal())
            });
            assert!(refused.is_err());
            add(transaction, 6)
        });
        assert_eq!(done.unwrap(), 1);
        assert_eq!(numbers(home), ["1", "4", "6"]);
    });
}

#[test]
fn a_statement_that_failed_and_was_passed_over_fails_the_commit_and_is_named() {
    let home = Home::postgres();
    home.sql("create table t (n integer primary key)");
    let error = home
        .engine()
        .transaction(|transaction| {
            add(transaction, 1)?;
            assert!(add(transaction, 1).is_err());
            let next = add(transaction, 2).unwrap_err();
            assert!(next.message().contains("t_pkey"), "{next}");
            Ok(())
        })
        .unwrap_err();
    assert_eq!(error.sqlstate(), Some(SqlState::IN_FAILED_TRANSACTION));
    assert!(error.message().contains("t_pkey"), "{error}");
    assert!(numbers(&home).is_empty());
}

/// pool-contract R13; who rolls back in words is told, who drops it is not
#[test]
fn a_transaction_that_lost_its_connection_begins_nothing_more() {
    let home = Home::postgres();
    home.sql("create table t (n integer primary key)");
    let mut transaction = home.engine().begin().unwrap();
    add(&mut transaction, 1).unwrap();
    let end = "select pg_terminate_backend(pg_backend_pid())";
    assert!(transaction.execute(end, &[]).unwrap_err().is_disconnect());
    let within = transaction.savepoint(|within| add(within, 2)).unwrap_err();
    assert!(within.is_disconnect(), "{within}");
    assert!(transaction.rollback().unwrap_err().is_disconnect());
    home.engine().transaction(|next| add(next, 3)).unwrap();
    assert_eq!(numbers(&home), ["3"]);
}

/// pool-contract R10
#[test]
fn what_fails_while_it_is_rolled_back_does_not_hide_the_first_error() {
    let home = Home::postgres();
    let failed: Result<()> = home.engine().transaction(|transaction| {
        let ended = transaction.execute("select pg_terminate_backend(pg_backend_pid())", &[]);
        assert!(ended.unwrap_err().is_disconnect());
        Err(refusal())
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(home.engine().stats().in_use, 0);
}

#[test]
fn an_error_that_is_passed_over_within_a_savepoint_fails_it_alone() {
    let home = Home::postgres();
    home.sql("create table t (n integer primary key)");
    let done = home.engine().transaction(|transaction| {
        add(transaction, 1)?;
        let inner = transaction.savepoint(|transaction| {
            add(transaction, 2)?;
            assert!(add(transaction, 1).is_err());
            Ok(())
        });
        assert_eq!(inner.unwrap_err().sqlstate(), Some(SqlState::IN_FAILED_TRANSACTION));
        add(transaction, 3)
    });
    assert_eq!(done.unwrap(), 1);
    assert_eq!(numbers(&home), ["1", "3"]);
}

#[test]
fn hooks_are_called_after_a_commit_alone_and_may_use_the_engine() {
    with_table(|home| {
        let (seen, engine) = (Arc::new(AtomicU32::new(0)), home.engine().clone());
        let hook = |number: u32| {
            let (seen, engine) = (Arc::clone(&seen), engine.clone());
            move || {
                // On this thread: a connection that was still held would be an error here.
                engine.query("select count(*) from t", &[], |_| Ok(())).unwrap();
                seen.fetch_add(number, Ordering::Relaxed);
            }
        };
        let mut dropped = home.engine().begin().unwrap();
        dropped.on_commit(hook(1000));
        drop(dropped);
        let done = home.engine().transaction(|transaction| {
            transaction.on_commit(hook(1));
            let refused: Result<()> = transaction.savepoint(|transaction| {
                transaction.on_commit(hook(100));
                Err(refusal())
            });
            assert!(refused.is_err());
            transaction.savepoint(|transaction| {
                transaction.on_commit(hook(10));
                add(transaction, 1)
            })
        });
        assert!(done.is_ok());
        assert_eq!(seen.load(Ordering::Relaxed), 11);
    });
}

#[test]
fn a_transaction_is_as_its_options_say() {
    let home = Home::postgres();
    home.sql("create table t (n integer primary key)");
    let options = TransactionOptions::new()
        .isolation(Isolation::RepeatableRead)
        .read_only()
        .lock_timeout(Duration::from_millis(250))
        .idle_timeout(Duration::from_secs(7));
    let error = home
        .engine()
        .transact(&options, |transaction| {
            let sql = "select current_setting('transaction_isolation') || ' ' \
                       || current_setting('lock_timeout') || ' ' \
                       || current_setting('idle_in_transaction_session_timeout')";
            let mut found = String::new();
            transaction.query(sql, &[], |row| {
                found = rowmill::Cell::unpack(row.cell(0)?)?;
                Ok(())
            })?;
            assert_eq!(found, "repeatable read 250ms 7s");
            add(transaction, 1)
        })
        .unwrap_err();
    assert_eq!(error.sqlstate(), SqlState::parse("25006"), "{error}");
    let mut after = String::new();
    home.engine()
        .query("select current_setting('lock_timeout')", &[], |row| {
            after = rowmill::Cell::unpack(row.cell(0)?)?;
            Ok(())
        })
        .unwrap();
    assert_eq!(after, "0", "the options end with the transaction");
}

#[test]
fn sqlite_refuses_the_options_that_it_does_not_have() {
    let home = Home::sqlite();
    let options = TransactionOptions::new().isolation(Isolation::ReadCommitted);
    let error = home.engine().transact(&options, |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let options = TransactionOptions::new().isolation(Isolation::Serializable);
    assert!(home.engine().transact(&options, |_| Ok(())).is_ok());
}

fn insert_two(on: &impl Executor, second: i64) -> Result<()> {
    on.atomically(|connection| {
        connection.execute("insert into t values (1)", &[])?;
        connection.execute("insert into t values ($1)", &[second.into()])?;
        Ok(())
    })
}

#[test]
fn what_runs_atomically_holds_as_a_whole_on_an_engine_and_in_a_transaction() {
    with_table(|home| {
        insert_two(home.engine(), 1).unwrap_err();
        assert!(numbers(home).is_empty());
        home.engine()
            .transaction(|transaction| {
                add(transaction, 0)?;
                insert_two(transaction, 1).unwrap_err();
                insert_two(transaction, 2)
            })
            .unwrap();
        assert_eq!(numbers(home), ["0", "1", "2"]);
        insert_two(home.engine(), 3).unwrap_err();
        assert_eq!(home.engine().stats().in_use, 0);
    });
}

#[test]
fn a_transaction_that_is_at_work_refuses_a_second_statement() {
    with_table(|home| {
        let transaction = home.engine().begin().unwrap();
        let error = transaction.with(Intent::Read, |_| insert_two(&transaction, 2)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.to_string().contains("collect the rows first"), "{error}");
    });
}

const ADD: &str = "insert into t values ($1)";

#[test]
fn statements_that_are_sent_together_hold_together_and_tell_what_each_changed() {
    with_table(|home| {
        let one: [Param<'_>; 1] = [1.into()];
        let changed = home.engine().transaction(|transaction| {
            transaction.execute_together(&[
                (ADD, &one),
                ("insert into t select n + 1 from t union select n + 2 from t", &[]),
                ("update t set n = n + 10", &[]),
                ("delete from t where n = $1 + 10", &one),
            ])
        });
        assert_eq!(changed.unwrap(), [1, 2, 3, 1]);
        assert_eq!(numbers(home), ["12", "13"]);
        let none = home.engine().transaction(|transaction| transaction.execute_together(&[]));
        assert_eq!(none.unwrap(), [0; 0]);
    });
}

#[test]
fn what_is_behind_a_statement_that_fails_is_not_run_and_nothing_is_committed() {
    with_table(|home| {
        home.sql("insert into t values (7)");
        let values = [1, 7, 2].map(|n| [Param::from(n)]);
        let [one, seven, two] = &values;
        let mut transaction = home.engine().begin().unwrap();
        let failed =
            transaction.execute_together(&[(ADD, one), (ADD, seven), (ADD, two)]).unwrap_err();
        assert_eq!(failed.class(), rowmill::Class::Data);
        drop(transaction);
        for broken in ["insert into nowhere values ($1)", "not sql"] {
            let outcome = home.engine().transaction(|transaction| {
                transaction.execute_together(&[(ADD, one), (broken, seven), (ADD, two)])
            });
            outcome.unwrap_err();
        }
        assert_eq!(numbers(home), ["7"]);
        assert_eq!(home.engine().stats().in_use, 0);
    });
}

#[test]
fn a_savepoint_takes_back_what_was_sent_together_in_it() {
    with_table(|home| {
        let values = [1, 2, 1].map(|n| [Param::from(n)]);
        let [one, two, again] = &values;
        home.engine()
            .transaction(|transaction| {
                transaction.execute_together(&[(ADD, one)])?;
                let failed = transaction.savepoint(|transaction| {
                    transaction.execute_together(&[(ADD, two), (ADD, again)])
                });
                assert!(failed.is_err());
                transaction.execute_together(&[(ADD, two)])
            })
            .unwrap();
        assert_eq!(numbers(home), ["1", "2"]);
    });
}

#[test]
fn one_that_cannot_be_sent_with_others_is_run_in_its_place_and_any_number_is() {
    with_table(|home| {
        let values: Vec<[Param<'_>; 1]> = (0..200).map(|n| [Param::from(n)]).collect();
        let mut statements: Vec<(&str, &[Param<'_>])> =
            values.iter().map(|value| (ADD, value.as_slice())).collect();
        // It may leave something in its session.
        statements.insert(100, ("create temporary table seen as select n from t", &[]));
        statements.push(("insert into t select n + 1000 from seen", &[]));
        let changed =
            home.engine().transaction(|transaction| transaction.execute_together(&statements));
        assert_eq!(changed.unwrap().last(), Some(&100), "it saw those before it and no other");
        assert_eq!(numbers(home).len(), 300);
    });
}
