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
    let day = day(moment)?;
    let local =
        i64::from(day).checked_mul(civil::DAY_MICROSECONDS)?.checked_add(moment.microseconds())?;
    // Hours of more than a day are allowed behind `h`, but a time that wraps is found this way.
    if (local < 0 && day > 0) || (local > 0 && day < -1) {
        return None;
    }
    local.checked_add(i64::from(west) * 1_000_000).filter(|value| civil::TIMESTAMPS.contains(value))
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

#[cfg(test)]
mod tests {
    use super::super::{write_date, write_timestamptz, write_timetz};
    use super::*;

    type Read = fn(&str, &mut Vec<u8>) -> Result<()>;
    type Write = fn(&[u8], &mut String) -> Result<()>;

    fn shown(read: Read, write: Write, text: &str) -> std::result::Result<String, String> {
        let mut packed = Vec::new();
        read(text, &mut packed).map_err(|error| error.sqlstate().unwrap().to_string())?;
        let mut out = String::new();
        write(&packed, &mut out).unwrap();
        Ok(out)
    }

    #[test]
    fn dates_are_read_in_their_many_forms() {
        for (text, expected) in [
            ("2026-08-22", Ok("2026-08-22")),
            ("20260822", Ok("2026-08-22")),
            ("8/22/2026", Ok("2026-08-22")),
            ("22 Aug 26", Ok("2026-08-22")),
            ("J2451187", Ok("1999-01-08")),
            ("2026.234", Ok("2026-08-22")),
            ("4714-11-24 BC", Ok("4714-11-24 BC")),
            ("-infinity", Ok("-infinity")),
            ("2023-02-29", Err("22008")),
            ("4714-11-23 BC", Err("22008")),
            ("5874898-01-01", Err("22008")),
            ("tomorrow", Err("22007")),
            ("2026-08", Err("22007")),
        ] {
            let found = shown(read_date, write_date, text);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn zones_move_a_timestamp_to_utc() {
        for (text, expected) in [
            ("2026-08-22 12:00:00.1234565+02", Ok("2026-08-22 10:00:00.123456+00")),
            ("2026-08-22T12:00:00Z", Ok("2026-08-22 12:00:00+00")),
            ("2026-08-22 24:00 PDT", Ok("2026-08-23 07:00:00+00")),
            ("2026-08-22 12:00 UTC+3", Ok("2026-08-22 15:00:00+00")),
            ("2026-08-22 12:00 +16", Err("22009")),
            ("2026-08-22 12:00 Europe/Berlin", Err("22023")),
            ("2026-08-22 12:00 MSK", Err("22007")),
        ] {
            let found = shown(read_timestamptz, write_timestamptz, text);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn a_time_keeps_its_zone() {
        assert_eq!(shown(read_timetz, write_timetz, "04:05 PM -08:30").unwrap(), "16:05:00-08:30");
        assert_eq!(shown(read_timetz, write_timetz, "24:00:00").unwrap(), "24:00:00+00");
    }
}
