//! One entity at a time, without a session: inserted, read, updated, saved, deleted.

use crate::support::{Counted, Home, on_both};
use rowmill::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Entity)]
#[entity(table = "part")]
struct Part {
    #[entity(key, generated)]
    id: i64,
    name: String,
    weight: Option<f64>,
    /// Made by a default.
    #[entity(generated)]
    state: String,
}

#[derive(Clone, Debug, PartialEq, Entity)]
struct Stock {
    #[entity(key)]
    shop: String,
    #[entity(key)]
    part: i64,
    count: i32,
    #[entity(version)]
    version: i32,
}

#[derive(Clone, Debug, PartialEq, Entity)]
struct Tag {
    #[entity(key)]
    word: String,
}

fn on_tables(test: impl Fn(&Home)) {
    on_both(|home| {
        home.sql(home.pick(
            "create table part (id integer primary key, name text not null, weight real, \
             state text not null default 'new')",
            "create table part (id bigint generated always as identity primary key, \
             name text not null, weight double precision, state text not null default 'new')",
        ));
        home.sql(
            "create table stock (shop text, part bigint, count integer not null check (count >= 0), \
             version integer not null, primary key (shop, part))",
        );
        home.sql("create table tag (word text primary key)");
        test(home);
    });
}

fn part(name: &str) -> Part {
    Part { name: name.to_owned(), ..Part::default() }
}

fn stock(count: i32) -> Stock {
    Stock { shop: "north".to_owned(), part: 7, count, version: 0 }
}

#[test]
fn an_insert_fills_what_the_database_made() {
    on_tables(|home| {
        let mut bolt = part("bolt");
        bolt.insert(home.engine()).unwrap();
        assert_eq!((bolt.id, &*bolt.state), (1, "new"));
        assert_eq!(Part::get(home.engine(), 1).unwrap(), Some(bolt));
        assert_eq!(Part::get(home.engine(), 2).unwrap(), None);
    });
}

#[test]
fn each_call_is_one_statement() {
    on_tables(|home| {
        let counted = Counted::on(home);
        let mut bolt = part("bolt");
        bolt.insert(&counted.engine).unwrap();
        Part::get(&counted.engine, bolt.id).unwrap();
        bolt.update(&counted.engine).unwrap();
        bolt.save(&counted.engine).unwrap();
        bolt.reload(&counted.engine).unwrap();
        assert!(bolt.delete(&counted.engine).unwrap());
        let told = counted.take();
        assert_eq!(told.len(), 6, "{told:#?}");
    });
}

#[test]
fn a_composite_key_is_a_tuple() {
    on_tables(|home| {
        stock(3).insert(home.engine()).unwrap();
        let found = Stock::get(home.engine(), ("north".to_owned(), 7)).unwrap();
        assert_eq!(found, Some(stock(3)));
        assert_eq!(Stock::get(home.engine(), ("south".to_owned(), 7)).unwrap(), None);
    });
}

#[test]
fn an_update_writes_all_but_the_key_and_fills_what_the_database_made() {
    on_tables(|home| {
        let mut bolt = part("bolt");
        bolt.insert(home.engine()).unwrap();
        home.sql("update part set state = 'old'");
        (bolt.name, bolt.weight) = ("nut".to_owned(), Some(1.5));
        bolt.update(home.engine()).unwrap();
        assert_eq!(bolt.state, "old");
        assert_eq!(home.rows("select id, name, weight, state from part"), ["1|nut|1.5|old"]);
    });
}

#[test]
fn an_update_of_what_is_not_there_is_stale() {
    on_tables(|home| {
        let error = Part { id: 9, ..part("none") }.update(home.engine()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stale);
        let text = error.to_string();
        assert!(text.contains("part") && text.contains("id") && !text.contains('9'), "{text}");
    });
}

#[test]
fn a_version_is_counted_on_and_whoever_has_an_older_one_is_stale() {
    on_tables(|home| {
        let mut mine = stock(3);
        mine.insert(home.engine()).unwrap();
        let mut theirs = mine.clone();
        mine.count = 2;
        mine.update(home.engine()).unwrap();
        assert_eq!(mine.version, 1);
        theirs.count = 9;
        for stale in [
            theirs.update(home.engine()).map(drop),
            theirs.save(home.engine()).map(drop),
            theirs.delete(home.engine()).map(drop),
        ] {
            let error = stale.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Stale);
            assert!(error.is_transient(), "read again, it may succeed");
        }
        assert_eq!(home.rows("select count, version from stock"), ["2|1"]);
        assert!(mine.delete(home.engine()).unwrap());
    });
}

#[test]
fn a_save_updates_what_is_there_and_inserts_what_is_not() {
    on_tables(|home| {
        let mut bolt = part("bolt");
        assert_eq!(bolt.save(home.engine()).unwrap(), Saved::Inserted);
        bolt.name = "nut".to_owned();
        assert_eq!(bolt.save(home.engine()).unwrap(), Saved::Updated);
        let mut some = stock(1);
        assert_eq!(some.save(home.engine()).unwrap(), Saved::Inserted);
        some.count = 5;
        assert_eq!(some.save(home.engine()).unwrap(), Saved::Updated);
        assert_eq!(some.version, 1);
        let mut tag = Tag { word: "new".to_owned() };
        assert_eq!(tag.save(home.engine()).unwrap(), Saved::Inserted);
        assert_eq!(tag.save(home.engine()).unwrap(), Saved::Updated);
        assert_eq!(home.rows("select id, name from part"), ["1|nut"]);
        assert_eq!(home.rows("select count, version from stock"), ["5|1"]);
    });
}

#[test]
fn a_delete_says_whether_the_row_was_there() {
    on_tables(|home| {
        let mut bolt = part("bolt");
        bolt.insert(home.engine()).unwrap();
        assert!(bolt.delete(home.engine()).unwrap());
        assert!(!bolt.delete(home.engine()).unwrap());
        assert!(!bolt.reload(home.engine()).unwrap());
    });
}

#[test]
fn a_transaction_is_as_good_as_an_engine() {
    on_tables(|home| {
        let failed: Result<()> = home.engine().transaction(|transaction| {
            part("bolt").insert(transaction)?;
            stock(-1).insert(transaction)
        });
        assert!(failed.unwrap_err().is_data());
        assert_eq!(home.rows("select * from part"), [""; 0]);
    });
}

#[test]
fn a_value_that_does_not_fit_is_refused_without_being_shown() {
    on_tables(|home| {
        let error = stock(-4711).insert(home.engine()).unwrap_err();
        assert_eq!(error.place().table.as_deref(), Some("stock"));
        assert!(error.is_data() && !error.to_string().contains("4711"), "{error}");
    });
}
