//! The types' own ranges, and their packed bytes.

use super::super::civil;
use super::Fault;
use super::clock::TimeOnly;
use super::fields::Fields;
use super::iso;
use super::moment::Moment;
use super::whole::{Meaning, Whole};
use crate::error::Result;

/// PostgreSQL's work space for the fields of a date or a time, in bytes.
const DATE_ROOM: usize = 129;
/// That for the fields of a timestamp.
const TIMESTAMP_ROOM: usize = 153;

pub(in super::super) fn read_date(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let days = match iso::date(text.as_bytes()) {
        Some(days) => days,
        None => date(text.as_bytes()).map_err(|fault| fault.error("not a date"))?,
    };
    out.extend_from_slice(&days.to_be_bytes());
    Ok(())
}

fn date(text: &[u8]) -> Result<i32, Fault> {
    let whole = Whole::decode(&Fields::cut(text, DATE_ROOM)?)?;
    match whole.meaning {
        Meaning::Moment => {
            day(&whole.moment).filter(|day| civil::DATES.contains(day)).ok_or(Fault::Range)
        }
        Meaning::Epoch => Ok(civil::days(1970, 1, 1)),
        Meaning::Infinity => Ok(i32::MAX),
        Meaning::MinusInfinity => Ok(i32::MIN),
    }
}

fn day(moment: &Moment) -> Option<i32> {
    civil::is_countable(moment.year, moment.month)
        .then(|| civil::days(moment.year, moment.month, moment.day))
}

pub(in super::super) fn read_timestamp(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let value = match iso::timestamp(text.as_bytes()) {
        Some((value, _)) => value,
        None => {
            timestamp(text.as_bytes(), false).map_err(|fault| fault.error("not a timestamp"))?
        }
    };
    out.extend_from_slice(&value.to_be_bytes());
    Ok(())
}

pub(in super::super) fn read_timestamptz(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let value = match iso::timestamp(text.as_bytes()) {
        Some((value, west)) => value + i64::from(west) * 1_000_000,
        None => timestamp(text.as_bytes(), true).map_err(|fault| fault.error("not a timestamp"))?,
    };
    out.extend_from_slice(&value.to_be_bytes());
    Ok(())
}

fn timestamp(text: &[u8], with_zone: bool) -> Result<i64, Fault> {
    let whole = Whole::decode(&Fields::cut(text, TIMESTAMP_ROOM)?)?;
    match whole.meaning {
        Meaning::Moment => {
            let west = if with_zone { whole.moment.zone } else { 0 };
            moment(&whole.moment, west).ok_or(Fault::Range)
        }
        Meaning::Epoch => Ok(i64::from(civil::days(1970, 1, 1)) * civil::DAY_MICROSECONDS),
        Meaning::Infinity => Ok(i64::MAX),
        Meaning::MinusInfinity => Ok(i64::MIN),
    }
}

fn moment(moment: &Moment, west: i32) -> Option<i64> {
    i64::from(day(moment)?)
        .checked_mul(civil::DAY_MICROSECONDS)?
        .checked_add(moment.microseconds())?
        .checked_add(i64::from(west) * 1_000_000)
        .filter(|value| civil::TIMESTAMPS.contains(value))
}

pub(in super::super) fn read_time(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let (value, _) = time(text.as_bytes()).map_err(|fault| fault.error("not a time"))?;
    out.extend_from_slice(&value.to_be_bytes());
    Ok(())
}

pub(in super::super) fn read_timetz(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let (value, west) = time(text.as_bytes()).map_err(|fault| fault.error("not a time"))?;
    out.extend_from_slice(&value.to_be_bytes());
    out.extend_from_slice(&west.to_be_bytes());
    Ok(())
}

fn time(text: &[u8]) -> Result<(i64, i32), Fault> {
    if let Some((value, [])) = iso::time(text) {
        return Ok((value, 0));
    }
    let moment = TimeOnly::decode(&Fields::cut(text, DATE_ROOM)?)?.moment;
    Ok((moment.microseconds(), moment.zone))
}
