//! Texts, bytes, documents and identifiers.

use crate::support::on_both;
use crate::support::round_trip::Journey;
use proptest::prelude::*;
use rowmill::{
    ColumnType, CsvColumn, CsvColumns, CsvFormat, Feed, Ident, Job, MaxRejects, Mode, NulPolicy,
    TableName, Target,
};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Every character but NUL.
const ANY: &str = "[^\u{0}]{0,30}";

fn edges() -> Vec<String> {
    let longest = "\u{1F600}".repeat(1 << 18);
    let mut edges = vec![longest];
    let short = [
        "",
        " ",
        "NULL",
        "null",
        "{}",
        "{,}",
        "\"",
        "\\",
        "\\\\\"",
        "a,b",
        "'",
        "\t\n\r",
        "$1",
        "\\N",
        "\\.",
        "e\u{301}",
        "\u{FEFF}",
        "\u{10FFFF}",
        "\u{1}",
        "\u{7F}",
    ];
    edges.extend(short.map(str::to_owned));
    edges
}

#[test]
fn texts_come_back() {
    Journey::new(edges()).run(&ANY);
    Journey::through("varchar", edges()).run(&ANY);
    let short = edges().into_iter().filter(|text| text.chars().count() < 9).collect();
    Journey::through("varchar(8)", short).run(&"[^\u{0}]{0,8}");
}

#[test]
fn texts_come_back_from_a_padded_column_with_its_blanks() {
    let padded = |one: &String, other: &String| *one == format!("{other:8}");
    let journey = Journey::compared(vec![String::new(), "\u{e9}".to_owned()], padded);
    journey.in_column_of("char(8)").run_in_column(&"[^ \u{0}]{0,8}");
}

#[test]
fn texts_come_back_from_citext_as_they_were_written() {
    let edges = vec!["Top".to_owned(), "top".to_owned(), String::new()];
    Journey::through("citext", edges).after("create extension citext").run(&ANY);
}

#[test]
fn bytes_come_back() {
    let edges = vec![vec![], vec![0], vec![0xFF; 3], (0..=255).collect(), vec![b'\\'; 9]];
    Journey::new(edges).run(&prop::collection::vec(any::<u8>(), 0..40));
}

fn document() -> impl Strategy<Value = Value> + Clone {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1_000_000..1_000_000_i32).prop_map(|number| Value::from(f64::from(number) / 8.0)),
        ANY.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(ANY, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn documents_come_back() {
    let edges = || {
        vec![
            json!(null),
            json!({}),
            json!([]),
            json!(""),
            json!("\\u0000\"'"),
            json!(i64::MIN),
            json!({"": {"a": [1, 2.5, null]}}),
        ]
    };
    Journey::new(edges()).run(&document());
    Journey::through("json", edges()).run(&document());
}

#[test]
fn identifiers_come_back() {
    Journey::new(vec![Uuid::nil(), Uuid::max()]).run(&any::<u128>().prop_map(Uuid::from_u128));
}

#[test]
fn nul_in_a_file_costs_the_row_or_is_stripped_or_replaced_by_column() {
    on_both(|home| {
        let path = home.file("nul.csv", "id,a,b,c\n1,x\0y,x\0y,xy\n2,x,y,x\0y\n");
        let column = |name: &str, kind| CsvColumn::new(Ident::new(name).unwrap(), kind);
        let columns = vec![
            column("id", ColumnType::Int8),
            column("a", ColumnType::Text).nul(NulPolicy::Strip),
            column("b", ColumnType::Varchar(Some(3))).nul(NulPolicy::Replace),
            column("c", ColumnType::Text),
        ];
        let feed = CsvColumns::open(path, CsvFormat::new(), columns).unwrap();
        let table = TableName::parse("t").unwrap();
        let plain = Feed::columns(&feed).to_vec();
        let mut target = Target::new(table, plain, vec!["id".into()], Mode::Upsert).unwrap();
        target.create = true;
        let job = Job::named("nul").feed(Arc::new(feed), target).max_rejects(MaxRejects::Count(1));
        let report = job.run(home.engine()).unwrap();
        assert_eq!((report.inserted, report.rejected), (1, 1));
        assert_eq!(home.rows("select * from t"), ["1|xy|x\u{fffd}y|xy"]);
        assert!(home.rejects()[0].contains("22021"), "{:?}", home.rejects());
    });
}
