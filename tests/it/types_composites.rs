//! `#[derive(Composite)]`: structs that are composite types; and what types say that are read by
//! nobody.

use crate::support::Home;
use crate::support::round_trip::Journey;
use proptest::prelude::*;
use rowmill::{Cell, Composite, Engine, ErrorKind, Inet, Numeric, Range, SqlEnum};

#[derive(Clone, Copy, Debug, PartialEq, SqlEnum)]
#[sql_enum(rename_all = "lowercase")]
enum Floor {
    Cellar,
    Attic,
}

#[derive(Clone, Debug, PartialEq, Cell)]
#[cell(domain = "percent")]
struct Percent(i16);

#[derive(Clone, Debug, PartialEq, Composite)]
struct Spot {
    x: f64,
    y: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Composite)]
#[composite(name = "Shop.address")]
struct Address {
    street: String,
    #[composite(field = "house no")]
    number: Option<i32>,
    floor: Option<Floor>,
    place: Option<Spot>,
    tags: Vec<String>,
    raw: Vec<u8>,
    host: Option<Inet>,
    share: Percent,
    width: Option<Range<i32>>,
    price: Numeric,
    is_open: bool,
}

const TYPES: &str = r#"
    create type floor as enum ('cellar', 'attic');
    create domain percent as smallint check (value between 0 and 100);
    create schema "Shop";
    create type spot as (x double precision, y double precision);
    create type "Shop".address as (street text, "house no" int, floor floor, place spot, tags text[],
        raw bytea, host inet, share percent, width int4range, price numeric, is_open boolean)"#;

fn address() -> Address {
    Address {
        street: String::new(),
        number: None,
        floor: None,
        place: None,
        tags: vec![],
        raw: vec![],
        host: None,
        share: Percent(0),
        width: None,
        price: Numeric::from(0),
        is_open: false,
    }
}

fn full() -> Address {
    Address {
        street: "a \"b\", (c) \\ {d} '".to_owned(),
        number: Some(i32::MIN),
        floor: Some(Floor::Attic),
        place: Some(Spot { x: -0.5, y: None }),
        tags: vec!["x,y".to_owned(), "\"".to_owned(), "NULL".to_owned(), String::new()],
        raw: vec![0, 255, b'\\'],
        host: Some("::1/64".parse().unwrap()),
        share: Percent(100),
        width: Some(Range::from(1..4)),
        price: "NaN".parse().unwrap(),
        is_open: true,
    }
}

#[test]
fn composites_come_back_with_everything_in_them() {
    let any_address =
        ("[^\u{0}]{0,9}", any::<Option<i32>>(), prop::collection::vec("[^\u{0}]{0,5}", 0..3))
            .prop_map(|(street, number, tags)| Address { street, number, tags, ..full() });
    Journey::new(vec![address(), full()]).after(TYPES).run(&any_address);
}

#[test]
fn the_text_of_a_composite_is_the_server_s() {
    let home = Home::postgres();
    home.sql("create type pair as (a text, b int)");
    let mut shown = String::new();
    let sql = "select ('a b', null)::pair";
    let read = home.engine().query(sql, &[], |row| {
        shown = String::unpack(row.cell(0)?)?;
        Ok(())
    });
    read.unwrap();
    assert_eq!([shown].as_slice(), home.rows("select ('a b', null)::pair"));
}

#[derive(Debug, PartialEq, Composite)]
#[composite(name = "pair")]
struct Turned {
    b: String,
    a: String,
}

#[test]
fn fields_in_another_order_are_refused_and_not_exchanged() {
    let home = Home::postgres();
    home.sql("create type pair as (a text, b text)");
    let read = home
        .engine()
        .query("select ('x', 'y')::pair", &[], |row| Turned::unpack(row.cell(0)?).map(drop));
    let error = read.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("(b, a)"), "{error}");
}

#[test]
fn results_of_any_type_are_read_or_say_which_cast_helps() {
    let home = Home::postgres();
    home.sql("create extension citext; create extension hstore");
    let unkept = Engine::builder(home.url()).prepared_statements(false).build().unwrap();
    for engine in [home.engine(), &unkept] {
        let text = |sql: &str| {
            let mut read = None;
            engine
                .query(sql, &[], |row| {
                    read = Some(String::unpack(row.cell(0)?));
                    Ok(())
                })
                .unwrap();
            read.unwrap()
        };
        for (sql, shown) in [
            ("select 'a'::xml", "a"),
            ("select 'Ab'::citext", "Ab"),
            ("select 'r'::\"char\"", "r"),
            ("select 'int4'::regtype::oid", "23"),
            ("select '10.0.0.1/8'::inet", "10.0.0.1/8"),
            ("select '10.0.0.0/8'::cidr", "10.0.0.0/8"),
            ("select '10.0.0.1/32'::cidr", "10.0.0.1/32"),
            ("select '08:00:2b:01:02:03'::macaddr", "08:00:2b:01:02:03"),
            ("select '[1,3]'::int4range", "[1,4)"),
            ("select '[2020-01-01 00:00,)'::tsrange", "[\"2020-01-01 00:00:00\",)"),
            ("select '{[1,2),[5,7)}'::int4multirange", "{[1,2),[5,7)}"),
            ("select 'a=>1, b=>NULL'::hstore", "\"a\"=>\"1\", \"b\"=>NULL"),
        ] {
            assert_eq!(text(sql).unwrap(), shown, "{sql}");
        }
        for sql in [
            "select '1'::money",
            "select 'a b'::tsvector",
            "select b'101'",
            "select '(1,2)'::point",
        ] {
            let error = text(sql).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains("column::text"), "{error}");
        }
        let mut number = 0;
        let read = engine.query("select 'pg_class'::regclass", &[], |row| {
            number = i64::unpack(row.cell(0)?)?;
            Ok(())
        });
        read.unwrap();
        assert_eq!(number, 1259);
    }
}
