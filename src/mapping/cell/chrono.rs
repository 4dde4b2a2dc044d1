//! `chrono`: `NaiveDate`, `NaiveTime`, `NaiveDateTime` and `DateTime<Utc>`.
//!
//! Nanoseconds are cut off to the microseconds that PostgreSQL keeps. A leap second is the first
//! of the next minute in a timestamp, and refused in a time of day at midnight.

use super::calendar::{
    MICROS_PER_DAY, MICROS_PER_SECOND, calendar_cells, not_held, packed_days, packed_time,
    packed_timestamp, packed_timestamptz, read_days, read_time, read_timestamp, read_timestamptz,
};
use super::values::Temporal;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use ::chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

/// From the first day of the common era to 2000-01-01.
const DAYS_TO_2000: i32 = 730_120;

calendar_cells! {
    NaiveDate = "NaiveDate": Date, packed_days(days), read_days(date);
    NaiveTime = "NaiveTime": Time, packed_time(micros), read_time(time);
    NaiveDateTime = "NaiveDateTime": Timestamp, packed_timestamp(civil), read_timestamp(of_civil);
    DateTime<Utc> = "DateTime<Utc>": TimestampTz, packed_timestamptz(instant),
        read_timestamptz(of_instant);
}

impl Temporal for NaiveDate {}
impl Temporal for NaiveDateTime {}
impl Temporal for DateTime<Utc> {}

#[inline]
fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - DAYS_TO_2000
}

#[inline]
fn date(days: i32) -> Result<NaiveDate> {
    days.checked_add(DAYS_TO_2000).and_then(date_of_ce).ok_or_else(|| not_held("NaiveDate"))
}

/// What is below that, in days of the common era, is computed in 32 bits without a sign, which is a third faster
/// than `chrono` does it for all that it has.
const SMALL: u32 = 1 << 26;

/// Of day 1 of the common era, 0001-01-01, and so on. Centuries and years that begin in January have
/// their leap day at the end: of four times the days that are over, the quotient counts what is over.
/// Source: C. Neri and L. Schneider, "Euclidean affine functions and their application to calendar
/// algorithms", Software: Practice and Experience 53 (2023).
#[inline]
fn date_of_ce(day: i32) -> Option<NaiveDate> {
    let over = day.wrapping_sub(1).cast_unsigned();
    if over >= SMALL {
        return NaiveDate::from_num_days_from_ce_opt(day);
    }
    let centuries = (4 * over + 3) / 146_097;
    let of_century = over - 146_097 * centuries / 4;
    let years = (4 * of_century + 3) / 1_461;
    let of_year = of_century - 1_461 * years / 4;
    NaiveDate::from_yo_opt((100 * centuries + years + 1).cast_signed(), of_year + 1)
}

fn micros(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * MICROS_PER_SECOND
        + i64::from(time.nanosecond()) / 1_000
}

fn time(micros: i64) -> Result<NaiveTime> {
    let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    u32::try_from(seconds)
        .ok()
        .and_then(|seconds| {
            NaiveTime::from_num_seconds_from_midnight_opt(seconds, fraction as u32 * 1_000)
        })
        .ok_or_else(|| not_held("NaiveTime"))
}

fn civil(civil: NaiveDateTime) -> Option<i64> {
    i64::from(days(civil.date())).checked_mul(MICROS_PER_DAY)?.checked_add(micros(civil.time()))
}

fn of_civil(since_2000: i64) -> Result<NaiveDateTime> {
    let date = date(since_2000.div_euclid(MICROS_PER_DAY) as i32)?;
    Ok(date.and_time(time(since_2000.rem_euclid(MICROS_PER_DAY))?))
}

fn instant(instant: DateTime<Utc>) -> Option<i64> {
    civil(instant.naive_utc())
}

fn of_instant(since_2000: i64) -> Result<DateTime<Utc>> {
    of_civil(since_2000).map(|civil| civil.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::cell::{Cell, CellRef};
    use proptest::prelude::*;

    fn round_trip<T: Cell>(value: &T) -> Result<T> {
        let mut out = Vec::new();
        value.pack(&T::column_type(), &mut out)?;
        T::unpack(CellRef::Packed(&T::column_type(), &out))
    }

    proptest! {
        #[test]
        fn every_instant_comes_back(since_1970 in -200_000_000_000_000_000_i64..8_000_000_000_000_000_000) {
            let instant = DateTime::from_timestamp_micros(since_1970).unwrap();
            prop_assert_eq!(round_trip(&instant).unwrap(), instant);
            let civil = instant.naive_utc();
            prop_assert_eq!(round_trip(&civil).unwrap(), civil);
            prop_assert_eq!(round_trip(&civil.date()).unwrap(), civil.date());
            prop_assert_eq!(round_trip(&civil.time()).unwrap(), civil.time());
        }
    }

    #[test]
    fn the_texts_of_postgresql_are_read() {
        let instant = DateTime::<Utc>::unpack(CellRef::Text("2001-02-03 04:05:06.789+00")).unwrap();
        assert_eq!(instant.to_rfc3339(), "2001-02-03T04:05:06.789+00:00");
        let before = NaiveDate::unpack(CellRef::Text("0044-03-15 BC")).unwrap();
        assert_eq!(before, NaiveDate::from_ymd_opt(-43, 3, 15).unwrap());
    }

    #[test]
    fn each_day_of_ten_thousand_years_is_the_one_of_chrono() {
        let bounds = [SMALL.cast_signed(), i32::MIN + 1, i32::MAX, 0];
        let around =
            bounds.into_iter().flat_map(|day| day.saturating_sub(2)..=day.saturating_add(2));
        for day in (-1_000..3_652_500).chain(around) {
            assert_eq!(date_of_ce(day), NaiveDate::from_num_days_from_ce_opt(day), "{day}");
        }
    }

    #[test]
    fn the_edges_are_refused_and_not_changed() {
        assert!(round_trip(&NaiveDate::MIN).is_err());
        assert_eq!(round_trip(&NaiveDate::MAX).unwrap(), NaiveDate::MAX);
        assert!(NaiveDate::unpack(CellRef::Text("5874897-12-31")).is_err());
        assert!(NaiveTime::unpack(CellRef::Text("24:00:00")).is_err());
    }
}
