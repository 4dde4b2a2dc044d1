//! Packed dates and times to text, `DateStyle` ISO and the time zone UTC.

use super::super::civil;
use super::super::fault::corrupt;
use crate::error::Result;
use std::fmt::Write as _;

pub(in super::super) fn write_date(packed: &[u8], out: &mut String) -> Result<()> {
    let bytes = packed.try_into().map_err(|_| corrupt("a date is not 4 bytes long"))?;
    match i32::from_be_bytes(bytes) {
        i32::MAX => out.push_str("infinity"),
        i32::MIN => out.push_str("-infinity"),
        days if civil::DATES.contains(&days) => {
            let before_christ = push_date(days, out);
            push_era(before_christ, out);
        }
        _ => return Err(corrupt("a date is out of its range")),
    }
    Ok(())
}

/// Returns whether the date is before Christ.
fn push_date(days: i32, out: &mut String) -> bool {
    let (year, month, day) = civil::date(days);
    let shown = if year > 0 { year } else { 1 - year };
    let _ = write!(out, "{shown:04}-");
    push_two(month.into(), out);
    out.push('-');
    push_two(day.into(), out);
    year <= 0
}

fn push_era(before_christ: bool, out: &mut String) {
    if before_christ {
        out.push_str(" BC");
    }
}

fn push_two(value: i64, out: &mut String) {
    for digit in [value / 10, value % 10] {
        out.push(char::from(b'0' + (digit % 10) as u8));
    }
}

/// Two digits of seconds, and as many of the six decimals as are needed.
pub(super) fn push_seconds(second: i64, microsecond: i64, out: &mut String) {
    push_two(second, out);
    if microsecond != 0 {
        let _ = write!(out, ".{microsecond:06}");
        out.truncate(out.trim_end_matches('0').len());
    }
}

fn push_time(microseconds: i64, out: &mut String) {
    let (hour, minute, second, microsecond) = civil::time(microseconds);
    push_two(hour, out);
    out.push(':');
    push_two(minute, out);
    out.push(':');
    push_seconds(second, microsecond, out);
}

pub(in super::super) fn write_timestamp(packed: &[u8], out: &mut String) -> Result<()> {
    timestamp(packed, "", out)
}

pub(in super::super) fn write_timestamptz(packed: &[u8], out: &mut String) -> Result<()> {
    timestamp(packed, "+00", out)
}

fn timestamp(packed: &[u8], zone: &str, out: &mut String) -> Result<()> {
    let bytes = packed.try_into().map_err(|_| corrupt("a timestamp is not 8 bytes long"))?;
    match i64::from_be_bytes(bytes) {
        i64::MAX => out.push_str("infinity"),
        i64::MIN => out.push_str("-infinity"),
        value if civil::TIMESTAMPS.contains(&value) => {
            let days = value.div_euclid(civil::DAY_MICROSECONDS);
            let before_christ = push_date(days as i32, out);
            out.push(' ');
            push_time(value.rem_euclid(civil::DAY_MICROSECONDS), out);
            out.push_str(zone);
            push_era(before_christ, out);
        }
        _ => return Err(corrupt("a timestamp is out of its range")),
    }
    Ok(())
}

pub(in super::super) fn write_time(packed: &[u8], out: &mut String) -> Result<()> {
    let bytes = packed.try_into().map_err(|_| corrupt("a time is not 8 bytes long"))?;
    let value = i64::from_be_bytes(bytes);
    if !(0..=civil::DAY_MICROSECONDS).contains(&value) {
        return Err(corrupt("a time is out of its range"));
    }
    push_time(value, out);
    Ok(())
}

pub(in super::super) fn write_timetz(packed: &[u8], out: &mut String) -> Result<()> {
    let (time, zone) = packed
        .split_at_checked(8)
        .ok_or_else(|| corrupt("a time with time zone is not 12 bytes long"))?;
    write_time(time, out)?;
    let bytes = zone.try_into().map_err(|_| corrupt("a time zone is not 4 bytes long"))?;
    let west = i32::from_be_bytes(bytes);
    if !(-57_599..=57_599).contains(&west) {
        return Err(corrupt("a time zone is out of its range"));
    }
    out.push(if west <= 0 { '+' } else { '-' });
    let offset = i64::from(west.abs());
    push_two(offset / 3_600, out);
    if offset % 3_600 != 0 {
        out.push(':');
        push_two(offset / 60 % 60, out);
    }
    if offset % 60 != 0 {
        out.push(':');
        push_two(offset % 60, out);
    }
    Ok(())
}
