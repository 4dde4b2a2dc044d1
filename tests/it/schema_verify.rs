//! Entities are held against the live catalog, and all differences are told at once.

use crate::support::{Home, on_both};
use rowmill::{Difference, DifferenceKind, Entity, ErrorKind, Schema, SchemaReport, SqlEnum};
use std::error::Error as _;

#[derive(Debug, PartialEq, SqlEnum)]
#[sql_enum(rename_all = "lowercase")]
enum Format {
    Cd,
    Vinyl,
}

#[derive(Entity)]
#[entity(table = "albums", unique(artist, title), index(title))]
struct Album {
    #[entity(key, generated)]
    id: i64,
    #[entity(length = 160)]
    title: String,
    artist: i64,
    year: Option<i32>,
    format: Format,
    #[entity(default = "now()")]
    added_at: String,
    #[entity(read_only)]
    changed_by: String,
}

fn albums() -> Schema {
    Schema::new().with::<Album>()
}

fn report(home: &Home, schema: &Schema) -> SchemaReport {
    schema.compare(home.engine()).unwrap()
}

fn lines(home: &Home, schema: &Schema) -> Vec<String> {
    report(home, schema).differences().iter().map(ToString::to_string).collect()
}

#[test]
fn a_table_that_was_created_for_its_entity_is_as_it_says() {
    #[derive(Entity)]
    struct Genre {
        #[entity(key)]
        code: String,
        #[entity(key)]
        language: String,
        price: Option<f64>,
        raw: Vec<u8>,
        is_old: bool,
        meta: serde_json::Value,
        #[entity(column_type = "numeric(15,2)")]
        cents: i64,
        #[entity(version)]
        version: i32,
    }
    on_both(|home| {
        let schema = Schema::new().with::<Genre>().with::<Album>();
        // A read-only column is made by somebody else: here, by nobody yet.
        schema.create_all(home.engine()).unwrap();
        assert_eq!(lines(home, &schema), [""; 0]);
        assert!(report(home, &schema).is_clean());
        schema.verify(home.engine()).unwrap();
        home.engine().transaction(|transaction| schema.verify(transaction)).unwrap();
    });
}

#[test]
fn all_differences_are_told_at_once_and_typed() {
    on_both(|home| {
        home.sql(home.pick("", "create type format as enum ('vinyl', 'cd')"));
        home.sql(home.pick(
            "create table albums (id integer, title blob not null, year int not null,
                 format text not null, added_at text not null, changed_by text not null,
                 label text not null, note text)",
            "create table albums (id bigint, title text not null, year int not null,
                 format format not null, added_at text not null, changed_by text not null,
                 label text not null, note text)",
        ));
        let schema = Schema::new().with::<Album>().with::<Missing>();
        let error = schema.verify(home.engine()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        let title = home.pick(
            "albums.title: the type is bytea in the table and varchar(160) in the entity",
            "albums.title: the type is text in the table and varchar(160) in the entity",
        );
        let mut expected = vec![title, "albums.artist: the table has no such column"];
        expected.push("albums.year: it cannot be NULL, and the field is an Option");
        if home.is_postgres() {
            expected.push(
                "albums.format: the labels are vinyl, cd in the database and cd, vinyl in the entity",
            );
        }
        expected.extend([
            "albums.added_at: it has neither a default nor NULL, and the entity does not write it",
            "albums.label: it has neither a default nor NULL, and the entity does not write it",
            "albums: no unique index is on exactly (id)",
            "albums: no unique index is on exactly (artist, title)",
            "albums: no index is on (title)",
            "missing: there is no such table",
        ]);
        let told: Vec<_> = error.message().lines().skip(1).map(str::trim).collect();
        assert_eq!(told, expected);
        let report = error.source().unwrap().downcast_ref::<SchemaReport>().unwrap();
        let last = report.differences().last().unwrap();
        let Difference { table, column, kind, .. } = last;
        assert_eq!((table.plain().as_str(), column.as_ref()), ("missing", None));
        assert_eq!(*kind, DifferenceKind::MissingTable);
    });
}

#[derive(Entity)]
struct Missing {
    #[entity(key)]
    id: i64,
}

#[test]
fn null_is_told_where_the_field_cannot_hold_it() {
    #[derive(Entity)]
    struct Plain {
        #[entity(key)]
        id: i64,
        name: String,
    }
    on_both(|home| {
        home.sql("create table plain (id integer primary key, name text)");
        let schema = Schema::new().with::<Plain>();
        let told = lines(home, &schema);
        let name = "plain.name: it can be NULL, and the field is no Option";
        let id = "plain.id: the type is integer in the table and bigint in the entity";
        let expected = if home.is_postgres() { vec![id, name] } else { vec![name] };
        assert_eq!(told, expected);
    });
}

#[test]
fn what_the_database_itself_makes_must_not_be_written() {
    #[derive(Entity)]
    struct Sum {
        #[entity(key)]
        a: i64,
        twice: Option<i64>,
    }
    on_both(|home| {
        home.sql(
            "create table sum (a bigint not null primary key,
                 twice bigint generated always as (a * 2) stored)",
        );
        let told = lines(home, &Schema::new().with::<Sum>());
        assert_eq!(told, ["sum.twice: the database itself makes it, and the entity writes it"]);
    });
}

#[test]
fn a_longer_index_serves_and_a_view_needs_none() {
    #[derive(Entity)]
    #[entity(index(a))]
    struct Pair {
        #[entity(key)]
        a: i64,
        #[entity(key)]
        b: i64,
    }
    #[derive(Entity)]
    struct Look {
        #[entity(key)]
        a: i64,
    }
    on_both(|home| {
        home.sql(
            "create table pair (a bigint not null, b bigint not null, primary key (a, b));
             create view look as select a from pair",
        );
        assert_eq!(lines(home, &Schema::new().with::<Pair>().with::<Look>()), [""; 0]);
    });
}

#[derive(Entity)]
#[entity(table = "owners")]
struct Owner {
    #[entity(key)]
    id: i64,
}

#[derive(Entity)]
#[entity(table = "pets")]
struct Pet {
    #[entity(key)]
    id: i64,
    #[entity(references = Owner, on_delete = "cascade")]
    owner: i64,
}

#[test]
fn a_foreign_key_must_refer_to_what_the_entity_says() {
    let told = |home: &Home, owner: &str| {
        home.sql(
            "create table owners (id bigint not null primary key);
             create table others (id bigint not null primary key);",
        );
        home.sql(&format!(
            "create table pets (id bigint not null primary key, owner bigint not null {owner})"
        ));
        let told = lines(home, &Schema::new().with::<Owner>().with::<Pet>());
        home.sql("drop table pets; drop table owners; drop table others;");
        told
    };
    on_both(|home| {
        assert_eq!(told(home, "references owners (id) on delete cascade"), [""; 0]);
        assert_eq!(told(home, ""), ["pets.owner: no foreign key refers to owners.id"]);
        assert_eq!(
            told(home, "references others (id) on delete cascade"),
            ["pets.owner: it refers to others.id in the table and to owners.id in the entity"]
        );
        assert_eq!(
            told(home, "references owners (id)"),
            ["pets.owner: ON DELETE is NO ACTION in the table and CASCADE in the entity"]
        );
    });
}

#[test]
fn a_foreign_key_that_the_entity_does_not_know_is_no_difference() {
    on_both(|home| {
        home.sql(
            "create table others (id bigint not null primary key);
             create table owners (id bigint not null primary key references others (id));",
        );
        assert_eq!(lines(home, &Schema::new().with::<Owner>()), [""; 0]);
    });
}

#[test]
fn one_difference_is_one_line_more() {
    on_both(|home| {
        let error = Schema::new().with::<Missing>().verify(home.engine()).unwrap_err();
        let expected =
            "the database is not as the entities say:\n  missing: there is no such table";
        assert_eq!(error.to_string(), expected);
        assert!(albums().compare(home.engine()).unwrap().to_string().contains("albums"));
    });
}
