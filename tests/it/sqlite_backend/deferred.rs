//! Foreign keys that only COMMIT checks.

use super::*;

const TABLES: &str = "create table p (id integer primary key); insert into p values (1); \
    create table t (id integer primary key, \
    p integer references p (id) deferrable initially deferred)";

fn state_of(checked: Result<()>) -> String {
    checked.map_or_else(|error| code(&error), |()| "fine".to_owned())
}

#[test]
fn what_commit_would_refuse_is_told_before() {
    for backend in [memory(), Database::new().backend()] {
        let mut connection = connect(&backend);
        connection.run(TABLES).unwrap();
        connection.begin().unwrap();
        assert_eq!(state_of(connection.check_constraints()), "fine");
        connection.run("insert into t values (1, 1), (2, null)").unwrap();
        assert_eq!(state_of(connection.check_constraints()), "fine");
        connection.run("savepoint a; insert into t values (3, 9)").unwrap();
        assert_eq!(state_of(connection.check_constraints()), "23503");
        connection.run("rollback to a; release a").unwrap();
        assert_eq!(state_of(connection.check_constraints()), "fine");
        connection.run("insert into t values (4, 9)").unwrap();
        assert_eq!(state_of(connection.check_constraints()), "23503");
        assert_eq!(code(&connection.commit().unwrap_err()), "23503");
        connection.run("insert into p values (9)").unwrap();
        assert_eq!(state_of(connection.check_constraints()), "fine");
        connection.commit().unwrap();
        assert_eq!(one(&mut *connection, "select count(*) from t"), "3");
    }
}

#[test]
fn an_orphan_of_old_is_nobodys_fault() {
    let mut connection = connect(&memory());
    connection.run(TABLES).unwrap();
    connection.run("pragma foreign_keys = off; insert into t values (1, 5)").unwrap();
    connection.run("pragma foreign_keys = on").unwrap();
    connection.begin().unwrap();
    connection.run("insert into t values (2, 1)").unwrap();
    assert_eq!(state_of(connection.check_constraints()), "fine");
    connection.commit().unwrap();
}

#[test]
fn a_transaction_that_defers_all_its_foreign_keys_is_checked_too() {
    let mut connection = connect(&memory());
    connection.run("create table p (id integer primary key)").unwrap();
    connection.run("create table t (p integer references p (id))").unwrap();
    connection.begin().unwrap();
    connection.run("pragma defer_foreign_keys = on; insert into t values (9)").unwrap();
    assert_eq!(state_of(connection.check_constraints()), "23503");
    connection.rollback().unwrap();
}

#[test]
fn a_check_changes_nothing_that_a_statement_can_see() {
    let mut connection = connect(&memory());
    connection.run(TABLES).unwrap();
    connection.begin().unwrap();
    connection.run("insert into t values (7, 1)").unwrap();
    let before = one(&mut *connection, "select count(*), sum(id) from t");
    connection.check_constraints().unwrap();
    assert_eq!(one(&mut *connection, "select count(*), sum(id) from t"), before);
    assert_eq!(one(&mut *connection, "select count(*) from temp.rowmill_child"), "0");
    connection.commit().unwrap();
}
