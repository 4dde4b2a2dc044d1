//! What holds for every type.

use super::*;
use crate::error::ErrorKind;
use proptest::prelude::*;

fn types() -> Vec<ColumnType> {
    let mut types = vec![
        ColumnType::Bool,
        ColumnType::Int2,
        ColumnType::Int4,
        ColumnType::Int8,
        ColumnType::Float4,
        ColumnType::Float8,
        ColumnType::Numeric(None),
        ColumnType::Numeric(Some((10, 2))),
        ColumnType::Text,
        ColumnType::Varchar(Some(5)),
        ColumnType::Char(5),
        ColumnType::Bytea,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::TimeTz,
        ColumnType::Timestamp,
        ColumnType::TimestampTz,
        ColumnType::Interval,
        ColumnType::Uuid,
        ColumnType::Json,
        ColumnType::Jsonb,
    ];
    let arrays: Vec<_> =
        types.iter().map(|element| ColumnType::Array(Box::new(element.clone()))).collect();
    types.extend(arrays);
    types
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[0-9a-fxT:.+ -]{0,30}",
        "[-+]?[0-9]{1,9}(\\.[0-9]{1,9})?(e-?[0-9]{1,3})?",
        "[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,8})?)?)?( BC)?",
        "\\{(\\{?[0-9a-z\",\\\\]{0,4}\\}?,?){0,4}\\}",
        "P?[0-9]{1,3} ?(day|year|mons|M|D|:[0-9]{2})( ago)?",
        "[\\[\\]{}\":,a0-9]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_printed_reads_as_the_same_value(text in texts()) {
        for column_type in types() {
            let mut packed = Vec::new();
            if input(&column_type, &text, &mut packed).is_err() {
                continue;
            }
            let mut shown = String::new();
            output(&column_type, &packed, &mut shown).unwrap();
            let mut again = Vec::new();
            input(&column_type, &shown, &mut again).unwrap();
            let mut shown_again = String::new();
            output(&column_type, &again, &mut shown_again).unwrap();
            prop_assert_eq!(&shown, &shown_again, "{}", column_type);
        }
    }

    #[test]
    fn no_bytes_are_a_panic(packed in proptest::collection::vec(any::<u8>(), 0..40)) {
        for column_type in types() {
            if let Err(error) = output(&column_type, &packed, &mut String::new()) {
                prop_assert_eq!(error.kind(), ErrorKind::Decode);
            }
        }
    }
}

#[test]
fn an_error_leaves_nothing_behind_and_never_shows_the_text() {
    // Some of these are refused only after a part of the value was written.
    for text in ["{\"secret", "a0eesecret", "\\x00secret", "ab\\secret", "1e99999999secret"] {
        for column_type in types() {
            let mut packed = vec![9];
            let Err(error) = input(&column_type, text, &mut packed) else { continue };
            assert_eq!(packed, [9], "{column_type}");
            assert!(!format!("{error} {error:?}").contains("secret"));
            assert!(error.is_data(), "{column_type}");
        }
    }
}

#[test]
fn nul_is_found_before_anything_else_in_every_type() {
    for column_type in types() {
        for text in ["\0", "1\0", "P1D\0", "{1\0}", "\\x00\0"] {
            let error = input(&column_type, text, &mut Vec::new()).unwrap_err();
            assert_eq!(error.sqlstate().unwrap().code(), "22021", "{column_type}");
        }
    }
}
