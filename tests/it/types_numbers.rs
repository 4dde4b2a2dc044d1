//! Numbers: whole ones, floating point ones, decimal ones of any length.

use crate::support::round_trip::Journey;
use proptest::prelude::*;
use rowmill::{Cell, CellRef, ColumnType, ErrorKind, Numeric, Rows, SqlState};
use rust_decimal::Decimal;
use std::cmp::Ordering;

fn numbers(texts: &[&str]) -> Vec<Numeric> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// As `==`, and with as many decimal places.
fn shown_alike(back: &Numeric, sent: &Numeric) -> bool {
    back == sent && back.to_string() == sent.to_string()
}

#[test]
fn truth_values_come_back() {
    Journey::new(vec![true, false]).run(&any::<bool>());
}

#[test]
fn whole_numbers_come_back_with_their_edges() {
    Journey::new(vec![i16::MIN, -1, 0, 1, i16::MAX]).run(&any::<i16>());
    Journey::new(vec![i32::MIN, -1, 0, 1, i32::MAX]).run(&any::<i32>());
    Journey::new(vec![i64::MIN, -1, 0, 1, i64::MAX]).run(&any::<i64>());
    Journey::through("bigint", vec![i16::MIN, i16::MAX]).run(&any::<i16>());
    Journey::through("numeric", vec![i64::MIN, 0, 10_000, i64::MAX]).run(&any::<i64>());
}

/// SQLite has one zero: there -0.0 comes back as 0.0, which equals it.
#[test]
fn floating_point_numbers_come_back_bit_by_bit() {
    let single = vec![
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -0.0,
        f32::MIN,
        f32::MAX,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        0.1,
        16_777_217.0,
    ];
    let same = |one: &f32, other: &f32| {
        one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
    };
    let any_single = any::<u32>().prop_map(f32::from_bits);
    Journey::compared(single.clone(), same).run_in_column(&any_single);
    Journey::compared(single, |one, other| {
        one.partial_cmp(other) == Some(Ordering::Equal) || (one.is_nan() && other.is_nan())
    })
    .run(&any_single);
    let double = vec![
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        0.1,
        9_007_199_254_740_993.0,
    ];
    let same = |one: &f64, other: &f64| {
        one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
    };
    let any_double = any::<u64>().prop_map(f64::from_bits);
    Journey::compared(double.clone(), same).run_in_column(&any_double);
    Journey::compared(double, |one, other| {
        one.partial_cmp(other) == Some(Ordering::Equal) || (one.is_nan() && other.is_nan())
    })
    .run(&any_double);
}

#[test]
fn decimals_come_back() {
    let decimal = (any::<i64>(), any::<u32>(), 0..=28_u32).prop_map(|(high, low, scale)| {
        Decimal::from_i128_with_scale((i128::from(high) << 31) | i128::from(low >> 1), scale)
    });
    let edges = vec![Decimal::MIN, Decimal::MAX, Decimal::ZERO, Decimal::new(1, 28)];
    Journey::new(edges).run(&decimal);
}

#[test]
fn numerics_of_any_length_come_back_with_their_decimal_places() {
    let longest = format!("-{}.{}", "9".repeat(131_072), "9".repeat(16_383));
    let least = format!("0.{}1", "0".repeat(16_382));
    let mut edges = numbers(&[
        "NaN",
        "Infinity",
        "-Infinity",
        "0",
        "0.00",
        "-1",
        "1.50",
        "10000",
        "0.0001",
        "99999999",
        "123456789012345678901234567890.123456789012345678901234567890",
        "1e131071",
        "1e-16383",
    ]);
    edges.extend(numbers(&[&longest, &least]));
    let number = "-?[0-9]{1,60}(\\.[0-9]{1,60})?".prop_map(|text| text.parse().unwrap());
    Journey::compared(edges, shown_alike).run(&number);
}

#[test]
fn a_numeric_is_rounded_to_the_scale_of_its_column_and_refused_beyond_its_precision() {
    let rounded = |text: &str| {
        let column_type = ColumnType::Numeric(Some((40, 2)));
        let mut packed = Vec::new();
        numbers(&[text])[0].pack(&column_type, &mut packed)?;
        Numeric::unpack(CellRef::Packed(&column_type, &packed))
    };
    assert_eq!(
        rounded("12345678901234567890123456789012.345").unwrap().to_string(),
        "12345678901234567890123456789012.35"
    );
    for text in ["1e39", "Infinity"] {
        let error = rounded(text).unwrap_err();
        assert_eq!(error.sqlstate(), Some(SqlState::NUMERIC_OUT_OF_RANGE));
        assert!(error.is_data(), "the row is at fault");
    }
    let mut rows = Rows::new(1);
    let error = rows.begin().cell(&Numeric::nan(), &ColumnType::Int8).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
}

#[test]
fn a_decimal_that_is_too_short_says_what_is_long_enough() {
    let column_type = ColumnType::Numeric(None);
    for text in ["NaN", "123456789012345678901234567890.5"] {
        let mut packed = Vec::new();
        numbers(&[text])[0].pack(&column_type, &mut packed).unwrap();
        let error = <Decimal as Cell>::unpack(CellRef::Packed(&column_type, &packed)).unwrap_err();
        assert!(error.to_string().contains("a Numeric holds"), "{error}");
    }
}
