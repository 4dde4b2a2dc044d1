//! Statements that go ahead of the next request, and are sent with it.

use super::{backend, connect, in_time, text, texts};
use crate::support::proxy::{Fault, Proxy};
use crate::support::shared;
use rowmill::backend::{Backend, Connection};
use rowmill::{Column, ColumnType, Ident, Param, Rows, TableName};

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
    connection.reset(in_time()).unwrap();
    assert!(!connection.in_transaction());
    connection.run("insert into t values (2)").unwrap();
    assert_eq!(db.value("select string_agg(n::text, ',') from t"), "2");
}

/// Loads ten numbers into `t`.
fn load_numbers(connection: &mut dyn Connection) -> rowmill::Result<u64> {
    let columns = [Column::new(Ident::new("n").unwrap(), ColumnType::Int8)];
    let mut rows = Rows::new(1);
    for number in 0..10_i64 {
        let mut row = rows.begin();
        row.field(&number.to_be_bytes()).unwrap();
        row.finish().unwrap();
    }
    connection.load(&TableName::parse("t").unwrap(), &columns, &rows, 0..rows.len())
}

#[test]
fn a_statement_with_parameters_goes_ahead_in_the_same_write() {
    let db = shared().database("ahead_execute");
    db.sql("create table t (n bigint)");
    let proxy = Proxy::to(shared().port());
    let mut connection = backend(&proxy.instead_of(&db.url())).connect(in_time()).unwrap();
    let insert = "insert into t values ($1)";
    let mut round = |number: i64| {
        connection.begin_with("set local jit = off").unwrap();
        connection.execute_ahead(insert, &[number.into()]).unwrap();
        connection.execute_ahead(insert, &[(number + 1).into()]).unwrap();
        let sql = "select (count(*) filter (where n >= $1))::text from t";
        assert_eq!(text(&mut *connection, sql, &[number.into()]), "2");
        connection.execute_ahead(insert, &[(number + 2).into()]).unwrap();
        connection.commit().unwrap();
    };
    // What is prepared costs a trip, once.
    round(1);
    proxy.set(Fault::Pass);
    round(11);
    assert_eq!(proxy.turns(), 2);
    assert_eq!(db.value("select sum(n)::text from t"), "42");
}

#[test]
fn a_statement_that_fails_ahead_is_what_a_load_and_a_commit_fail_with() {
    let db = shared().database("ahead_execute_fails");
    db.sql("create table t (n bigint)");
    let mut connection = connect(&db);
    let divide = "select 1 / $1::bigint";
    let insert = "insert into t values ($1)";
    // It is prepared.
    connection.execute(insert, &[1_i64.into()]).unwrap();
    db.sql("truncate t");
    for _ in 0..3 {
        connection.begin_with("").unwrap();
        connection.execute_ahead(divide, &[0_i64.into()]).unwrap();
        let error = load_numbers(&mut *connection).unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "22012", "{error}");
        connection.rollback().unwrap();
        connection.begin_with("").unwrap();
        load_numbers(&mut *connection).unwrap();
        // The first that fails is told.
        connection.execute_ahead(divide, &[0_i64.into()]).unwrap();
        connection.execute_ahead(insert, &[7_i64.into()]).unwrap();
        let error = connection.commit().unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "22012", "{error}");
        assert!(!connection.in_transaction() && !connection.is_broken());
    }
    assert_eq!(db.value("select count(*)::text from t"), "0");
}

#[test]
fn a_rollback_takes_back_a_statement_with_parameters() {
    let db = shared().database("ahead_execute_back");
    db.sql("create table t (n bigint)");
    let mut connection = connect(&db);
    let insert = "insert into t values ($1)";
    connection.execute(insert, &[1_i64.into()]).unwrap();
    connection.begin_with("").unwrap();
    connection.execute_ahead(insert, &[2_i64.into()]).unwrap();
    connection.rollback().unwrap();
    assert!(!connection.in_transaction());
    connection.execute(insert, &[3_i64.into()]).unwrap();
    assert_eq!(db.value("select string_agg(n::text, ',' order by n) from t"), "1,3");
}

#[test]
fn a_statement_that_went_ahead_and_is_gone_is_prepared_again() {
    let db = shared().database("ahead_execute_stale");
    db.sql("create table t (n bigint)");
    db.sql(
        "create function forget() returns integer language plpgsql as \
         $$ begin execute 'deallocate all'; return 1; end $$",
    );
    let mut connection = connect(&db);
    let insert = "insert into t values ($1)";
    let try_it = |connection: &mut dyn Connection, ends_first: bool| {
        connection.begin_with("").unwrap();
        if ends_first {
            connection.execute_ahead("select $1::text", &["x".into()]).unwrap();
        }
        connection.execute_ahead(insert, &[1_i64.into()]).unwrap();
        connection.commit()
    };
    try_it(&mut *connection, true).unwrap();
    // Behind the back of the connection, which looks at the texts that it runs.
    text(&mut *connection, "select forget()::text || '.'", &[]);
    let error = try_it(&mut *connection, true).unwrap_err();
    assert_eq!(error.sqlstate().unwrap().code(), "26000", "{error}");
    assert!(!connection.is_broken());
    try_it(&mut *connection, true).unwrap();
    try_it(&mut *connection, false).unwrap();
    assert_eq!(db.value("select count(*)::text from t"), "3");
}
