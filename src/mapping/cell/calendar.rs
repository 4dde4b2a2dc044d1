//! Days, times of day and timestamps as PostgreSQL counts them, and their ISO texts.
//!
//! A day is a number of days, a timestamp a number of microseconds since 2000-01-01; a time is a
//! number of microseconds since midnight. An untyped database holds them as PostgreSQL prints
//! them: `2001-02-03 04:05:06.789+00`, years before 1 with ` BC` at the end.

use super::CellRef;
use super::fault::{exactly, malformed, not_readable, unreadable};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::civil::{self, DATES, TIMESTAMPS};
use crate::sqlstate::SqlState;
use std::ops::Range;

pub(super) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(super) const MICROS_PER_DAY: i64 = civil::DAY_MICROSECONDS;
/// 1970-01-01 to 2000-01-01.
#[cfg(any(feature = "jiff", test))]
pub(super) const DAYS_1970_TO_2000: i64 = 10_957;

/// 4714 BC.
const FIRST_YEAR: i32 = -4_713;

/// Makes cells of the types of a crate: for each the column it is, how it becomes a number and how that is packed,
/// and how the number that was read becomes it.
macro_rules! calendar_cells {
    ($($rust:ty = $name:literal: $column:ident, $packed:ident($into:expr), $read:ident($of:expr);)*) => { $(
        impl super::array::Element for $rust {}

        impl super::Cell for $rust {
            fn column_type() -> ColumnType {
                ColumnType::$column
            }

            fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
                let ColumnType::$column = column_type else {
                    return Err(super::fault::not_packable($name, column_type));
                };
                out.extend_from_slice(&$packed($into(*self))?);
                Ok(true)
            }

            #[inline]
            fn pack_sized(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
                if let ColumnType::$column = column_type {
                    super::sized::fixed($packed($into(*self))?, out);
                    return Ok(true);
                }
                super::sized::packed(self, column_type, out)
            }

            #[inline]
            fn unpack(cell: super::CellRef<'_>) -> Result<Self> {
                $of($read(cell, $name)?)
            }
        }
    )* };
}

pub(super) use calendar_cells;

/// A day, packed.
#[inline]
pub(super) fn packed_days(days: i32) -> Result<[u8; 4]> {
    if DATES.contains(&days) { Ok(days.to_be_bytes()) } else { Err(outside(&ColumnType::Date)) }
}

/// A time of day, packed.
#[inline]
pub(super) fn packed_time(micros: i64) -> Result<[u8; 8]> {
    let is_of_day = (0..MICROS_PER_DAY).contains(&micros);
    if is_of_day { Ok(micros.to_be_bytes()) } else { Err(outside(&ColumnType::Time)) }
}

/// A timestamp without time zone, packed; `None` is one that no `i64` holds.
#[inline]
pub(super) fn packed_timestamp(micros: impl Into<Option<i64>>) -> Result<[u8; 8]> {
    packed_micros(micros.into(), &ColumnType::Timestamp)
}

/// A timestamp with time zone, packed; `None` is one that no `i64` holds.
#[inline]
pub(super) fn packed_timestamptz(micros: Option<i64>) -> Result<[u8; 8]> {
    packed_micros(micros, &ColumnType::TimestampTz)
}

#[inline]
fn packed_micros(micros: Option<i64>, column_type: &ColumnType) -> Result<[u8; 8]> {
    let micros = micros.filter(|micros| TIMESTAMPS.contains(micros));
    micros.map(i64::to_be_bytes).ok_or_else(|| outside(column_type))
}

/// Reads a day.
#[inline]
pub(super) fn read_days(cell: CellRef<'_>, rust: &str) -> Result<i32> {
    match cell {
        CellRef::Packed(ty @ ColumnType::Date, bytes) => {
            match i32::from_be_bytes(exactly(ty, bytes)?) {
                i32::MIN | i32::MAX => Err(infinite()),
                days => Ok(days),
            }
        }
        CellRef::Text(text) => Scanner::new(text)?.date_alone().ok_or_else(|| malformed("date")),
        other => Err(not_readable(rust, other)),
    }
}

/// Reads a time of day; 24:00 is one.
pub(super) fn read_time(cell: CellRef<'_>, rust: &str) -> Result<i64> {
    match cell {
        CellRef::Packed(ty @ ColumnType::Time, bytes) => {
            Ok(i64::from_be_bytes(exactly(ty, bytes)?))
        }
        CellRef::Text(text) => Scanner::new(text)?.time_alone().ok_or_else(|| malformed("time")),
        other => Err(not_readable(rust, other)),
    }
}

/// Reads a timestamp without time zone.
pub(super) fn read_timestamp(cell: CellRef<'_>, rust: &str) -> Result<i64> {
    read_micros(cell, &ColumnType::Timestamp, rust)
}

/// Reads a timestamp with time zone.
pub(super) fn read_timestamptz(cell: CellRef<'_>, rust: &str) -> Result<i64> {
    read_micros(cell, &ColumnType::TimestampTz, rust)
}

fn read_micros(cell: CellRef<'_>, wanted: &ColumnType, rust: &str) -> Result<i64> {
    match cell {
        CellRef::Packed(ty, bytes) if ty == wanted => {
            match i64::from_be_bytes(exactly(ty, bytes)?) {
                i64::MIN | i64::MAX => Err(infinite()),
                micros => Ok(micros),
            }
        }
        CellRef::Text(text) => Scanner::new(text)?
            .timestamp_alone(*wanted == ColumnType::TimestampTz)
            .ok_or_else(|| malformed("timestamp")),
        other => Err(not_readable(rust, other)),
    }
}

/// The error for a day or a time that PostgreSQL has and the Rust type has not.
#[cold]
pub(super) fn not_held(rust: &str) -> Error {
    let message = format!("a date or a time is outside the range of {rust}");
    unreadable(message, SqlState::DATETIME_OVERFLOW)
        .with_hint("no date is changed to one that fits: read the column as a text, column::text")
}

#[cold]
fn outside(column_type: &ColumnType) -> Error {
    let message = format!("a date or a time is outside the range of {column_type}");
    Error::new(ErrorKind::Encode, message).with_sqlstate(SqlState::DATETIME_OVERFLOW)
}

#[cold]
fn infinite() -> Error {
    unreadable("infinity is no value of a date or a timestamp here", SqlState::DATETIME_OVERFLOW)
        .with_hint("a field that is a Moment holds infinities; or leave such rows out in the query")
}

/// Reads the texts from left to right; every method returns `None` where the text is none.
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Result<Self> {
        if matches!(text, "infinity" | "-infinity") {
            return Err(infinite());
        }
        Ok(Self(text.as_bytes()))
    }

    fn date_alone(mut self) -> Option<i32> {
        let (year, month, day) = self.date()?;
        self.finish(year, month, day)
    }

    fn time_alone(mut self) -> Option<i64> {
        let micros = self.time()?;
        self.0.is_empty().then_some(micros)
    }

    fn timestamp_alone(mut self, zoned: bool) -> Option<i64> {
        let (year, month, day) = self.date()?;
        if !self.eat(b' ') && !self.eat(b'T') {
            return None;
        }
        let mut micros = self.time()?;
        if zoned {
            micros -= self.offset()?;
        }
        Some(i64::from(self.finish(year, month, day)?) * MICROS_PER_DAY + micros)
    }

    /// The era and the end: only here is it known which year is meant.
    fn finish(&self, year: i32, month: i32, day: i32) -> Option<i32> {
        let year = match self.0 {
            b"" if year > 0 => year,
            b" BC" if year > 0 => 1 - year,
            _ => return None,
        };
        let days = civil::days(year, month, day);
        let there = (1..=civil::month_days(year, month)).contains(&day);
        // Before the first day that is counted the numbers of days are those of other days.
        (there && year >= FIRST_YEAR && DATES.contains(&days)).then_some(days)
    }

    fn date(&mut self) -> Option<(i32, i32, i32)> {
        let year = self.number(4..8)?;
        let month = self.after(b'-')?;
        let day = self.after(b'-')?;
        Some((year as i32, month as i32, day as i32))
    }

    fn time(&mut self) -> Option<i64> {
        let hour = self.number(2..3)?;
        let minute = self.after(b':')?;
        let second = if self.0.first() == Some(&b':') { self.after(b':')? } else { 0 };
        let fraction = if self.eat(b'.') { self.fraction()? } else { 0 };
        let micros = ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + fraction;
        (minute < 60 && second < 60 && micros <= MICROS_PER_DAY).then_some(micros)
    }

    /// The microseconds east of Greenwich.
    fn offset(&mut self) -> Option<i64> {
        if self.eat(b'Z') {
            return Some(0);
        }
        let sign = if self.eat(b'-') { -1 } else { self.eat(b'+').then_some(1)? };
        let mut seconds = self.number(2..3)? * 3_600;
        for unit in [60, 1] {
            if self.0.first() != Some(&b':') {
                break;
            }
            seconds += self.after(b':')? * unit;
        }
        Some(sign * seconds * MICROS_PER_SECOND)
    }

    fn fraction(&mut self) -> Option<i64> {
        let before = self.0.len();
        let digits = self.number(1..7)?;
        let places = before - self.0.len();
        Some(digits * 10_i64.pow(6 - places as u32))
    }

    fn after(&mut self, separator: u8) -> Option<i64> {
        if self.eat(separator) { self.number(2..3) } else { None }
    }

    fn number(&mut self, places: Range<usize>) -> Option<i64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !places.contains(&count) {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.0.first() == Some(&byte);
        if there {
            self.0 = &self.0[1..];
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::text;
    use proptest::prelude::*;

    fn days(text: &str) -> Result<i32> {
        read_days(CellRef::Text(text), "test")
    }

    fn timestamp(text: &str) -> Result<i64> {
        read_timestamptz(CellRef::Text(text), "test")
    }

    proptest! {
        #[test]
        fn what_the_database_prints_is_read(days in DATES, micros in TIMESTAMPS) {
            let zoned = ColumnType::TimestampTz;
            let mut shown = String::new();
            text::output(&ColumnType::Date, &days.to_be_bytes(), &mut shown).unwrap();
            prop_assert_eq!(read_days(CellRef::Text(&shown), "test").unwrap(), days);
            shown.clear();
            text::output(&zoned, &micros.to_be_bytes(), &mut shown).unwrap();
            prop_assert_eq!(timestamp(&shown).unwrap(), micros);
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = (days(&text), timestamp(&text), read_time(CellRef::Text(&text), "test"));
        }
    }

    #[test]
    fn the_texts_of_postgresql_are_the_numbers_of_postgresql() {
        for (text, number) in [
            ("2000-01-01", 0),
            ("1970-01-01", -DAYS_1970_TO_2000 as i32),
            ("2024-02-29", 8_825),
            ("4714-11-24 BC", DATES.start),
            ("0001-12-31 BC", -730_120),
            ("5874897-12-31", DATES.end - 1),
        ] {
            assert_eq!(days(text).unwrap(), number, "{text}");
        }
        assert_eq!(timestamp("2000-01-01 00:00:00+00").unwrap(), 0);
        assert_eq!(timestamp("2000-01-01T05:30:00.25+05:30").unwrap(), 250_000);
        assert_eq!(timestamp("4714-11-24 00:00:00+00 BC").unwrap(), TIMESTAMPS.start);
        assert_eq!(read_time(CellRef::Text("04:05:06.000007"), "test").unwrap(), 14_706_000_007);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "2023-02-29",
            "2024-13-01",
            "2024-1-1",
            "9999-01-01 BC",
            "0000-01-01",
            "24-01-01",
            "",
            "now",
        ] {
            assert_eq!(days(text).unwrap_err().kind(), ErrorKind::Decode, "{text}");
        }
        assert!(timestamp("2024-01-01 00:00:00").is_err(), "without its zone it is no instant");
        assert!(read_time(CellRef::Text("24:00:01"), "test").is_err());
    }

    #[test]
    fn infinity_says_what_it_is() {
        for bytes in [i32::MIN.to_be_bytes(), i32::MAX.to_be_bytes()] {
            let error = read_days(CellRef::Packed(&ColumnType::Date, &bytes), "test").unwrap_err();
            assert!(error.message().contains("infinity"));
        }
        assert!(timestamp("-infinity").unwrap_err().message().contains("infinity"));
    }

    #[test]
    fn what_the_server_does_not_have_is_refused() {
        let error = packed_days(DATES.end).unwrap_err();
        assert_eq!(error.sqlstate(), Some(SqlState::DATETIME_OVERFLOW));
        assert!(packed_timestamptz(Some(i64::MAX)).is_err());
    }
}
