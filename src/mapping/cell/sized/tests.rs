//! What is written at once is what is written step by step.

use super::*;
use proptest::prelude::*;

/// A field, or the SQLSTATE of the refusal.
type Written = std::result::Result<Vec<u8>, Option<String>>;

fn outcome(write: impl FnOnce(&mut Vec<u8>) -> Result<bool>) -> Written {
    let mut out = b"before".to_vec();
    match write(&mut out) {
        Ok(_) => Ok(out),
        Err(error) => Err(error.sqlstate().map(|state| state.code().to_owned())),
    }
}

fn same<T: Cell>(value: &T, types: &[&str]) {
    for sql in types {
        let column_type = ColumnType::parse(sql).unwrap();
        let fast = outcome(|out| value.pack_sized(&column_type, out));
        let slow = outcome(|out| packed(value, &column_type, out));
        assert_eq!(fast, slow, "{sql}");
    }
}

const NUMBERS: [&str; 9] = [
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric",
    "numeric(5,2)",
    "text",
    "inet",
];
const TEXTS: [&str; 11] = [
    "text",
    "varchar",
    "varchar(5)",
    "char(1)",
    "char(9)",
    "char(80)",
    "json",
    "jsonb",
    "inet",
    "bigint",
    "bytea",
];

proptest! {
    #[test]
    fn numbers_are_the_same_either_way(long: i64, short: i16, float: f64, narrow: f32) {
        for by in [0, 20, 40, 56] {
            same(&(long >> by), &NUMBERS);
            same(&((long >> by) as i32), &NUMBERS);
        }
        same(&short, &NUMBERS);
        same(&float, &NUMBERS);
        same(&f64::from(narrow), &NUMBERS);
        same(&narrow, &NUMBERS);
        same(&Some(long), &NUMBERS);
    }

    #[test]
    fn texts_are_the_same_either_way(text in "[ -~]{0,70}|[a\u{e9}\0 ]{0,12}") {
        same(&text, &TEXTS);
        same(&Some(text.clone()), &TEXTS);
        same(&text.into_bytes(), &TEXTS);
    }
}

#[test]
fn nothing_is_null_and_truth_values_are_bytes() {
    same(&None::<i64>, &NUMBERS);
    same(&None::<String>, &TEXTS);
    for value in [true, false] {
        same(&value, &["boolean", "bigint", "text"]);
    }
}

#[cfg(feature = "uuid")]
#[test]
fn a_uuid_is_the_same_either_way() {
    same(&::uuid::Uuid::from_u128(7 << 100), &["uuid", "text"]);
}

#[cfg(feature = "rust_decimal")]
mod decimals {
    use super::*;
    use crate::mapping::cell::CellRef;
    use crate::mapping::cell::numeric;
    use ::rust_decimal::Decimal;

    #[test]
    fn decimals_at_the_edge_of_a_digit_are_the_same_either_way() {
        for edge in [10_000, 100_000_000, 1_000_000_000_000, 10_000_000_000_000] {
            for mantissa in edge - 1..=edge + 1 {
                for scale in 0..9 {
                    same(&Decimal::new(mantissa, scale), &["numeric", "numeric(15,2)"]);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn decimals_are_the_same_either_way(
            mantissa in -(1_i128 << 95)..1 << 95, shift in 0..96_u32, scale in 0..29_u32,
            precision in 1..40_u16, places in -5..30_i16,
        ) {
            let value = Decimal::from_i128_with_scale(mantissa >> shift, scale);
            let limited = format!("numeric({precision},{places})");
            same(&value, &["numeric", "numeric(15,2)", &limited, "text", "bigint"]);
        }

        #[test]
        fn a_packed_number_is_the_same_decimal_either_way(
            groups in proptest::collection::vec(0..10_000_u16, 0..6),
            weight in -4..6_i16, sign in 0..3_u16, shown in 0..12_u16,
        ) {
            let sign = [0, 0x4000, 0xC000][usize::from(sign)];
            let head = [groups.len() as u16, weight as u16, sign, shown];
            let bytes: Vec<_> = head.iter().chain(&groups).flat_map(|part| part.to_be_bytes()).collect();
            let numeric = ColumnType::Numeric(None);
            let read = <Decimal as Cell>::unpack(CellRef::Packed(&numeric, &bytes)).ok();
            let slow = numeric::unpack(&bytes).ok().and_then(|scaled| {
                let mantissa = i128::try_from(scaled.coefficient).ok()?;
                let mantissa = if scaled.negative { -mantissa } else { mantissa };
                let scale = u32::try_from(scaled.scale).ok()?;
                Decimal::try_from_i128_with_scale(mantissa, scale).ok()
            });
            if let Some(slow) = slow {
                let read = read.unwrap();
                prop_assert_eq!((read.mantissa(), read.scale()), (slow.mantissa(), slow.scale()));
            }
        }
    }
}

#[cfg(feature = "chrono")]
mod dates {
    use super::*;
    use ::chrono::{DateTime, NaiveDate};

    const TIMES: [&str; 6] = ["date", "time", "timestamp", "timestamptz", "text", "bigint"];

    proptest! {
        #[test]
        fn dates_are_the_same_either_way(days: i32, seconds in -8_000_000_000_000_i64..8_000_000_000_000) {
            if let Some(date) = NaiveDate::from_epoch_days(days) {
                same(&date, &TIMES);
            }
            let instant = DateTime::from_timestamp(seconds, 0).unwrap();
            same(&instant, &TIMES);
            same(&instant.naive_utc(), &TIMES);
            same(&instant.naive_utc().time(), &TIMES);
        }
    }
}

#[cfg(feature = "jiff")]
#[test]
fn dates_of_jiff_are_the_same_either_way() {
    use ::jiff::civil::{DateTime, Time};
    use ::jiff::{Timestamp, ToSpan as _};
    const TIMES: [&str; 6] = ["date", "time", "timestamp", "timestamptz", "text", "bigint"];
    for years in (-9_998..9_998).step_by(7) {
        let civil = DateTime::constant(1, 2, 3, 4, 5, 6, 7_000).saturating_add(years.years());
        same(&civil, &TIMES);
        same(&civil.date(), &TIMES);
    }
    same(&Time::MAX, &TIMES);
    same(&Timestamp::MIN, &TIMES);
    same(&Timestamp::MAX, &TIMES);
}
