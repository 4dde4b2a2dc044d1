//! `#[derive(SqlEnum)]`: enums of the database, as texts and as numbers, and arrays of them.

use crate::support::round_trip::Journey;
use proptest::prelude::*;
use rowmill::{Cell, CellRef, ColumnType, SqlEnum};

#[derive(Clone, Copy, Debug, PartialEq, SqlEnum)]
#[sql_enum(rename_all = "lowercase")]
enum Color {
    Red,
    #[sql_enum(label = "dark, \"blue\"")]
    Blue,
    #[sql_enum(label = "NULL")]
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, SqlEnum)]
#[sql_enum(text, rename_all = "kebab-case")]
enum Size {
    Small,
    VeryLarge,
}

#[derive(Clone, Copy, Debug, PartialEq, SqlEnum)]
#[sql_enum(int)]
enum Level {
    Low = -5,
    Next,
    High = 2_000_000_000,
}

#[derive(Clone, Copy, Debug, PartialEq, SqlEnum)]
#[sql_enum(int)]
#[repr(u8)]
enum Small {
    Zero,
    Most = 255,
}

const COLOR: &str = "create type color as enum ('red', 'dark, \"blue\"', 'NULL')";

#[test]
fn enums_of_the_database_come_back_also_in_arrays() {
    let all = vec![Color::Red, Color::Blue, Color::None];
    Journey::new(all.clone()).after(COLOR).run(&prop::sample::select(all));
}

#[test]
fn enums_kept_as_texts_come_back() {
    let all = vec![Size::Small, Size::VeryLarge];
    assert_eq!(Size::column_type(), ColumnType::Text);
    Journey::new(all.clone()).run(&prop::sample::select(all.clone()));
    Journey::through("varchar(10)", all.clone()).run(&prop::sample::select(all));
}

#[test]
fn enums_kept_as_numbers_come_back() {
    let all = vec![Level::Low, Level::Next, Level::High];
    assert_eq!(Level::column_type(), ColumnType::Int4);
    Journey::new(all.clone()).run(&prop::sample::select(all));
    let all = vec![Small::Zero, Small::Most];
    assert_eq!(Small::column_type(), ColumnType::Int2);
    Journey::new(all.clone()).run(&prop::sample::select(all));
}

#[test]
fn a_label_or_a_number_of_no_variant_is_refused_and_not_shown() {
    let error = Size::unpack(CellRef::Text("secret")).unwrap_err();
    assert!(error.to_string().contains("expected small, very-large"), "{error}");
    assert!(!error.to_string().contains("secret"));
    let error = Level::unpack(CellRef::Integer(4711)).unwrap_err();
    assert_eq!(error.to_string(), "a number that the enum level does not have (22003)");
}
