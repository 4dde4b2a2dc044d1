//! Upserts of many rows, of which it is guessed by those before them that all are there, or all are new:
//! the guess saves the database work, and nobody else can tell whether it was right.

use crate::support::{Counted, Home};
use rowmill::prelude::*;

/// Rows enough that a guess is worth its round trip.
const ROWS: i64 = 150;

/// An entity of its own for each test: what is guessed is known by the entity.
macro_rules! price {
    () => {
        #[derive(Clone, Debug, PartialEq, Entity)]
        #[entity(table = "price")]
        struct Price {
            #[entity(key)]
            part: i64,
            cents: i64,
            note: Option<String>,
        }

        #[allow(dead_code, reason = "not every test needs it")]
        fn prices(first: i64, cents: i64) -> Vec<Price> {
            let price = |part| Price { part, cents, note: (part % 2 == 0).then(|| "even".into()) };
            (first..first + ROWS).map(price).collect()
        }
    };
}

fn home() -> Home {
    let home = Home::postgres();
    home.sql("create table price (part bigint primary key, cents bigint not null, note text)");
    home
}

/// How often statements began with these words.
fn count(statements: &[String], words: &str) -> usize {
    statements.iter().filter(|sql| sql.starts_with(words) && !sql.contains("ON CONFLICT")).count()
}

fn inserted(count: u64) -> (u64, u64, u64) {
    (count, 0, 0)
}

#[test]
fn rows_of_which_all_were_there_are_updated_and_only_that() {
    price!();
    let home = home();
    let counted = Counted::on(&home);
    let upsert = |cents| {
        let done = Price::upsert_many(&counted.engine, &prices(0, cents), Duplicates::Error);
        let done = done.unwrap();
        (done.inserted, done.updated, done.unchanged)
    };
    assert_eq!(upsert(1), inserted(150));
    for cents in 2..4 {
        assert_eq!(upsert(cents), (0, 150, 0));
    }
    counted.take();
    assert_eq!(upsert(4), (0, 150, 0));
    let statements = counted.take();
    assert_eq!(count(&statements, "UPDATE"), 1, "{statements:?}");
    assert!(!statements.iter().any(|sql| sql.contains("ON CONFLICT")), "{statements:?}");
    assert_eq!(home.rows("select count(*), min(cents), max(cents) from price"), ["150|4|4"]);
    // What is equal is left as it is, and is counted.
    assert_eq!(upsert(4), (0, 0, 150));
    assert_eq!(home.rows("select count(*), min(cents), max(cents) from price"), ["150|4|4"]);
}

#[test]
fn rows_of_which_all_were_new_are_inserted_and_only_that() {
    price!();
    let home = home();
    let counted = Counted::on(&home);
    let upsert = |first| {
        let done = Price::upsert_many(&counted.engine, &prices(first, 1), Duplicates::Error);
        let done = done.unwrap();
        (done.inserted, done.updated, done.unchanged)
    };
    for first in [0, 150, 300] {
        assert_eq!(upsert(first), inserted(150));
    }
    counted.take();
    assert_eq!(upsert(450), inserted(150));
    let statements = counted.take();
    assert_eq!(count(&statements, "INSERT"), 1, "{statements:?}");
    assert!(!statements.iter().any(|sql| sql.contains("ON CONFLICT")), "{statements:?}");
    // One of them is there.
    home.sql("insert into price values (700, 9, 'even')");
    assert_eq!(upsert(600), (149, 1, 0));
    assert_eq!(home.rows("select count(*), min(cents), max(cents) from price"), ["750|1|1"]);
}

/// A table whose trigger tells an INSERT that finds a row from an UPDATE.
#[test]
fn a_table_with_a_trigger_sees_every_row_inserted() {
    price!();
    let home = home();
    home.sql(
        "create function loud() returns trigger language plpgsql as \
         'begin new.note = upper(new.note); return new; end'; \
         create trigger loud before insert on price for each row execute function loud()",
    );
    for cents in 1..6 {
        Price::upsert_many(home.engine(), &prices(0, cents), Duplicates::Error).unwrap();
        let notes = home.rows("select distinct note from price where note is not null");
        assert_eq!(notes, ["EVEN"], "{cents}");
    }
    for first in [200, 400, 600, 800] {
        Price::upsert_many(home.engine(), &prices(first, 1), Duplicates::Error).unwrap();
        let notes = home.rows("select distinct note from price where note is not null");
        assert_eq!(notes, ["EVEN"], "{first}");
    }
}

#[test]
fn a_row_that_is_refused_takes_all_others_back_whatever_was_guessed() {
    price!();
    let home = home();
    home.sql("alter table price add constraint cheap check (cents < 100)");
    let upsert =
        |rows: &[Price]| Price::upsert_many(home.engine(), rows, Duplicates::Error).map(drop);
    for cents in 1..5 {
        upsert(&prices(0, cents)).unwrap();
    }
    let mut rows = prices(0, 7);
    rows[149].cents = 100;
    let error = upsert(&rows).unwrap_err();
    assert_eq!(error.sqlstate().map(|state| state.to_string()).as_deref(), Some("23514"));
    assert_eq!(home.rows("select count(*), min(cents), max(cents) from price"), ["150|4|4"]);
    upsert(&prices(0, 8)).unwrap();
    assert_eq!(home.rows("select count(*), min(cents), max(cents) from price"), ["150|8|8"]);
}

/// Whose own transaction it is does not lose it by a guess.
#[test]
fn a_transaction_of_somebody_else_goes_on() {
    price!();
    let home = home();
    for cents in 1..5 {
        Price::upsert_many(home.engine(), &prices(0, cents), Duplicates::Error).unwrap();
    }
    let done = home.engine().transaction(|transaction| {
        transaction.execute("update price set cents = 50 where part = 0", &[])?;
        Price::upsert_many(transaction, &prices(100, 6), Duplicates::Error)
    });
    let done = done.unwrap();
    assert_eq!((done.inserted, done.updated), (100, 50));
    assert_eq!(home.rows("select cents from price where part = 0"), ["50"]);
}
