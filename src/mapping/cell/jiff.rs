//! `jiff`: `civil::Date`, `civil::Time`, `civil::DateTime` and `Timestamp`.
//!
//! Nanoseconds are cut off to the microseconds that PostgreSQL keeps.

use super::calendar::{
    DAYS_1970_TO_2000, MICROS_PER_DAY, MICROS_PER_SECOND, calendar_cells, not_held, packed_days,
    packed_time, packed_timestamp, packed_timestamptz, read_days, read_time, read_timestamp,
    read_timestamptz,
};
use super::values::Temporal;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::civil as calendar;
use ::jiff::Timestamp;
use ::jiff::civil::{Date, DateTime, Time};

calendar_cells! {
    Date = "Date": Date, packed_days(days), read_days(date);
    Time = "Time": Time, packed_time(micros), read_time(time);
    DateTime = "DateTime": Timestamp, packed_timestamp(civil), read_timestamp(of_civil);
    Timestamp = "Timestamp": TimestampTz, packed_timestamptz(instant), read_timestamptz(of_instant);
}

impl Temporal for Date {}
impl Temporal for DateTime {}
impl Temporal for Timestamp {}

/// Years before -4800 get days that are not theirs, but none that a `date` can be.
fn days(date: Date) -> i32 {
    calendar::days(date.year().into(), date.month().into(), date.day().into())
}

fn date(days: i32) -> Result<Date> {
    let (year, month, day) = calendar::date(days);
    let year = i16::try_from(year).map_err(|_| not_held("Date"))?;
    Date::new(year, month as i8, day as i8).map_err(|_| not_held("Date"))
}

fn micros(time: Time) -> i64 {
    let minutes = i64::from(time.hour()) * 60 + i64::from(time.minute());
    (minutes * 60 + i64::from(time.second())) * MICROS_PER_SECOND
        + i64::from(time.subsec_nanosecond()) / 1_000
}

fn time(micros: i64) -> Result<Time> {
    let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    let hour = i8::try_from(seconds / 3_600).map_err(|_| not_held("Time"))?;
    let (minute, second) = ((seconds / 60 % 60) as i8, (seconds % 60) as i8);
    Time::new(hour, minute, second, (fraction * 1_000) as i32).map_err(|_| not_held("Time"))
}

fn civil(civil: DateTime) -> i64 {
    i64::from(days(civil.date())) * MICROS_PER_DAY + micros(civil.time())
}

fn of_civil(since_2000: i64) -> Result<DateTime> {
    let date = date(since_2000.div_euclid(MICROS_PER_DAY) as i32)?;
    Ok(DateTime::from_parts(date, time(since_2000.rem_euclid(MICROS_PER_DAY))?))
}

fn instant(instant: Timestamp) -> Option<i64> {
    // Downwards also before 1970, where `as_microsecond` would cut towards it.
    let since_1970 = instant.as_nanosecond().div_euclid(1_000);
    i64::try_from(since_1970 - i128::from(DAYS_1970_TO_2000 * MICROS_PER_DAY)).ok()
}

fn of_instant(since_2000: i64) -> Result<Timestamp> {
    since_2000
        .checked_add(DAYS_1970_TO_2000 * MICROS_PER_DAY)
        .and_then(|since_1970| Timestamp::from_microsecond(since_1970).ok())
        .ok_or_else(|| not_held("Timestamp"))
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
        fn every_instant_comes_back(since_1970 in -200_000_000_000_000_000_i64..253_402_207_200_000_000) {
            let instant = Timestamp::from_microsecond(since_1970.max(-210_000_000_000_000_000)).unwrap();
            prop_assert_eq!(round_trip(&instant).unwrap(), instant);
            let civil = instant.to_zoned(::jiff::tz::TimeZone::UTC).datetime();
            prop_assert_eq!(round_trip(&civil).unwrap(), civil);
            prop_assert_eq!(round_trip(&civil.date()).unwrap(), civil.date());
            prop_assert_eq!(round_trip(&civil.time()).unwrap(), civil.time());
        }
    }

    #[test]
    fn nanoseconds_are_cut_off_downwards() {
        let instant = Timestamp::from_nanosecond(-1).unwrap();
        assert_eq!(round_trip(&instant).unwrap().as_nanosecond(), -1_000);
    }

    #[test]
    fn the_edges_are_refused_and_not_changed() {
        assert!(round_trip(&Date::MIN).is_err(), "before 4714 BC");
        assert_eq!(round_trip(&Date::MAX).unwrap(), Date::MAX);
        assert!(Date::unpack(CellRef::Text("10000-01-01")).is_err());
        assert!(Time::unpack(CellRef::Text("24:00:00")).is_err());
        assert!(Timestamp::unpack(CellRef::Packed(&ColumnType::Timestamp, &[0; 8])).is_err());
        assert!(Timestamp::now().pack(&ColumnType::Timestamp, &mut Vec::new()).is_err());
    }
}
