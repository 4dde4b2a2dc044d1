//! Dates, times, timestamps and intervals, as PostgreSQL's parser takes them with `DateStyle`
//! `ISO, MDY` and the session time zone UTC.
//!
//! - `iso`:      the forms that nearly every file has, read without detours
//! - `fields`:   a text cut into fields: numbers, words, dates, times, zones
//! - `words`:    the words of dates and of intervals
//! - `zones`:    abbreviations and names of time zones
//! - `moment`:   a date and time under way, and its single parts
//! - `date_parts`: a date with delimiters cut into its numbers and words
//! - `numerals`: the numbers in them: clocks, offsets, fractions
//! - `whole`:    fields to a date with a time
//! - `clock`:    fields to a time without a date
//! - `interval`: fields to an interval
//! - `designators`: `P1Y2M3DT4H5M6S`
//! - `read`:     the types' own ranges, and their packed bytes
//! - `write`:    packed bytes to text

mod clock;
mod date_parts;
mod designators;
mod fields;
mod interval;
mod iso;
mod moment;
mod numerals;
mod read;
mod whole;
mod words;
mod write;
mod zones;

pub(super) use interval::{read_interval, write_interval};
pub(super) use read::{read_date, read_time, read_timestamp, read_timestamptz, read_timetz};
pub(super) use write::{write_date, write_time, write_timestamp, write_timestamptz, write_timetz};

use super::fault;
use crate::error::Error;

/// Why a text is no date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Format,
    Range,
    IntervalRange,
    ZoneDisplacement,
    /// `now`, `today`, `tomorrow`, `yesterday`.
    Relative,
    /// A name of a time zone with rules of its own, or of none.
    ZoneName,
    /// An abbreviation whose offset has changed over time.
    MovingZone,
}

impl Fault {
    #[cold]
    fn error(self, what: &'static str) -> Error {
        match self {
            Self::Format => fault::refused(fault::INVALID_DATETIME, what),
            Self::Range => {
                fault::refused(fault::DATETIME_OVERFLOW, "a date or time out of its range")
                    .with_hint("dates are read as year-month-day or month/day/year")
            }
            Self::IntervalRange => {
                fault::refused(fault::INTERVAL_OVERFLOW, "a part of an interval out of its range")
            }
            Self::ZoneDisplacement => {
                fault::refused(fault::ZONE_DISPLACEMENT, "a time zone offset out of its range")
            }
            Self::Relative => {
                fault::refused(fault::INVALID_DATETIME, "a word that means another time every day")
                    .with_hint("write the date itself: a restart must read the same value")
            }
            Self::ZoneName => fault::refused(fault::INVALID_PARAMETER, "a name of a time zone")
                .with_hint("write its offset, like +02:00"),
            Self::MovingZone => fault::refused(
                fault::INVALID_DATETIME,
                "an abbreviation of a time zone whose offset has changed over time",
            )
            .with_hint("write its offset, like +02:00"),
        }
    }
}
