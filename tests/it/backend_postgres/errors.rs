use super::connect;
use crate::support::shared;
use rowmill::Param;
use std::error::Error as _;

const CANARY: &str = "c4n4ry";

const SCHEMA: &str = "
create type mood as enum ('calm');
create table parent (k text primary key);
create table t (k text primary key, short varchar(3), n smallint not null default 0,
    checked text check (checked <> 'c4n4ry'), fk text references parent);
insert into t (k) values ('c4n4ry');
create function raise_it() returns int language plpgsql as
    $$ begin raise exception 'bad c4n4ry' using hint = 'c4n4ry'; end $$;
create function raise_check() returns int language plpgsql as
    $$ begin raise exception 'bad c4n4ry' using errcode = '23514', hint = 'c4n4ry'; end $$;
create function warn_it() returns int language plpgsql as
    $$ begin raise warning 'c4n4ry'; return 1 / 0; end $$";

#[test]
fn no_error_shows_the_value_of_a_row() {
    let db = shared().database("canary");
    db.sql(SCHEMA);
    let mut connection = connect(&db);
    for (code, sql) in [
        ("22P02", "select $1::text::int"),
        ("22P02", "select $1::text::uuid"),
        ("22P02", "select $1::text::json"),
        ("22P02", "select $1::text::mood"),
        ("22P02", "select $1::text::int[]"),
        ("22P02", "select $1::text::bool"),
        ("22003", "select (repeat('9', 30) || left($1::text, 0))::int"),
        ("22007", "select $1::text::date"),
        ("22007", "select $1::text::interval"),
        ("22008", "select ('2026-13-01' || left($1::text, 0))::date"),
        ("22001", "insert into t (k, short) values ('x', $1::text)"),
        ("22023", "select timezone($1::text, now())"),
        ("2201B", "select 'a' ~ ('(' || $1::text)"),
        ("23505", "insert into t (k) values ($1)"),
        ("23502", "insert into t (k, n) values ($1, null)"),
        ("23514", "insert into t (k, checked) values ('x', $1)"),
        ("23503", "insert into t (k, fk) values ('x', $1)"),
        ("P0001", "select raise_it() where $1::text <> ''"),
        ("23514", "select raise_check() where $1::text <> ''"),
        ("22012", "select warn_it() where $1::text <> ''"),
    ] {
        let error = connection.execute(sql, &[Param::from(CANARY)]).unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), code, "{sql}: {error}");
        let shown = format!("{error} {error:?} {:?} {:?}", error.source(), error.place());
        assert!(!shown.contains(CANARY) && !shown.contains("999"), "{sql}: {shown}");
        assert!(!error.message().is_empty() && !shown.contains('\n'));
        assert!(error.is_data(), "{sql}: {:?}", error.class());
    }
}

#[test]
fn an_error_names_what_is_in_the_schema() {
    let db = shared().database("names");
    db.sql(SCHEMA);
    let mut connection = connect(&db);
    let error = connection.execute("insert into t (k) values ('c4n4ry')", &[]).unwrap_err();
    assert_eq!(error.constraint(), Some("t_pkey"));
    assert_eq!(error.place().table.as_deref(), Some("t"));
    let error = connection.execute("insert into t (k, n) values ('x', null)", &[]).unwrap_err();
    assert_eq!(error.place().column.as_deref(), Some("n"));
    let error = connection.execute("select raise_it()", &[]).unwrap_err();
    assert!(error.message().contains("raise_it()"), "{error}");
    let error = connection.run("select missing from t").unwrap_err();
    assert_eq!(error.message(), "column \"missing\" does not exist");
}
