//! `#[derive(Cell)]`: types around others, conversions, domains, NUL.

use crate::support::on_both;
use crate::support::round_trip::Journey;
use proptest::prelude::*;
use rowmill::{Cell, CellRef, ColumnType, Entity, ErrorKind, Rows, SqlState};
use std::net::Ipv4Addr;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Cell)]
struct UserId(i64);

#[derive(Clone, Debug, PartialEq, Cell)]
#[cell(column_type = "varchar(20)")]
struct Name {
    text: String,
}

/// A number of hundredths that the database has as a text.
#[derive(Clone, Debug, PartialEq, Cell)]
#[cell(via = "String")]
struct Percent(u8);

impl TryFrom<String> for Percent {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.strip_suffix('%').and_then(|number| number.parse().ok()).map(Self).ok_or(text)
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> Self {
        format!("{}%", percent.0)
    }
}

#[derive(Clone, Debug, PartialEq, Cell)]
#[cell(text)]
enum Peer {
    Here,
    At(Ipv4Addr),
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here => f.write_str("here"),
            Self::At(address) => address.fmt(f),
        }
    }
}

impl FromStr for Peer {
    type Err = <Ipv4Addr as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "here" { Ok(Self::Here) } else { text.parse().map(Self::At) }
    }
}

#[derive(Clone, Debug, PartialEq, Cell)]
#[cell(domain = "Shop.quantity")]
struct Quantity(i64);

#[derive(Clone, Debug, PartialEq, Cell)]
#[cell(domain = "email")]
struct Email(String);

#[derive(Clone, Debug, PartialEq, Cell)]
#[cell(nul = "strip")]
struct Comment(String);

#[derive(Clone, Debug, PartialEq, Cell)]
#[cell(nul = "replace")]
struct Marked(String);

/// A column, and no element: an array of arrays is written as one array.
#[derive(Debug, PartialEq, Cell)]
struct Scores(Vec<i32>);

#[derive(Debug, PartialEq, Entity)]
struct Account {
    #[entity(key)]
    id: UserId,
    friends: Vec<UserId>,
    name: Option<Name>,
    scores: Scores,
}

#[test]
fn a_type_around_another_is_that_type_to_the_database() {
    assert_eq!(UserId::column_type(), ColumnType::Int8);
    assert_eq!(Name::column_type().sql(), "varchar(20)");
    assert_eq!(Vec::<UserId>::column_type().sql(), "bigint[]");
    assert_eq!(Quantity::column_type().sql(), "\"Shop\".\"quantity\"");
    assert_eq!(Percent::column_type(), ColumnType::Text);
    let columns = Account::columns().unwrap();
    let types: Vec<_> = columns.iter().map(|column| column.column_type.sql()).collect();
    assert_eq!(types, ["bigint", "bigint[]", "varchar(20)", "integer[]"]);
    assert!(columns[2].nullable && !columns[0].nullable);
}

#[test]
fn an_entity_has_fields_of_such_types() {
    let columns = Account::columns().unwrap();
    let account = Account {
        id: UserId(7),
        friends: vec![UserId(1), UserId(2)],
        name: Some(Name { text: "Ada".into() }),
        scores: Scores(vec![3]),
    };
    let mut rows = Rows::new(4);
    let mut row = rows.begin();
    account.pack(&columns, &mut row).unwrap();
    row.finish().unwrap();
    let fields: Vec<_> = rows.row(0).collect();
    let back = Account::unpack(&mut |index| {
        Ok(fields[index]
            .map_or(CellRef::Null, |bytes| CellRef::Packed(&columns[index].column_type, bytes)))
    });
    assert_eq!(back.unwrap(), account);
}

#[test]
fn types_around_numbers_and_texts_come_back() {
    Journey::new(vec![UserId(i64::MIN), UserId(-1), UserId(0), UserId(i64::MAX)])
        .run(&any::<i64>().prop_map(UserId));
    let name = |text: &str| Name { text: text.to_owned() };
    Journey::new(vec![name(""), name("NULL"), name("\"a\\b\""), name("{,}"), name("\u{1F600}")])
        .run(&"[^\u{0}]{0,20}".prop_map(|text| Name { text: text.trim_end().to_owned() }));
}

#[test]
fn conversions_come_back() {
    Journey::new(vec![Percent(0), Percent(255)]).run(&any::<u8>().prop_map(Percent));
    let peer = any::<[u8; 4]>().prop_map(|octets| Peer::At(octets.into()));
    Journey::new(vec![Peer::Here, Peer::At(Ipv4Addr::BROADCAST)]).run(&peer);
}

#[test]
fn domains_over_numbers_and_texts_come_back() {
    Journey::new(vec![Quantity(0), Quantity(i64::MAX)])
        .after(
            "create schema \"Shop\"; create domain \"Shop\".quantity as bigint check (value >= 0)",
        )
        .run(&(0..i64::MAX).prop_map(Quantity));
    Journey::new(vec![Email("a@b".into()), Email("@".into()), Email("\"x y\"@{,}\\".into())])
        .after("create domain email as text check (value like '%@%')")
        .run(&"[^\u{0}]{0,9}@[^\u{0}]{0,9}".prop_map(Email));
}

#[test]
fn what_a_conversion_refuses_is_told_by_its_name_and_without_the_value() {
    let error = Percent::unpack(CellRef::Text("4711 francs")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), "a value that Percent refuses (22P02)");
    let error = Peer::unpack(CellRef::Text("elsewhere")).unwrap_err();
    assert_eq!(error.to_string(), "a value that Peer refuses (22P02)");
}

#[test]
fn nul_is_refused_or_what_the_column_says() {
    on_both(|home| {
        let stored = |packed: &mut dyn FnMut(&mut Vec<u8>)| {
            let mut bytes = Vec::new();
            packed(&mut bytes);
            let param = rowmill::Param::Packed(&ColumnType::Text, bytes.into());
            let mut back = String::new();
            let sql = "select cast($1 as text)";
            let read = home.engine().query(sql, &[param], |row| {
                back = String::unpack(row.cell(0)?)?;
                Ok(())
            });
            read.unwrap();
            back
        };
        let text = || "a\0b\0".to_owned();
        let mut strip = |out: &mut Vec<u8>| {
            assert!(Comment(text()).pack(&ColumnType::Text, out).unwrap());
        };
        let mut replace = |out: &mut Vec<u8>| {
            assert!(Marked(text()).pack(&ColumnType::Text, out).unwrap());
        };
        assert_eq!(stored(&mut strip), "ab");
        assert_eq!(stored(&mut replace), "a\u{fffd}b\u{fffd}");
        let mut rows = Rows::new(1);
        let error = rows.begin().cell(&text(), &ColumnType::Text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encode);
        assert_eq!(error.sqlstate(), Some(SqlState::CHARACTER_NOT_IN_REPERTOIRE));
        let sent = home.engine().execute("select cast($1 as text)", &[text().into()]);
        let error = sent.unwrap_err();
        assert_eq!(error.sqlstate(), Some(SqlState::CHARACTER_NOT_IN_REPERTOIRE), "{error}");
    });
}
