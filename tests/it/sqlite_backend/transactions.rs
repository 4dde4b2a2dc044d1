//! What becomes of transactions.

use super::*;

#[test]
fn a_connection_dropped_in_a_transaction_rolls_back_and_gives_up_its_turn() {
    let database = Database::new();
    let backend = database.backend();
    let mut first = connect(&backend);
    first.run("create table t (a)").unwrap();
    first.begin().unwrap();
    first.run("insert into t values (1)").unwrap();
    assert!(first.in_transaction());
    drop(first);
    let mut second = connect(&backend);
    second.begin().unwrap();
    assert_eq!(one(&mut *second, "select count(*) from t"), "0");
}

#[test]
fn a_panic_in_the_reader_of_rows_leaves_nothing_held() {
    let database = Database::new();
    let backend = database.backend();
    let mut connection = connect(&backend);
    connection.begin().unwrap();
    let panicked = thread::spawn(move || {
        connection.query("select 1", &[], &mut |_| panic!("in the closure")).unwrap();
    })
    .join();
    assert!(panicked.is_err());
    connect(&backend).begin().unwrap();
}

#[test]
fn a_rollback_without_a_transaction_does_nothing_and_a_second_begin_is_refused() {
    let database = Database::new();
    let mut connection = connect(&database.backend());
    connection.rollback().unwrap();
    connection.begin().unwrap();
    assert_eq!(code(&connection.begin().unwrap_err()), "25001");
    assert!(connection.in_transaction());
    connection.commit().unwrap();
    assert_eq!(code(&connection.commit().unwrap_err()), "25P01");
}

#[test]
fn what_sqlite_rolled_back_by_itself_is_not_carried_on() {
    let database = Database::new();
    let backend = database.backend();
    let mut connection = connect(&backend);
    connection.run("create table t (a primary key on conflict rollback)").unwrap();
    for end_with_commit in [true, false] {
        connection.begin().unwrap();
        connection.run("insert into t values (1)").unwrap();
        assert_eq!(code(&connection.run("insert into t values (1)").unwrap_err()), "23505");
        assert!(connection.in_transaction());
        let error = connection.execute("insert into t values (2)", &[]).unwrap_err();
        assert_eq!((code(&error).as_str(), error.class()), ("25P02", Class::Aborted));
        // The others need not wait for one who holds nothing any more.
        connect(&backend).begin().unwrap();
        if end_with_commit {
            assert_eq!(code(&connection.commit().unwrap_err()), "25P02");
        } else {
            connection.rollback().unwrap();
        }
        assert!(!connection.in_transaction());
    }
    assert_eq!(one(&mut *connection, "select count(*) from t"), "0");
}

#[test]
fn savepoints_work_within_a_transaction() {
    let database = Database::new();
    let mut connection = connect(&database.backend());
    connection.run("create table t (a)").unwrap();
    connection.begin().unwrap();
    connection.run("savepoint s; insert into t values (1); rollback to s; release s").unwrap();
    connection.run("insert into t values (2)").unwrap();
    connection.commit().unwrap();
    assert_eq!(one(&mut *connection, "select a from t"), "2");
}
