use super::{connect, pid, text};
use crate::support::{TestDb, shared};
use rowmill::backend::Connection;
use rowmill::{CellRef, Column, ColumnType, Ident, Rows, SqlState, TableName};

fn table(name: &str) -> TableName {
    TableName::parse(name).unwrap()
}

fn column(name: &str, column_type: ColumnType) -> Column {
    Column::new(Ident::new(name).unwrap(), column_type)
}

/// Rows of (bigint, text).
fn pairs(pairs: &[(i64, &str)]) -> (Vec<Column>, Rows) {
    let mut rows = Rows::new(2);
    for (number, text) in pairs {
        let mut row = rows.begin();
        row.field(&number.to_be_bytes()).unwrap();
        row.field(text.as_bytes()).unwrap();
        row.finish().unwrap();
    }
    (vec![column("id", ColumnType::Int8), column("name", ColumnType::Text)], rows)
}

/// Reads a table as the catalog says it travels, and loads it into another of the same columns.
fn copy_over(connection: &mut dyn Connection, from: &str, to: &str) -> u64 {
    let columns = connection.table_info(&table(from)).unwrap().unwrap().columns;
    let list: Vec<_> = columns
        .iter()
        .map(|column| {
            let cast = if column.column_type.travels_as_text() { "::text" } else { "" };
            format!("{}{cast}", column.name)
        })
        .collect();
    let mut rows = Rows::new(columns.len() as u16);
    let sql = format!("select {} from {from}", list.join(", "));
    connection
        .query(&sql, &[], &mut |found| {
            let mut row = rows.begin();
            for index in 0..found.len() {
                match found.cell(index)? {
                    CellRef::Packed(_, bytes) => row.field(bytes)?,
                    _ => row.null(),
                }
            }
            row.finish()
        })
        .unwrap();
    connection.load(&table(to), &columns, &rows, 0..rows.len()).unwrap()
}

fn assert_equal(db: &TestDb<'_>, a: &str, b: &str) {
    let differ = format!(
        "select count(*) from (select t::text from {a} t except all select t::text from {b} t) x"
    );
    assert_eq!(db.value(&differ), "0");
    assert_eq!(db.count(a), db.count(b));
}

/// batch 3.9.1, F57
#[test]
fn every_type_survives_the_way_through_copy() {
    let db = shared().database("types");
    db.sql(
        "create type mood as enum ('calm', 'wild');
         create domain positive as int check (value > 0);
         create domain word as varchar(5);
         create table a (b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8,
             n numeric, n2 numeric(15,2), t text, v varchar(5), c char(3), y bytea, d date,
             tm time, tz timetz, ts timestamp, tt timestamptz, iv interval, u uuid, j json,
             jb jsonb, m mood, p positive, w word, ai int[], at text[], an numeric(5,1)[]);
         insert into a values (true, -1, -2, -3, 'nan', '-infinity', 1e-20, 123.45, E'a\\t\\u00e9',
             'abc', 'ab', '\\x00ff', '2026-08-22', '23:59:59.999999', '12:00+02', 'infinity',
             '1999-12-31 23:59:59.123456+01', '1 mon -2 days 03:04:05.6',
             'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": [1,  2]}', '{\"b\": null}', 'wild',
             7, 'five5', '{1,null,3}', '{\"a,b\",NULL}', '{1.5}'),
             (null, null, null, null, null, null, 'nan', null, '', null, null, '', null, null,
             null, null, null, null, null, null, null, null, null, null, '{}', null, '{{1},{2}}');
         create table b (like a)",
    );
    let mut connection = connect(&db);
    assert_eq!(copy_over(&mut *connection, "a", "b"), 2);
    assert_equal(&db, "a", "b");
}

#[test]
fn what_travels_as_text_is_cast_by_the_server() {
    let db = shared().database("others");
    db.sql(
        "create type mood as enum ('calm', 'wild');
         create type pair as (a int, b text);
         create domain even as int check (value % 2 = 0);
         create table a (id int, ip inet, m mood[], e even[], bits bit(3), vb varbit, x xml,
             r int4range, p pair, v varchar(3), c char(3), n numeric(9,2), ai int[], \"char\" \"char\");
         insert into a select n, '10.0.0.1', '{calm,wild}', '{2,4}', '101', '1', '<a/>', '[1,5)',
             '(1,\"x,y\")', 'abc', 'a', 1.25, '{{1},{2}}', 'q' from generate_series(1, 2500) n;
         insert into a (id) values (0);
         create table b (like a)",
    );
    let mut connection = connect(&db);
    assert_eq!(copy_over(&mut *connection, "a", "b"), 2501);
    assert_equal(&db, "a", "b");
    assert!(!connection.in_transaction());
}

#[test]
fn a_text_that_is_too_long_is_refused_and_nothing_is_loaded() {
    let db = shared().database("long");
    db.sql("create table t (ip inet, v varchar(3))");
    let mut connection = connect(&db);
    let columns =
        [column("ip", ColumnType::Other("inet".into())), column("v", ColumnType::Varchar(Some(3)))];
    let mut rows = Rows::new(2);
    for n in 0..1200 {
        let mut row = rows.begin();
        row.field(b"::1").unwrap();
        row.field(if n == 1100 { b"long" } else { b"abc" }).unwrap();
        row.finish().unwrap();
    }
    let error = connection.load(&table("t"), &columns, &rows, 0..1200).unwrap_err();
    assert_eq!(error.sqlstate(), Some(SqlState::STRING_TOO_LONG));
    assert_eq!(db.count("t"), 0);
    let error = connection.load(&table("t"), &columns, &rows, 1100..1101).unwrap_err();
    assert_eq!(error.place().row, Some(1));
}

#[test]
fn a_range_is_loaded_and_counted_also_when_it_is_large() {
    let db = shared().database("large");
    db.sql("create table t (id int8, name text)");
    let mut connection = connect(&db);
    let long = "x".repeat(100_000);
    let all: Vec<_> = (0..30).map(|n| (n, long.as_str())).collect();
    let (columns, rows) = pairs(&all);
    assert_eq!(connection.load(&table("t"), &columns, &rows, 5..25).unwrap(), 20);
    let sum = "select sum(id) || ' ' || sum(length(name)) from t";
    assert_eq!(db.value(sum), "290 2000000");
    assert_eq!(connection.load(&table("t"), &columns, &rows, 3..3).unwrap(), 0);
}

#[test]
fn an_error_names_the_row_of_the_range_and_the_transaction_goes_on() {
    let db = shared().database("t2024");
    db.sql("create table t2024 (id int8 primary key, name varchar(3))");
    let mut connection = connect(&db);
    let (columns, rows) = pairs(&[(1, "a"), (2, "b"), (3, "long"), (2, "c"), (5, "d")]);
    connection.begin().unwrap();
    for (range, row, code) in [
        (0..4, 3, SqlState::STRING_TOO_LONG),
        (1..4, 2, SqlState::STRING_TOO_LONG),
        (2..3, 1, SqlState::STRING_TOO_LONG),
    ] {
        connection.run("savepoint a").unwrap();
        let error = connection.load(&table("t2024"), &columns, &rows, range).unwrap_err();
        assert_eq!((error.place().row, error.sqlstate()), (Some(row), Some(code)));
        assert_eq!(error.place().table.as_deref(), Some("t2024"));
        connection.run("rollback to a").unwrap();
    }
    assert_eq!(connection.load(&table("t2024"), &columns, &rows, 1..2).unwrap(), 1);
    connection.run("savepoint a").unwrap();
    let error = connection.load(&table("t2024"), &columns, &rows, 3..5).unwrap_err();
    assert_eq!((error.place().row, error.constraint()), (Some(1), Some("t2024_pkey")));
    connection.run("rollback to a").unwrap();
    connection.load(&table("t2024"), &columns, &rows, 4..5).unwrap();
    connection.commit().unwrap();
    assert_eq!(db.count("t2024"), 2);
}

#[test]
fn bytes_that_are_no_value_name_their_column() {
    let db = shared().database("column");
    db.sql("create table t (id int8, name text)");
    let mut connection = connect(&db);
    let mut rows = Rows::new(2);
    for name in [&b"good"[..], b"bad\xff"] {
        let mut row = rows.begin();
        row.field(&1_i64.to_be_bytes()).unwrap();
        row.field(name).unwrap();
        row.finish().unwrap();
    }
    let columns = pairs(&[]).0;
    let error = connection.load(&table("t"), &columns, &rows, 0..2).unwrap_err();
    assert_eq!((error.place().row, error.place().column.as_deref()), (Some(2), Some("name")));
    assert_eq!(error.sqlstate(), Some(SqlState::CHARACTER_NOT_IN_REPERTOIRE));
    assert_eq!(text(&mut *connection, "select 'clean'", &[]), "clean");
}

#[test]
fn a_value_refused_by_a_domain_costs_its_row() {
    let db = shared().database("domain");
    db.sql("create domain positive as int8 check (value > 0); create table t (id positive)");
    let mut connection = connect(&db);
    let columns = connection.table_info(&table("t")).unwrap().unwrap().columns;
    let mut rows = Rows::new(1);
    for n in [1_i64, -1] {
        let mut row = rows.begin();
        row.field(&n.to_be_bytes()).unwrap();
        row.finish().unwrap();
    }
    let error = connection.load(&table("t"), &columns, &rows, 0..2).unwrap_err();
    assert_eq!(error.sqlstate(), Some(SqlState::CHECK_VIOLATION));
    assert_eq!(error.place().row, Some(2));
}

#[test]
fn a_connection_that_is_lost_while_loading_is_a_disconnect() {
    let db = shared().database("cut");
    db.sql(
        "create table t (id int8, name text);
         create function quit() returns trigger language plpgsql as
             $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
         create trigger quit before insert on t for each row execute function quit()",
    );
    let mut connection = connect(&db);
    assert!(pid(&mut *connection) > 0);
    let long = "x".repeat(1_000_000);
    let (columns, rows) = pairs(&vec![(1, long.as_str()); 20]);
    let error = connection.load(&table("t"), &columns, &rows, 0..20).unwrap_err();
    assert!(error.is_disconnect() && connection.is_broken(), "{error}");
    assert_eq!(db.count("t"), 0);
}
