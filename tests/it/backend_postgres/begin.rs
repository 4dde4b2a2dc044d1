use super::{backend, connect, in_time, text};
use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::{TestDb, shared};
use rowmill::backend::{Backend, Connection};
use rowmill::{Engine, ErrorKind, Param, SqlState};

const ADD: &str = "insert into t values ($1)";

/// A connection to a database with a table, through a proxy that counts.
fn counted(db: &TestDb<'_>) -> (Proxy, Box<dyn Connection>) {
    db.sql("create table t (n int primary key)");
    let proxy = Proxy::to(shared().port());
    let mut connection = backend(&proxy.instead_of(&db.url())).connect(in_time()).unwrap();
    connection.execute(ADD, &[Param::Int(0)]).unwrap();
    // What the statement can have called is asked for once.
    connection.reset(in_time()).unwrap();
    proxy.set(Fault::Pass);
    (proxy, connection)
}

fn add(connection: &mut dyn Connection, n: i64) -> rowmill::Result<u64> {
    connection.execute(ADD, &[Param::Int(n)])
}

#[test]
fn a_transaction_of_two_statements_takes_three_round_trips() {
    let db = shared().database("begin_three");
    let (proxy, mut connection) = counted(&db);
    connection.begin().unwrap();
    assert!(connection.in_transaction());
    add(&mut *connection, 1).unwrap();
    assert!(connection.in_transaction());
    add(&mut *connection, 2).unwrap();
    connection.commit().unwrap();
    assert!(!connection.in_transaction());
    assert_eq!((proxy.requests(), db.count("t")), (3, 3));
}

#[test]
fn a_first_statement_that_is_not_prepared_or_has_no_parameters_takes_begin_along_too() {
    let db = shared().database("begin_along");
    let (proxy, mut connection) = counted(&db);
    for (requests, sql) in [(2, "insert into t select 1"), (1, "insert into t select 2;")] {
        proxy.set(Fault::Pass);
        connection.begin().unwrap();
        if requests == 2 {
            connection.execute(sql, &[]).unwrap();
        } else {
            connection.run(sql).unwrap();
        }
        assert_eq!(proxy.requests(), requests, "{sql}");
        connection.rollback().unwrap();
    }
    assert_eq!(db.count("t"), 1, "both were in a transaction");
}

#[test]
fn a_transaction_without_a_statement_sends_nothing_and_leaves_nothing() {
    let db = shared().database("begin_nothing");
    let (proxy, mut connection) = counted(&db);
    connection.begin().unwrap();
    connection.commit().unwrap();
    connection.begin().unwrap();
    assert_eq!(connection.transaction_id().unwrap(), None);
    connection.rollback().unwrap();
    connection.begin().unwrap();
    assert!(connection.reset(in_time()).unwrap().transaction);
    assert_eq!(proxy.requests(), 0);
    assert!(!connection.in_transaction());
    add(&mut *connection, 1).unwrap();
    assert!(!connection.in_transaction());
    assert_eq!((proxy.requests(), db.count("t")), (1, 2), "it committed by itself");
}

#[test]
fn a_first_statement_that_fails_aborts_the_transaction() {
    let db = shared().database("begin_fails");
    db.sql("create table t (n int primary key); insert into t values (0)");
    let mut connection = connect(&db);
    // Refused while it is prepared, while it runs, without parameters, and when it is prepared already.
    for (sql, is_run) in [
        ("insert into nowhere values ($1)", false),
        (ADD, false),
        ("insert into t values (0)", true),
        ("insert into t values (0); select 1", true),
        ("not sql", true),
        (ADD, false),
    ] {
        connection.begin().unwrap();
        let outcome = if is_run {
            connection.run(sql)
        } else {
            connection.execute(sql, &[0.into()]).map(drop)
        };
        outcome.unwrap_err();
        assert!(connection.in_transaction(), "{sql}");
        let refused = add(&mut *connection, 1).unwrap_err();
        assert_eq!(refused.sqlstate(), Some(SqlState::IN_FAILED_TRANSACTION), "{sql}");
        let refused = connection.commit().unwrap_err();
        assert_eq!(refused.sqlstate(), Some(SqlState::IN_FAILED_TRANSACTION), "{sql}");
        assert!(!connection.in_transaction() && !connection.is_broken());
    }
    assert_eq!(db.count("t"), 1);
}

#[test]
fn what_is_not_sent_leaves_the_transaction_to_the_next_statement() {
    let db = shared().database("begin_unsent");
    let (_proxy, mut connection) = counted(&db);
    connection.begin().unwrap();
    connection.execute(ADD, &[]).unwrap_err();
    assert!(connection.in_transaction());
    add(&mut *connection, 1).unwrap();
    connection.rollback().unwrap();
    assert_eq!(db.count("t"), 1);
}

#[test]
fn whatever_comes_first_is_in_the_transaction() {
    let db = shared().database("begin_first");
    db.sql("create table t (n int primary key)");
    let mut connection = connect(&db);
    let first: [fn(&mut dyn Connection); 6] = [
        |connection| connection.run("select 1; savepoint a").unwrap(),
        |connection| connection.run("savepoint a").unwrap(),
        |connection| {
            let unloaded =
                connection.unload("select 1", &[rowmill::ColumnType::Int4], &mut |_| Ok(()));
            assert_eq!(unloaded.unwrap(), 1);
        },
        |connection| assert!(connection.server_limit().unwrap().is_some()),
        |connection| connection.ping(in_time()).unwrap(),
        |connection| connection.set_statement_timeout(None).unwrap(),
    ];
    for (number, first) in first.into_iter().enumerate() {
        connection.begin().unwrap();
        first(&mut *connection);
        assert!(connection.in_transaction(), "{number}");
        add(&mut *connection, 1).unwrap();
        connection.rollback().unwrap();
        assert_eq!(db.count("t"), 0, "{number}");
    }
}

#[test]
fn a_second_begin_is_an_error_whether_or_not_the_first_was_sent() {
    let db = shared().database("begin_twice");
    let mut connection = connect(&db);
    for is_sent in [false, true] {
        connection.begin().unwrap();
        if is_sent {
            connection.run("select 1").unwrap();
        }
        assert_eq!(connection.begin().unwrap_err().sqlstate().unwrap().code(), "25001");
        connection.rollback().unwrap();
    }
    assert_eq!(text(&mut *connection, "select 'on'", &[]), "on");
}

#[test]
fn a_connection_that_is_lost_with_begin_committed_nothing_and_says_so() {
    let db = shared().database("begin_lost");
    db.sql("create table t (n int primary key)");
    let proxy = Proxy::to(shared().port());
    let engine = Engine::open(&proxy.instead_of(&db.url())).unwrap();
    engine.run("select 1").unwrap();
    proxy.set(Fault::Cut { at: Moment::BeforeMessage, end: End::Rst });
    let lost = engine.transaction(|transaction| transaction.execute(ADD, &[1.into()]));
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Disconnect);
    engine.transaction(|transaction| transaction.execute(ADD, &[2.into()])).unwrap();
    assert_eq!(db.count("t"), 1);
}

#[test]
fn a_transaction_whose_statements_are_sent_together_takes_two_round_trips() {
    let db = shared().database("begin_two");
    db.sql("create table t (n int primary key)");
    let proxy = Proxy::to(shared().port());
    let engine = Engine::open(&proxy.instead_of(&db.url())).unwrap();
    for turn in 0..2 {
        proxy.set(Fault::Pass);
        let values = [2 * turn, 2 * turn + 1].map(|n| [Param::Int(n)]);
        let both = values.each_ref().map(|value| (ADD, value.as_slice()));
        engine.transaction(|transaction| transaction.execute_together(&both)).unwrap();
    }
    assert_eq!((proxy.requests(), db.count("t")), (2, 4));
}
