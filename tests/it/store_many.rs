//! Many entities at a time, without a session: few statements, all or none, what the database made
//! in the right struct.

use crate::support::{Counted, Home, on_both};
use rowmill::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Entity)]
#[entity(table = "part")]
struct Part {
    #[entity(key, generated)]
    id: i64,
    name: String,
    sizes: Vec<i32>,
    weight: Option<f64>,
}

/// The same table, with a column that is made from another one.
#[derive(Clone, Debug, Default, PartialEq, Entity)]
#[entity(table = "loud_part")]
struct LoudPart {
    #[entity(key, generated)]
    id: i32,
    name: String,
    #[entity(generated)]
    loud: String,
}

/// A key that a function makes.
#[derive(Clone, Debug, Default, PartialEq, Entity)]
struct Ticket {
    #[entity(key, generated)]
    code: String,
    seat: i32,
}

#[derive(Clone, Debug, PartialEq, Entity)]
struct Stock {
    #[entity(key)]
    shop: String,
    #[entity(key)]
    part: i64,
    count: i32,
    note: Option<String>,
    #[entity(version)]
    version: i64,
}

fn on_tables(test: impl Fn(&Home)) {
    on_both(|home| {
        home.sql(home.pick(
            "create table part (id integer primary key, name text not null, sizes text, \
             weight real)",
            "create table part (id bigint generated always as identity primary key, \
             name varchar(20) not null, sizes integer[], weight real)",
        ));
        home.sql(home.pick(
            "create table loud_part (id integer primary key autoincrement, name text not null, \
             loud text generated always as (upper(name)) stored)",
            "create table loud_part (id serial primary key, name text not null, \
             loud text generated always as (upper(name)) stored)",
        ));
        home.sql(home.pick(
            "create table ticket (code text primary key default (lower(hex(randomblob(8)))), \
             seat integer unique)",
            "create table ticket (code text primary key default gen_random_uuid()::text, \
             seat integer unique)",
        ));
        home.sql(
            "create table stock (shop text, part bigint, count integer not null check (count >= 0), \
             note text, version bigint not null, primary key (shop, part))",
        );
        test(home);
    });
}

fn parts(count: usize) -> Vec<Part> {
    (0..count)
        .map(|number| Part {
            name: format!("part {number}"),
            sizes: vec![number as i32; number % 3],
            weight: (number % 2 == 0).then_some(number as f64 / 2.0),
            ..Part::default()
        })
        .collect()
}

fn stock(shop: &str, part: i64, count: i32) -> Stock {
    Stock { shop: shop.to_owned(), part, count, note: None, version: 0 }
}

fn shelf(count: i64) -> Vec<Stock> {
    (0..count).map(|part| stock("north", part, 1)).collect()
}

/// Every part of the table by its id.
fn stored(home: &Home) -> BTreeMap<i64, String> {
    let rows = home.rows("select id, name from part order by id");
    let parts = rows.iter().map(|row| row.split_once('|').unwrap());
    parts.map(|(id, name)| (id.parse().unwrap(), name.to_owned())).collect()
}

#[test]
fn each_row_gets_back_its_own_key_whatever_their_number() {
    for count in [0, 1, 2, 40, 1_500, 10_500] {
        on_tables(|home| {
            let mut parts = parts(count);
            Part::insert_many(home.engine(), &mut parts).unwrap();
            let expected: BTreeMap<_, _> =
                parts.iter().map(|part| (part.id, part.name.clone())).collect();
            assert_eq!(expected.len(), count);
            assert_eq!(stored(home), expected);
            for part in parts.iter().take(3) {
                assert_eq!(Part::get(home.engine(), part.id).unwrap().as_ref(), Some(part));
            }
        });
    }
}

#[test]
fn a_hundred_thousand_rows_with_their_keys_are_three_statements() {
    on_tables(|home| {
        let counted = Counted::on(home);
        let mut parts = parts(100_000);
        Part::insert_many(&counted.engine, &mut parts).unwrap();
        let told: Vec<_> = counted.take();
        let words: Vec<_> = told.iter().map(|sql| sql.split(' ').next().unwrap()).collect();
        // The catalog is asked for the types of the columns.
        let expected = if home.is_postgres() {
            &["BEGIN", "SELECT", "DESCRIBE", "LOAD", "COMMIT"][..]
        } else {
            &["BEGIN", "INSERT", "LOAD", "COMMIT"]
        };
        assert_eq!(words, expected);
        assert_eq!(home.rows("select count(*), min(id), max(id) from part"), ["100000|1|100000"]);
        assert_eq!((parts[0].id, parts[99_999].id), (1, 100_000));
    });
}

#[test]
fn a_few_rows_are_one_statement_of_constant_text_where_there_are_arrays() {
    on_tables(|home| {
        let counted = Counted::on(home);
        let mut texts = Vec::new();
        for count in [2, 3, 700] {
            let mut shelf = shelf(count);
            for stock in &mut shelf {
                stock.shop = format!("shop {count}");
            }
            Stock::insert_many(&counted.engine, &mut shelf).unwrap();
            texts.push(counted.take());
        }
        if home.is_postgres() {
            assert_eq!(texts[0].len(), 1, "{texts:#?}");
            assert!(texts.iter().all(|text| *text == texts[0]), "{texts:#?}");
        }
        assert_eq!(home.rows("select count(*) from stock"), ["705"]);
    });
}

#[test]
fn what_else_the_database_makes_is_found_by_the_key() {
    on_tables(|home| {
        let mut parts: Vec<_> = (0..50)
            .map(|number| LoudPart { name: format!("part {number}"), ..LoudPart::default() })
            .collect();
        let counted = Counted::on(home);
        LoudPart::insert_many(&counted.engine, &mut parts).unwrap();
        assert!(counted.take().len() <= 4);
        for (number, part) in parts.iter().enumerate() {
            assert_eq!(part.loud, format!("PART {number}"));
            assert_eq!(usize::try_from(part.id).unwrap(), number + 1);
        }
        for part in &mut parts {
            part.name = format!("{}!", part.name);
        }
        let updated = LoudPart::bulk_update(home.engine(), &mut parts, LoudPart::name).unwrap();
        assert_eq!((updated, &*parts[7].loud), (50, "PART 7!"));
    });
}

#[test]
fn a_key_that_a_function_makes_is_read_back_row_by_row() {
    on_tables(|home| {
        let mut tickets: Vec<_> =
            (0..20).map(|seat| Ticket { seat, ..Ticket::default() }).collect();
        Ticket::insert_many(home.engine(), &mut tickets).unwrap();
        for ticket in &tickets {
            let found = home.rows(&format!("select code from ticket where seat = {}", ticket.seat));
            assert_eq!(found[0], ticket.code);
        }
        for ticket in &mut tickets {
            ticket.seat += 5;
        }
        let failed = Ticket::insert_many(home.engine(), &mut tickets);
        assert!(failed.unwrap_err().is_data());
        assert_eq!(home.rows("select count(*) from ticket"), ["20"]);
    });
}

#[test]
fn all_rows_are_inserted_or_none_also_within_a_transaction() {
    on_tables(|home| {
        let mut shelf = shelf(25_000);
        shelf[24_000].count = -1;
        let error = Stock::insert_many(home.engine(), &mut shelf).unwrap_err();
        assert!(error.is_data(), "{error:?}");
        assert_eq!(home.rows("select count(*) from stock"), ["0"]);
        home.engine()
            .transaction(|transaction| {
                stock("south", 1, 1).insert(transaction)?;
                assert!(Stock::insert_many(transaction, &mut shelf).is_err());
                stock("south", 2, 1).insert(transaction)
            })
            .unwrap();
        assert_eq!(home.rows("select count(*) from stock"), ["2"]);
    });
}

#[test]
fn an_iterator_is_loaded_without_being_kept() {
    on_tables(|home| {
        let parts = (0..30_000).map(|number| Part {
            name: format!("part {number}"),
            sizes: vec![number],
            ..Part::default()
        });
        assert_eq!(Part::insert_all(home.engine(), parts).unwrap(), 30_000);
        assert_eq!(home.rows("select count(distinct id), max(id) from part"), ["30000|30000"]);
        let too_long = Part { name: "x".repeat(21), ..Part::default() };
        let rows = parts_and(too_long);
        if home.is_postgres() {
            let error = Part::insert_all(home.engine(), rows).unwrap_err();
            assert_eq!(error.place().row, Some(3));
            assert_eq!(error.place().column.as_deref(), Some("name"));
        }
    });
}

fn parts_and(last: Part) -> Vec<Part> {
    parts(2).into_iter().chain([last]).collect()
}

#[test]
fn an_upsert_says_what_became_of_each_row() {
    on_tables(|home| {
        Stock::insert_many(home.engine(), &mut shelf(10)).unwrap();
        let rows = [
            stock("north", 1, 1),
            stock("north", 2, 5),
            stock("north", 99, 1),
            stock("north", 2, 6),
            stock("north", 98, 1),
        ];
        let done = Stock::upsert_many(home.engine(), &rows, Duplicates::Last).unwrap();
        assert_eq!((done.inserted, done.updated), (2, 1));
        assert_eq!((done.unchanged, done.duplicates), (1, 1));
        let changed = home
            .rows("select part, count, version from stock where part in (1, 2, 99) order by part");
        assert_eq!(changed, ["1|1|0", "2|6|1", "99|1|0"]);
        let first = Stock::upsert_many(home.engine(), &rows, Duplicates::First).unwrap();
        assert_eq!((first.updated, first.duplicates), (1, 1));
        let error = Stock::upsert_many(home.engine(), &rows, Duplicates::Error).unwrap_err();
        assert_eq!((error.kind(), error.place().row), (ErrorKind::Config, Some(4)));
    });
}

#[test]
fn an_upsert_of_thousands_counts_all_of_them() {
    on_tables(|home| {
        Stock::insert_many(home.engine(), &mut shelf(12_000)).unwrap();
        let mut shelf = shelf(25_000);
        shelf.iter_mut().step_by(2).for_each(|stock| stock.count = 2);
        shelf.reverse();
        let done = Stock::upsert_many(home.engine(), &shelf, Duplicates::Error).unwrap();
        assert_eq!((done.inserted, done.updated, done.unchanged), (13_000, 6_000, 6_000));
        assert_eq!(home.rows("select sum(count) from stock"), ["37500"]);
    });
}

#[test]
fn an_upsert_needs_a_key_that_is_known() {
    on_tables(|home| {
        let error = Part::upsert_many(home.engine(), &parts(2), Duplicates::Last).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    });
}

#[test]
fn a_bulk_update_sets_the_named_columns_and_nothing_else() {
    on_tables(|home| {
        let mut parts = parts(1_200);
        Part::insert_many(home.engine(), &mut parts).unwrap();
        for part in &mut parts {
            (part.name, part.weight, part.sizes) = (format!("new {}", part.id), None, vec![9]);
        }
        let counted = Counted::on(home);
        let fields = (Part::name, Part::sizes);
        assert_eq!(Part::bulk_update(&counted.engine, &mut parts, fields).unwrap(), 1_200);
        assert!(counted.take().len() <= if home.is_postgres() { 1 } else { 5 });
        let sum = "select count(*), count(weight), min(name), max(name) from part";
        assert_eq!(home.rows(sum), ["1200|600|new 1|new 999"]);
        assert_eq!(Part::get(home.engine(), 5).unwrap().unwrap().sizes, [9]);
    });
}

#[test]
fn rows_of_a_large_table_are_looked_up_for_an_update_and_a_deletion() {
    on_tables(|home| {
        if !home.is_postgres() {
            return;
        }
        home.sql("insert into part (name) select n from generate_series(1, 30000) n");
        home.sql("analyze part");
        let mut parts = parts(1_000);
        for (part, id) in parts.iter_mut().zip(1..) {
            part.id = id;
        }
        let read = home.engine().transaction(|transaction| {
            Part::bulk_update(transaction, &mut parts, Part::weight)?;
            Part::bulk_delete(transaction, (1..=1_000).map(|id| id * 20))?;
            let scans = "select seq_scan from pg_stat_xact_user_tables where relname = 'part'";
            Sql::new(scans).one::<(i64,)>(transaction)
        });
        assert_eq!(read.unwrap(), (0,), "the table was read from end to end");
    });
}

#[test]
fn a_bulk_update_passes_over_rows_that_are_gone_unless_there_is_a_version() {
    on_tables(|home| {
        let mut parts = parts(4);
        Part::insert_many(home.engine(), &mut parts).unwrap();
        parts[1].delete(home.engine()).unwrap();
        assert_eq!(Part::bulk_update(home.engine(), &mut parts, Part::name).unwrap(), 3);

        let mut shelf = shelf(4);
        Stock::insert_many(home.engine(), &mut shelf).unwrap();
        assert_eq!(Stock::bulk_update(home.engine(), &mut shelf, Stock::count).unwrap(), 4);
        assert!(shelf.iter().all(|stock| stock.version == 1));
        home.sql("update stock set version = 7 where part = 2");
        for stock in &mut shelf {
            stock.count = 50;
        }
        let error = Stock::bulk_update(home.engine(), &mut shelf, Stock::count).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stale);
        assert!(error.to_string().contains("1 of 4 rows of stock"), "{error}");
        assert_eq!(home.rows("select count(*) from stock where count = 50"), ["0"]);
    });
}

#[test]
fn a_column_that_cannot_be_set_is_refused() {
    on_tables(|home| {
        let mut shelf = shelf(2);
        for refused in [
            Stock::bulk_update(home.engine(), &mut shelf, Stock::part),
            Stock::bulk_update(home.engine(), &mut shelf, Stock::version),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Config);
        }
        let mut twice = [stock("north", 1, 1), stock("north", 1, 2)];
        let error = Stock::bulk_update(home.engine(), &mut twice, Stock::count).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    });
}

#[test]
fn rows_are_deleted_by_their_keys() {
    on_tables(|home| {
        Stock::insert_many(home.engine(), &mut shelf(1_500)).unwrap();
        let keys = (0..1_200).map(|part| ("north".to_owned(), part % 700));
        assert_eq!(Stock::bulk_delete(home.engine(), keys).unwrap(), 700);
        let mut parts = parts(3);
        Part::insert_many(home.engine(), &mut parts).unwrap();
        assert_eq!(Part::bulk_delete(home.engine(), [1, 3, 8]).unwrap(), 2);
        assert_eq!(Part::bulk_delete(home.engine(), [0_i64; 0]).unwrap(), 0);
        assert_eq!(stored(home).len(), 1);
    });
}

/// Numbers that the database takes from a sequence that is not the column's own.
#[derive(Clone, Debug, Default, PartialEq, Entity)]
struct Order {
    #[entity(key, generated)]
    number: i64,
    #[entity(column_type = "integer")]
    amount: i64,
}

#[test]
fn a_sequence_that_is_not_the_columns_own_costs_a_statement_for_each_row_and_still_all_or_none() {
    on_tables(|home| {
        home.sql(home.pick(
            "create table \"order\" (number integer primary key, amount integer check (amount > 0))",
            "create sequence orders start 5000; create table \"order\" \
             (number bigint primary key default nextval('orders'), amount integer check (amount > 0))",
        ));
        let mut orders: Vec<_> =
            (1..=20).map(|amount| Order { amount, ..Order::default() }).collect();
        Order::insert_many(home.engine(), &mut orders).unwrap();
        for order in &orders {
            assert_eq!(Order::get(home.engine(), order.number).unwrap().as_ref(), Some(order));
        }
        orders[10].amount = 0;
        assert!(Order::insert_many(home.engine(), &mut orders).unwrap_err().is_data());
        assert_eq!(home.rows("select count(*) from \"order\""), ["20"]);
    });
}
