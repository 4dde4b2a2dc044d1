//! A bad row costs one row, and is found again.

use super::{columns_of, copy, whole};
use crate::support::{Home, on_both};
use rowmill::{
    Append, ColumnType, Entity, Feed, Ident, Job, Mode, Stateful, Surroundings, Table, TableColumn,
    TableColumns,
};
use std::sync::Arc;

fn name(name: &str) -> Ident {
    Ident::new(name).unwrap()
}

#[test]
fn a_value_that_is_none_of_the_type_costs_its_row() {
    on_both(|home| {
        home.sql(
            "create table a (id integer primary key, n text);
             insert into a values (1, '7'), (2, 'many'), (3, null)",
        );
        let mut columns = columns_of(home.engine(), "a");
        columns[1] = TableColumn::new(name("n"), ColumnType::Int4);
        let feed = TableColumns::table("a", columns).unwrap();
        let report = home.run(&copy(home, feed, "b", Mode::Append, &[]));
        assert_eq!((report.read, report.inserted, report.rejected), (3, 2, 1));
        let expected =
            r#"convert|22P02|n|{"key":{"id":"2"},"row":{"id":"2","n":"many"},"table":"a"}"#;
        assert_eq!(home.rejects_of("stage, sqlstate, column_name"), [expected]);
    });
}

#[test]
fn a_row_that_the_target_refuses_says_where_it_came_from() {
    on_both(|home| {
        home.sql(
            "create table a (id integer primary key, n integer);
             insert into a values (1, 7), (2, -1), (3, 8);
             create table b (n integer check (n > 0)); create table c (id integer, n integer check (n > 0))",
        );
        // The key does not travel, and is told all the same.
        let only = vec![TableColumn::new(name("n"), ColumnType::Int4)];
        let feed = TableColumns::table("a", only).unwrap();
        home.run(&copy(home, feed, "b", Mode::Append, &[]));
        home.run(&copy(home, whole(home.engine(), "a"), "c", Mode::Append, &[]));
        let rejects = home.rejects_of("stage");
        let expected = [
            r#"store|{"key":{"id":"2"},"row":{"n":"-1"},"table":"a"}"#,
            r#"store|{"key":{"id":"2"},"row":{"id":"2","n":"-1"},"table":"a"}"#,
        ];
        assert_eq!(rejects, expected);
    });
}

#[test]
fn a_row_of_blocks_is_found_by_its_place() {
    let home = Home::postgres();
    home.sql(
        "create table a (n integer); insert into a values (7), (-1);
         create table b (n integer check (n > 0))",
    );
    home.run(&copy(&home, whole(home.engine(), "a"), "b", Mode::Append, &[]));
    let expected = r#"store|{"ctid":"(0,2)","row":{"n":"-1"},"table":"a"}"#;
    assert_eq!(home.rejects_of("stage"), [expected]);
}

#[derive(Clone, Debug, Entity)]
#[entity(table = "a")]
struct Counted {
    #[entity(key)]
    id: i64,
    n: i32,
}

#[derive(Clone, Debug, Entity)]
#[entity(table = "b")]
struct Doubled {
    twice: i32,
}

#[test]
fn an_entity_that_became_another_is_found_by_its_own_key() {
    on_both(|home| {
        home.sql(
            "create table a (id integer primary key, n integer);
             insert into a values (1, 7), (2, -1), (3, null), (4, 9);
             create table b (twice integer check (twice > 0))",
        );
        let job = Job::named(home.job_name())
            .read(Table::<Counted>::all())
            .map(|row: Counted| Ok(Doubled { twice: row.n * 2 }))
            .write(Append::<Doubled>::new());
        let report = home.run(&job);
        assert_eq!((report.inserted, report.rejected), (2, 2));
        let expected = [
            r#"store|{"key":{"id":"2"},"row":{"twice":"-2"},"table":"a"}"#,
            r#"convert|{"key":{"id":"3"},"row":{"id":"3","n":null},"table":"a"}"#,
        ];
        assert_eq!(home.rejects_of("stage"), expected);
    });
}

#[test]
fn a_row_that_a_merge_refuses_is_kept_with_its_values() {
    on_both(|home| {
        home.sql(
            "create table a (id integer primary key, n integer);
             insert into a values (1, 7), (2, -1), (3, 8);
             create table b (id integer primary key, n integer check (n > 0))",
        );
        for mode in [Mode::Upsert, Mode::Replace] {
            home.engine()
                .run(&format!("delete from {}", home.pick("rowmill_reject", "rowmill.reject")))
                .ok();
            let report = home.run(&copy(home, whole(home.engine(), "a"), "b", mode, &["id"]));
            assert_eq!((report.read, report.rejected), (3, 1));
            let expected = r#"store|{"key":{"id":"2"},"row":{"id":"2","n":"-1"},"table":"a"}"#;
            assert_eq!(home.rejects_of("stage"), [expected], "{mode}");
        }
    });
}

#[test]
fn a_row_is_found_again_in_its_table() {
    on_both(|home| {
        home.sql("create table a (id integer primary key); insert into a values (5), (6), (7)");
        let feed = whole(home.engine(), "a");
        feed.begin(&Surroundings::new(Arc::new(home.engine().clone()), 1)).unwrap();
        let mut batches = Vec::new();
        feed.plan(rowmill::CutLimits::default(), &mut |bounds| {
            batches.push(bounds);
            Ok(())
        })
        .unwrap();
        let origin = feed.origin(&batches[0], 1).unwrap();
        let expected = r#"{"key":{"id":"6"},"row":{"id":"6"},"table":"a"}"#;
        assert_eq!(String::from_utf8(origin.raw).unwrap(), expected);
        assert!(feed.origin(&batches[0], 9).is_err());
    });
}

#[test]
fn a_row_is_put_down_to_its_rejected_parent_as_that_of_a_file_is() {
    on_both(|home| {
        home.sql(
            "create table parent (id bigint primary key, n integer check (n > 0)); \
             create table child (id bigint primary key, parent bigint references parent (id)); \
             create table a (id integer primary key, parent integer); insert into a values (1, 2)",
        );
        let columns = ["id bigint", "n integer"];
        home.run(&home.csv_job(Mode::Append, "parent", &columns, "id", "id,n\n2,0\n"));
        for mode in [Mode::Append, Mode::Upsert, Mode::Replace] {
            home.run(&copy(home, whole(home.engine(), "a"), "child", mode, &["id"]));
        }
        let causes = home.rejects_of("caused_by");
        let record = r#"job 0 row 1|{"key":{"id":"1"},"row":{"id":"1","parent":"2"},"table":"a"}"#;
        assert_eq!(causes[1..], [record; 3]);
    });
}
