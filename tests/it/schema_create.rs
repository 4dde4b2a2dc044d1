//! Tables are created from entities, and dropped again, on both databases.

use crate::support::{Home, on_both};
use rowmill::{Entity, ErrorKind, Schema, SqlEnum};
use std::sync::Barrier;
use std::thread;

#[derive(Debug, PartialEq, SqlEnum)]
#[sql_enum(rename_all = "lowercase")]
enum Format {
    Cd,
    Vinyl,
}

#[derive(Entity)]
#[entity(table = "artists")]
struct Artist {
    #[entity(key, generated)]
    id: i64,
    #[entity(length = 10, unique)]
    name: String,
    #[entity(default = "now()")]
    added_at: String,
}

#[derive(Entity)]
#[entity(table = "albums", unique(artist_id, title), index(title))]
struct Album {
    #[entity(key, generated)]
    id: i64,
    title: String,
    #[entity(references = Artist, on_delete = "cascade")]
    artist_id: i64,
    format: Option<Format>,
}

#[derive(Entity)]
#[entity(table = "departments")]
struct Department {
    #[entity(key)]
    id: i64,
    #[entity(references = Employee)]
    head: Option<i64>,
}

#[derive(Entity)]
#[entity(table = "employees")]
struct Employee {
    #[entity(key)]
    id: i64,
    #[entity(references = Department)]
    department: Option<i64>,
    #[entity(references = Employee, on_delete = "set null")]
    boss: Option<i64>,
}

fn music() -> Schema {
    // The one that refers comes first: the order does not matter.
    Schema::new().with::<Album>().with::<Artist>()
}

fn tables(home: &Home) -> Vec<String> {
    home.rows(home.pick(
        "select name from sqlite_schema where type = 'table' order by 1",
        "select tablename::text from pg_tables where schemaname not like 'pg\\_%' \
         and schemaname <> 'information_schema' order by 1",
    ))
}

fn refusal(home: &Home, sql: &str) -> String {
    home.engine().run(sql).unwrap_err().sqlstate().unwrap().to_string()
}

#[test]
fn tables_come_with_their_keys_defaults_indexes_and_foreign_keys() {
    on_both(|home| {
        music().create_all(home.engine()).unwrap();
        assert_eq!(tables(home), ["albums", "artists"]);
        home.sql("insert into artists (name) values ('Simone'), ('Vaughan')");
        home.sql("insert into albums (title, artist_id, format) values ('Live', 1, 'cd')");
        assert_eq!(
            home.rows("select id, name, added_at is not null from artists order by id"),
            home.pick("1|Simone|1,2|Vaughan|1", "1|Simone|t,2|Vaughan|t")
                .split(',')
                .collect::<Vec<_>>()
        );
        let twice = "insert into albums (title, artist_id) values ('Live', 1)";
        assert_eq!(refusal(home, twice), "23505");
        assert_eq!(refusal(home, "insert into artists (name) values ('Simone')"), "23505");
        let nobody = "insert into albums (title, artist_id) values ('Live', 9)";
        assert_eq!(refusal(home, nobody), "23503");
        let no_format = "insert into albums (title, artist_id, format) values ('Wax', 1, 'mp3')";
        assert_eq!(refusal(home, no_format), home.pick("23514", "22P02"));
        home.sql("delete from artists where id = 1");
        assert_eq!(home.rows("select count(*) from albums"), ["0"]);
    });
}

#[test]
fn a_table_that_is_there_is_an_error_and_nothing_is_created() {
    on_both(|home| {
        home.sql("create table albums (id int)");
        let error = music().create_all(home.engine()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Database, "{error}");
        assert_eq!(tables(home), ["albums"]);
    });
}

#[test]
fn what_is_missing_is_created_and_what_is_there_stays_as_it_is() {
    on_both(|home| {
        home.sql("create table artists (id integer primary key, other text)");
        home.sql("insert into artists (id, other) values (1, 'x')");
        music().create_missing(home.engine()).unwrap();
        music().create_missing(home.engine()).unwrap();
        assert_eq!(tables(home), ["albums", "artists"]);
        assert_eq!(home.rows("select id, other from artists"), ["1|x"]);
    });
}

#[test]
fn tables_may_refer_to_each_other_in_a_circle_and_are_dropped_with_their_rows() {
    on_both(|home| {
        let schema = Schema::new().with::<Department>().with::<Employee>();
        schema.create_all(home.engine()).unwrap();
        home.sql(
            "insert into departments (id) values (1);
             insert into employees (id, department) values (1, 1);
             insert into employees (id, department, boss) values (2, 1, 1);
             update departments set head = 1",
        );
        assert_eq!(refusal(home, "update departments set head = 9"), "23503");
        schema.drop_all(home.engine()).unwrap();
        assert_eq!(tables(home), [""; 0]);
        // What is not there is no error.
        schema.drop_all(home.engine()).unwrap();
    });
}

#[test]
fn tables_are_part_of_the_transaction_in_which_they_are_created() {
    on_both(|home| {
        let mut transaction = home.engine().begin().unwrap();
        music().create_all(&transaction).unwrap();
        transaction.run("insert into artists (name) values ('Simone')").unwrap();
        transaction.rollback().unwrap();
        assert_eq!(tables(home), [""; 0]);
    });
}

#[test]
fn enums_and_schemas_are_created_where_they_are_missing_and_an_enum_goes_with_its_last_user() {
    #[derive(Entity)]
    #[entity(table = "shop.item")]
    struct Item {
        #[entity(key)]
        id: i64,
        formats: Vec<Format>,
        again: Option<Format>,
    }
    let home = Home::postgres();
    let (music, shop) = (music(), Schema::new().with::<Item>());
    music.create_all(home.engine()).unwrap();
    shop.create_all(home.engine()).unwrap();
    let labels = "select string_agg(enumlabel, ' ' order by enumsortorder) from pg_enum";
    assert_eq!(home.rows(labels), ["cd vinyl"]);
    music.drop_all(home.engine()).unwrap();
    assert_eq!(home.rows(labels), ["cd vinyl"], "the shop uses it");
    shop.drop_all(home.engine()).unwrap();
    assert_eq!(home.rows(labels), ["NULL"]);
}

#[test]
fn a_numbered_column_starts_behind_the_rows_that_were_loaded_with_their_numbers() {
    on_both(|home| {
        let schema = music();
        schema.create_all(home.engine()).unwrap();
        home.sql("insert into artists (id, name) values (1, 'a'), (7, 'b')");
        schema.sync_sequences(home.engine()).unwrap();
        home.sql("insert into artists (name) values ('c')");
        assert_eq!(home.rows("select max(id) from artists"), ["8"]);
        // Nothing moves back.
        home.sql("delete from artists where id > 1; insert into albums (title, artist_id) values ('x', 1)");
        schema.sync_sequences(home.engine()).unwrap();
        home.sql("insert into artists (name) values ('d')");
        assert_eq!(home.rows("select max(id) from artists"), [home.pick("2", "9")]);
    });
}

#[test]
fn the_statements_can_be_had_without_a_database() {
    on_both(|home| {
        let dialect = home.engine().get().unwrap().capabilities().dialect;
        home.sql(&music().statements(dialect).unwrap().join(";\n"));
        assert_eq!(tables(home), ["albums", "artists"]);
        music().create_missing(home.engine()).unwrap();
    });
}

#[test]
fn two_who_create_what_is_missing_at_once_do_not_disturb_each_other() {
    on_both(|home| {
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    music().create_missing(home.engine()).unwrap();
                });
            }
        });
        assert_eq!(tables(home), ["albums", "artists"]);
    });
}

#[test]
fn two_entities_of_one_table_are_refused_and_so_is_a_declaration_that_is_none() {
    #[derive(Entity)]
    #[entity(table = "artists")]
    struct Short {
        #[entity(key)]
        id: i64,
    }
    #[derive(Entity)]
    struct Unmade {
        #[entity(generated)]
        name: String,
    }
    on_both(|home| {
        let error = music().with::<Short>().create_all(home.engine()).unwrap_err();
        assert_eq!(error.message(), "two entities are the table artists");
        let error = Schema::new().with::<Unmade>().create_all(home.engine()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("column name"), "{error}");
        assert_eq!(tables(home), [""; 0]);
    });
}
