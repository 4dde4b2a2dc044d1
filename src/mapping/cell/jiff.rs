//! `jiff`: `civil::Date`, `civil::Time`, `civil::DateTime` and `Timestamp`.
//!
//! Nanoseconds are cut off to the microseconds that PostgreSQL keeps.

use super::array::Element;
use super::calendar::{
    DAYS_1970_TO_2000, MICROS_PER_DAY, MICROS_PER_SECOND, not_held, pack_days, pack_time,
    pack_timestamp, read_days, read_time, read_timestamp,
};
use super::{Cell, CellRef};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::civil;
use ::jiff::Timestamp;
use ::jiff::civil::{Date, DateTime, Time};

impl Element for Date {}
impl Element for Time {}
impl Element for DateTime {}
impl Element for Timestamp {}

impl Cell for Date {
    fn column_type() -> ColumnType {
        ColumnType::Date
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        pack_days(days(*self), column_type, "Date", out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        date(read_days(cell, "Date")?)
    }
}

impl Cell for Time {
    fn column_type() -> ColumnType {
        ColumnType::Time
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        pack_time(micros(*self), column_type, "Time", out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        time(read_time(cell, "Time")?)
    }
}

impl Cell for DateTime {
    fn column_type() -> ColumnType {
        ColumnType::Timestamp
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        let since_2000 = i64::from(days(self.date())) * MICROS_PER_DAY + micros(self.time());
        pack_timestamp(Some(since_2000), &ColumnType::Timestamp, column_type, "DateTime", out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        let since_2000 = read_timestamp(cell, &ColumnType::Timestamp, "DateTime")?;
        let date = date(since_2000.div_euclid(MICROS_PER_DAY) as i32)?;
        Ok(Self::from_parts(date, time(since_2000.rem_euclid(MICROS_PER_DAY))?))
    }
}

impl Cell for Timestamp {
    fn column_type() -> ColumnType {
        ColumnType::TimestampTz
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        // Downwards also before 1970, where `as_microsecond` would cut towards it.
        let since_1970 = self.as_nanosecond().div_euclid(1_000);
        let since_2000 = since_1970 - i128::from(DAYS_1970_TO_2000 * MICROS_PER_DAY);
        let since_2000 = i64::try_from(since_2000).ok();
        pack_timestamp(since_2000, &ColumnType::TimestampTz, column_type, "Timestamp", out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        read_timestamp(cell, &ColumnType::TimestampTz, "Timestamp")?
            .checked_add(DAYS_1970_TO_2000 * MICROS_PER_DAY)
            .and_then(|since_1970| Self::from_microsecond(since_1970).ok())
            .ok_or_else(|| not_held("Timestamp"))
    }
}

/// Years before -4800 get days that are not theirs, but none that a `date` can be.
fn days(date: Date) -> i32 {
    civil::days(date.year().into(), date.month().into(), date.day().into())
}

fn date(days: i32) -> Result<Date> {
    let (year, month, day) = civil::date(days);
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

#[cfg(test)]
mod tests {
    use super::*;
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
