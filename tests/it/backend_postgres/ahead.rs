//! Statements that go ahead of the next request, and are sent with it.

use super::{connect, text, texts};
use crate::support::shared;
use rowmill::{Param, TableName};

fn is_in_transaction(sql: &str) -> String {
    format!("select ({sql})::text")
}

#[test]
fn what_goes_ahead_runs_before_the_request() {
    let db = shared().database("ahead");
    db.sql("create table t (n int)");
    let mut connection = connect(&db);
    connection.begin_with("set local work_mem = '1MB'; set local jit = off").unwrap();
    assert!(connection.in_transaction());
    connection.ahead("savepoint a").unwrap();
    connection.ahead("insert into t values (1)").unwrap();
    let sql = is_in_transaction("select current_setting('work_mem') || count(*) from t");
    assert_eq!(text(&mut *connection, &sql, &[]), "1MB1");
    connection.ahead("release savepoint a").unwrap();
    connection.commit().unwrap();
    assert!(!connection.in_transaction());
    assert_eq!(db.value("select count(*)::text from t"), "1");
}

#[test]
fn what_fails_ahead_is_what_the_request_fails_with() {
    let db = shared().database("ahead_fails");
    let mut connection = connect(&db);
    for round in 0..3 {
        connection.begin_with("").unwrap();
        connection.ahead("select 1 / 0").unwrap();
        // Prepared by the first round, and kept by the others.
        let error = texts(&mut *connection, "select $1::text", &[Param::Int(round)]).unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "22012", "{error}");
        assert!(connection.in_transaction());
        connection.rollback().unwrap();
        assert_eq!(
            text(&mut *connection, "select $1::text", &[Param::Int(round)]),
            round.to_string()
        );
        connection.ahead("select 1 / 0").unwrap();
        let error = connection.run("select 1").unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "22012", "{error}");
        assert!(!connection.in_transaction() && !connection.is_broken());
    }
}

#[test]
fn a_commit_fails_with_what_went_ahead_of_it() {
    let db = shared().database("ahead_commit");
    db.sql("create table t (n int)");
    let mut connection = connect(&db);
    connection.begin_with("").unwrap();
    connection.run("insert into t values (1)").unwrap();
    connection.ahead("select 1 / 0").unwrap();
    let error = connection.commit().unwrap_err();
    assert_eq!(error.sqlstate().unwrap().code(), "22012", "{error}");
    assert!(!connection.in_transaction());
    assert_eq!(db.value("select count(*)::text from t"), "0");
    assert_eq!(text(&mut *connection, "select 'on'::text", &[]), "on");
}

#[test]
fn a_rollback_takes_back_what_was_not_sent() {
    let db = shared().database("ahead_back");
    db.sql("create table t (n int)");
    let mut connection = connect(&db);
    connection.begin_with("").unwrap();
    connection.ahead("insert into t values (1)").unwrap();
    connection.rollback().unwrap();
    assert!(!connection.in_transaction());
    connection.run("insert into t values (2)").unwrap();
    assert_eq!(db.value("select string_agg(n::text, ',') from t"), "2");
    connection.begin().unwrap();
    connection.run("insert into t values (3)").unwrap();
    connection.ahead("insert into t values (4)").unwrap();
    connection.rollback().unwrap();
    assert!(!connection.in_transaction());
    assert_eq!(db.value("select string_agg(n::text, ',') from t"), "2");
}

#[test]
fn it_goes_ahead_of_what_the_driver_sends_too() {
    let db = shared().database("ahead_driver");
    db.sql("create table t (n int)");
    let mut connection = connect(&db);
    connection.begin_with("").unwrap();
    connection.ahead("create table u (n int)").unwrap();
    let info = connection.table_info(&TableName::parse("u").unwrap()).unwrap();
    assert!(info.is_some(), "the table was not there");
    connection.ahead("insert into u values (7)").unwrap();
    let mut rows = 0;
    let types = [rowmill::ColumnType::Int4];
    connection
        .unload("select n from u", &types, &mut |_| {
            rows += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(rows, 1);
    connection.rollback().unwrap();
    assert_eq!(db.value("select count(*)::text from pg_class where relname = 'u'"), "0");
}

#[test]
fn a_connection_that_comes_back_has_nothing_that_goes_ahead() {
    let db = shared().database("ahead_reset");
    db.sql("create table t (n int)");
    let mut connection = connect(&db);
    connection.begin_with("").unwrap();
    connection.ahead("insert into t values (1)").unwrap();
    connection.reset(super::in_time()).unwrap();
    assert!(!connection.in_transaction());
    connection.run("insert into t values (2)").unwrap();
    assert_eq!(db.value("select string_agg(n::text, ',') from t"), "2");
}
