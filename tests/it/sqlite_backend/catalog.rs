//! What the catalog says of a table.

use super::*;
use rowmill::{Made, OnDelete, Reference};

#[test]
fn the_catalog_says_what_the_table_is() {
    let mut connection = connect(&memory());
    connection
        .run(
            "create table t (
                 id integer primary key,
                 code text not null default 'x',
                 price decimal(10,2),
                 day date,
                 twice integer generated always as (id * 2) virtual,
                 thrice integer generated always as (id * 3) stored,
                 unique (code, day)
             );
             create unique index by_price on t (price);
             create unique index partly on t (day) where day is not null;
             create unique index lower_code on t (lower(code));
             create index plain on t (day);
             create table child (a integer references t, b text, d date,
                                 foreign key (b, d) references T (code, day));
             create view v as select id from t",
        )
        .unwrap();
    let found = info(&mut *connection, "t");
    let made = |mut column: Column, made: Made| {
        column.made = made;
        column
    };
    let expected = [
        made(column("id", ColumnType::Int8).not_null(), Made::Identity),
        made(column("code", ColumnType::Text).not_null(), Made::Default("'x'".into())),
        column("price", ColumnType::Numeric(None)),
        column("day", ColumnType::Date),
        made(column("twice", ColumnType::Int8).generated(), Made::Computed),
        made(column("thrice", ColumnType::Int8).generated(), Made::Computed),
    ];
    assert_eq!(found.columns, expected);
    assert_eq!(found.defaults, ["id", "code"]);
    assert_eq!(found.unique, [vec!["id"], vec!["code", "day"], vec!["price"]]);
    assert_eq!(found.indexes, [["day"]]);
    assert_eq!(found.referenced_by, ["child(a)", "child(b, d)"]);
    assert!(found.is_table);
    assert!(!info(&mut *connection, "v").is_table);
    assert!(connection.table_info(&table("none")).unwrap().is_none());
}

#[test]
fn keys_of_every_kind_of_table_are_found_in_their_order() {
    let mut connection = connect(&memory());
    connection
        .run(
            "create table plain (a text, b int, primary key (b, a));
             create table bare (a text, b int, primary key (b, a)) without rowid;
             create table loose (a int primary key)",
        )
        .unwrap();
    for (name, nullable) in [("plain", true), ("bare", false)] {
        let found = info(&mut *connection, name);
        assert_eq!(found.unique, [["b", "a"]], "{name}");
        assert!(found.columns.iter().all(|column| column.nullable == nullable), "{name}");
        assert!(found.defaults.is_empty());
    }
    // INT is not INTEGER: no rowid, and NULL is allowed.
    let loose = info(&mut *connection, "loose");
    assert_eq!((loose.unique, loose.columns[0].nullable), (vec![vec!["a".to_owned()]], true));
}

#[test]
fn foreign_keys_of_one_column_say_where_they_point_and_what_becomes_of_the_row() {
    let mut connection = connect(&memory());
    connection
        .run(
            "create table parent (id integer primary key, code text unique);
             create table child (a integer references parent on delete cascade,
                                 b text references parent (code) on delete set null,
                                 c text, d varchar(20),
                                 foreign key (c, d) references parent (id, code))",
        )
        .unwrap();
    let found = info(&mut *connection, "child");
    let to = |column: &str, action| {
        let reference = Reference::new(table("parent"), Ident::new(column).unwrap());
        Some(reference.on_delete(action))
    };
    let expected = [to("id", OnDelete::Cascade), to("code", OnDelete::SetNull), None, None];
    let references: Vec<_> = found.columns.iter().map(|c| c.references.clone()).collect();
    assert_eq!(references, expected);
    assert_eq!(found.lengths, [("d".to_owned(), 20)]);
}

#[test]
fn a_table_that_references_itself_is_not_referenced_by_others() {
    let mut connection = connect(&memory());
    connection.run("create table t (id integer primary key, up integer references t)").unwrap();
    assert!(info(&mut *connection, "t").referenced_by.is_empty());
}

#[test]
fn main_and_temp_are_the_only_schemas() {
    let mut connection = connect(&memory());
    connection.run("create table t (a integer); create temp table t (b text)").unwrap();
    let first = |connection: &mut dyn Connection, name: &str| {
        info(connection, name).columns[0].name.as_str().to_owned()
    };
    assert_eq!(first(&mut *connection, "main.t"), "a");
    assert_eq!(first(&mut *connection, "temp.t"), "b");
    assert_eq!(first(&mut *connection, "t"), "b");
    let error = connection.table_info(&table("etl.t")).unwrap_err();
    assert!(error.to_string().contains("SQLite has no schemas"), "{error}");
    let columns = [column("a", ColumnType::Int8)];
    let error = connection.load(&table("etl.t"), &columns, &numbers([1]), 0..1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
}

#[test]
fn a_hidden_column_of_a_virtual_table_is_none_of_ours() {
    let mut connection = connect(&memory());
    connection.run("create virtual table t using fts5 (a)").unwrap();
    assert_eq!(info(&mut *connection, "t").columns.len(), 1);
}
