//! Codes, names and places of errors.

use super::*;

#[test]
fn every_constraint_has_its_code_and_its_name() {
    let mut connection = connect(&memory());
    connection
        .run(
            "create table parent (id integer primary key);
             create table t (
                 id integer primary key,
                 code text unique,
                 name text not null default '',
                 size integer constraint positive check (size > 0),
                 parent integer references parent
             );
             create table s (n integer) strict;
             create trigger no_size_7 before insert on t when new.size = 7
                 begin select raise(abort, 'seven is taken'); end;
             insert into t (id, code) values (1, 'a')",
        )
        .unwrap();
    for (sql, sqlstate, constraint) in [
        ("insert into t (id) values (1)", "23505", Some("t.id")),
        ("insert into t (code) values ('a')", "23505", Some("t.code")),
        ("insert into t (name) values (null)", "23502", None),
        ("insert into t (size) values (-1)", "23514", Some("positive")),
        ("insert into t (parent) values (9)", "23503", None),
        ("insert into t (size) values (7)", "P0001", None),
        ("insert into t (id) values ('x')", "22P02", None),
        ("insert into s values ('x')", "22P02", None),
    ] {
        let error = connection.execute(sql, &[]).unwrap_err();
        assert_eq!(code(&error), sqlstate, "{sql}: {error}");
        assert_eq!((error.constraint(), error.class()), (constraint, Class::Data), "{sql}");
        assert!(!error.to_string().contains("'x'"), "{error}");
    }
}

#[test]
fn mistakes_in_a_statement_have_their_codes() {
    let mut connection = connect(&memory());
    connection.run("create table t (a)").unwrap();
    for (sql, sqlstate) in [
        ("selec 1", "42601"),
        ("select 'a", "42601"),
        ("select 1 +", "42601"),
        ("select * from none", "42P01"),
        ("select b from t", "42703"),
        ("insert into t (b) values (1)", "42703"),
        ("create table t (a)", "42P07"),
        ("select nonesuch()", "42883"),
    ] {
        let error = connection.execute(sql, &[]).unwrap_err();
        assert_eq!((code(&error).as_str(), error.class()), (sqlstate, Class::Permanent), "{error}");
        assert_eq!(error.kind(), ErrorKind::Database);
    }
}

#[test]
fn a_damaged_file_does_not_answer_and_is_not_opened() {
    let database = Database::new();
    let backend = database.backend();
    let mut connection = connect(&backend);
    connection.ping(soon()).unwrap();
    connect(&backend).run("create table t (a); pragma wal_checkpoint(truncate)").unwrap();
    std::fs::write(database.path(), vec![b'x'; 8192]).unwrap();
    let error = connection.ping(soon()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnect, "{error}");
    assert!(connection.is_broken());
    assert_eq!(backend.connect(soon()).unwrap_err().kind(), ErrorKind::Connect);
}
