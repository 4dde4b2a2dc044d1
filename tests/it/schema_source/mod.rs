//! The source of entities is read from live tables, compiles, and says what the tables are.
//!
//! - `postgres`, `sqlite`: what is written for the tables below. They are compiled with this test;
//!   `ROWMILL_WRITE_SOURCES=1` writes them anew.

#[rustfmt::skip]
mod postgres;
#[rustfmt::skip]
#[expect(clippy::struct_field_names, reason = "a table may be as it likes")]
mod sqlite;

use crate::support::{Home, on_both};
use rowmill::{EntitySource, ErrorKind, Query, Schema, TableName, TimeTypes};
use std::path::Path;

const POSTGRES: &str = r#"
    create schema shop;
    create type shop."Order state" as enum ('new', 'in-transit', 'Delivered');
    create type mood as enum ('calm', 'type');
    create domain email as varchar(320) not null;
    create table countries (code char(2) primary key, "Name" text not null unique);
    create table shop."Order lines" (
        "Order ref" bigint not null,
        line smallint not null,
        "type" varchar(20) not null default 'plain',
        self boolean not null default false,
        "1st price" numeric(10,2) not null,
        price numeric,
        "loop" integer,
        "Loop" integer,
        primary key (line, "Order ref"));
    create table shop.customers (
        id bigint generated always as identity primary key,
        parent bigint references shop.customers on delete set null,
        country char(2) not null references countries on delete restrict,
        mail email,
        name varchar(160) not null,
        born date,
        wakes time,
        called timestamp not null default now(),
        seen timestamptz not null default current_timestamp,
        every interval,
        token uuid not null default gen_random_uuid(),
        raw bytea,
        meta jsonb not null default '{}',
        old_meta json,
        tags text[] not null default '{}',
        scores integer[],
        state shop."Order state" not null default 'new',
        states shop."Order state"[],
        feels mood,
        address inet,
        network cidr,
        device macaddr,
        years int4range,
        visits tstzrange,
        ratio double precision,
        share real,
        zoned timetz,
        initial text generated always as (left(name, 1)) stored,
        unique (country, name));
    create index on shop.customers (name);
    create index on shop.customers (born, state);
    create index on shop.customers (lower(name));
    create table log (at timestamptz not null, line bigserial, unique (line));
    create table wide (a int, b int, c int, d int, e int, primary key (a, b, c, d, e));
    create view newest as select id, name from shop.customers;
"#;

const SQLITE: &str = r#"
    create table artists (
        "ArtistId" integer primary key,
        "Name" varchar(160) not null unique,
        "first album" date,
        "type" text not null default 'band',
        added text not null default current_timestamp,
        price numeric(10,2),
        rating real,
        photo blob,
        is_active boolean not null default 1,
        "match" integer,
        boss integer references artists on delete set null,
        initial text generated always as (substr("Name", 1, 1)) virtual);
    create table albums (
        title text not null,
        artist integer not null references artists ("ArtistId") on delete cascade,
        year int,
        primary key (artist, title)) without rowid;
    create index by_year on albums (year);
    create index by_title_and_year on albums (title, year);
    create table plain (a text, b int);
    create view newest as select title from albums;
"#;

fn table(name: &str) -> TableName {
    TableName::parse(name).unwrap()
}

fn of_postgres() -> EntitySource {
    EntitySource::new()
        .named(table("shop.customers"), "Customer")
        .named(table("countries"), "Country")
        .table(table("shop.Order lines"))
        .table(table("log"))
        .table(table("wide"))
        .table(table("newest"))
}

fn of_sqlite() -> EntitySource {
    EntitySource::new()
        .named(table("artists"), "Artist")
        .named(table("albums"), "Album")
        .table(table("plain"))
        .table(table("newest"))
}

/// What is written must be what was compiled.
fn is_compiled(source: &str, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/schema_source").join(file);
    let source = format!("//! Written by the test beside it.\n#![allow(dead_code)]\n\n{source}");
    if std::env::var_os("ROWMILL_WRITE_SOURCES").is_some() {
        std::fs::write(&path, &source).unwrap();
    }
    assert_eq!(source, std::fs::read_to_string(&path).unwrap());
}

#[test]
fn tables_of_postgresql_are_what_their_source_says() {
    let home = Home::postgres();
    home.sql(POSTGRES);
    is_compiled(&of_postgres().read(home.engine()).unwrap(), "postgres.rs");
    Schema::new()
        .with::<postgres::Customer>()
        .with::<postgres::Country>()
        .with::<postgres::OrderLines>()
        .with::<postgres::Log>()
        .with::<postgres::Wide>()
        .with::<postgres::Newest>()
        .verify(home.engine())
        .unwrap();
}

#[test]
fn tables_of_sqlite_are_what_their_source_says() {
    let home = Home::sqlite();
    home.sql(SQLITE);
    is_compiled(&of_sqlite().read(home.engine()).unwrap(), "sqlite.rs");
    Schema::new()
        .with::<sqlite::Artist>()
        .with::<sqlite::Album>()
        .with::<sqlite::Plain>()
        .with::<sqlite::Newest>()
        .verify(home.engine())
        .unwrap();
}

#[test]
fn a_row_is_written_and_read_by_an_entity_of_a_live_table() {
    let home = Home::sqlite();
    home.sql(SQLITE);
    home.sql("insert into artists (\"Name\") values ('Simone')");
    let artist = Query::<sqlite::Artist>::new().one(home.engine()).unwrap();
    assert_eq!((artist.artist_id, artist.name.as_str()), (1, "Simone"));
    assert_eq!((artist.r#type.as_str(), artist.initial.as_deref()), ("band", Some("S")));
}

#[test]
fn times_can_be_those_of_another_crate() {
    let home = Home::postgres();
    home.sql("create table t (at timestamptz not null, day date)");
    let source = EntitySource::new().table(table("t")).times(TimeTypes::Chrono);
    let source = source.read(home.engine()).unwrap();
    assert!(
        source.starts_with("// Features of rowmill: chrono.\nuse rowmill::Entity;\n"),
        "{source}"
    );
    assert!(source.contains("    pub at: chrono::DateTime<chrono::Utc>,\n"), "{source}");
    assert!(source.contains("    pub day: Option<chrono::NaiveDate>,\n"), "{source}");
}

#[test]
fn a_table_that_is_not_there_is_an_error_with_advice() {
    on_both(|home| {
        let error = EntitySource::new().table(table("nowhere")).read(home.engine()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.to_string().starts_with("there is no table nowhere: "), "{error}");
    });
}
