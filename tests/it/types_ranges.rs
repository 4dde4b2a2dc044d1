//! Ranges and multiranges.

use crate::support::round_trip::Journey;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use proptest::prelude::*;
use rowmill::{Moment, Multirange, Numeric, Range};
use std::ops::Bound;

/// Ranges of the bounds that `value` makes, of which the lower is not above the upper.
fn range<T: Ord + Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Range<T>> + Clone {
    let bound = |value: T, kind: u8| match kind {
        0 => Bound::Unbounded,
        1 => Bound::Excluded(value),
        _ => Bound::Included(value),
    };
    (value.clone(), value, 0..3_u8, 0..3_u8).prop_map(move |(one, other, lower, upper)| {
        if one == other {
            return Range::Empty;
        }
        let (least, most) = if one < other { (one, other) } else { (other, one) };
        Range::new(bound(least, lower), bound(most, upper))
    })
}

/// A range of whole numbers in the one form that the server keeps.
fn canonical(range: Range<i64>) -> Range<i64> {
    let Some((lower, upper)) = range.bounds() else { return Range::Empty };
    let lower = match lower {
        Bound::Excluded(value) => Bound::Included(value + 1),
        other => other.cloned(),
    };
    let upper = match upper {
        Bound::Included(value) => Bound::Excluded(value + 1),
        other => other.cloned(),
    };
    match (lower, upper) {
        (Bound::Included(least), Bound::Excluded(most)) if least >= most => Range::Empty,
        (lower, upper) => Range::new(lower, upper),
    }
}

/// The same set, whoever of the two was brought into the server's form.
fn same_set(back: &Range<i64>, sent: &Range<i64>) -> bool {
    canonical(*back) == canonical(*sent)
}

#[test]
fn ranges_of_whole_numbers_come_back() {
    let edges = vec![
        Range::Empty,
        Range::all(),
        Range::from(i64::MIN..i64::MAX),
        Range::from(i64::MIN..),
        Range::from(..=0),
        Range::from(3..=3),
        Range::new(Bound::Excluded(1), Bound::Included(5)),
    ];
    Journey::compared(edges, same_set).run(&range(-1_000..1_000_i64));
    let edges = vec![Range::Empty, Range::all(), Range::from(i32::MIN..i32::MAX), Range::from(1..)];
    let canonical = (any::<i32>(), any::<i32>()).prop_map(|(one, other)| {
        if one == other { Range::Empty } else { Range::from(one.min(other)..one.max(other)) }
    });
    Journey::new(edges).run(&canonical);
}

#[test]
fn ranges_of_decimal_numbers_come_back() {
    let number = |text: &str| text.parse::<Numeric>().unwrap();
    let edges = vec![
        Range::Empty,
        Range::all(),
        Range::new(Bound::Excluded(number("-1e40")), Bound::Included(number("1e40"))),
        Range::from(number("-Infinity")..number("Infinity")),
        Range::from(..number("NaN")),
    ];
    let number = "-?[0-9]{1,30}(\\.[0-9]{1,5})?".prop_map(|text| text.parse::<Numeric>().unwrap());
    Journey::new(edges).run(&range(number));
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> + Clone {
    (-60_000_000_000_000_000..60_000_000_000_000_000_i64)
        .prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
}

#[test]
fn ranges_of_days_and_timestamps_come_back() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let edges = vec![
        Range::Empty,
        Range::from(Moment::from(day("2024-02-29"))..Moment::Infinity),
        Range::new(Bound::Unbounded, Bound::Excluded(Moment::from(day("1970-01-01")))),
        Range::new(Bound::Excluded(Moment::NegativeInfinity), Bound::Unbounded),
    ];
    let days = (instant(), 1..1_000_i64).prop_map(|(instant, length)| {
        let first = instant.date_naive();
        Range::from(Moment::from(first)..Moment::from(first + chrono::TimeDelta::days(length)))
    });
    Journey::new(edges).run(&days);
    Journey::new(vec![Range::all()]).run(&range(instant()));
    Journey::new(vec![Range::<NaiveDateTime>::Empty])
        .run(&range(instant().prop_map(|at| at.naive_utc())));
    let stamp = (-200_000_000_000..200_000_000_000_i64)
        .prop_map(|second| jiff::Timestamp::from_second(second).unwrap());
    Journey::new(vec![Range::Empty]).run(&range(stamp));
}

#[test]
fn ranges_that_the_database_made_for_itself_come_back() {
    // A subtype without a form of its own, so that every bound comes back as it is.
    Journey::through("spell", vec![Range::Empty, Range::all(), Range::from(1..=2_i64)])
        .after("create type spell as range (subtype = bigint)")
        .run(&range(any::<i64>()));
}

#[test]
fn multiranges_come_back() {
    let edges = vec![
        Multirange(vec![]),
        Multirange(vec![Range::all()]),
        Multirange(vec![Range::from(i64::MIN..0), Range::from(5..9), Range::from(10..)]),
    ];
    // Apart from each other, and in order.
    let ranges = prop::collection::vec(1..1_000_i64, 0..6).prop_map(|steps| {
        let mut start = 0;
        let next = |step: i64| {
            start += 2 * step;
            Range::from(start - step..start)
        };
        Multirange(steps.into_iter().map(next).collect())
    });
    Journey::new(edges).run(&ranges);
    let number = |text: &str| text.parse::<Numeric>().unwrap();
    let edges = vec![Multirange(vec![Range::from(number("0.5")..=number("1e30"))])];
    Journey::new(edges.clone()).run(&Just(edges[0].clone()));
}
