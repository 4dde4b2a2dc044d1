//! Intervals: months, days and microseconds, each on its own.

use super::super::fault::corrupt;
use super::Fault;
use super::designators;
use super::fields::{Fields, Kind};
use super::moment::seen;
use super::numerals::{Clock, integer, long_integer, parse_fraction};
use super::words::{IntervalWord, Unit, interval_word};
use super::write::push_seconds;
use crate::error::Result;
use std::fmt::Write as _;

/// PostgreSQL's work space for the fields of an interval, in bytes.
const ROOM: usize = 256;

/// An interval under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) years: i32,
    pub(super) months: i32,
    pub(super) days: i32,
    pub(super) microseconds: i64,
}

impl Span {
    fn add_microseconds(&mut self, value: i64) -> Result<(), Fault> {
        self.microseconds = self.microseconds.checked_add(value).ok_or(Fault::Range)?;
        Ok(())
    }

    pub(super) fn add_time(&mut self, value: i64, fraction: f64, scale: i64) -> Result<(), Fault> {
        self.add_microseconds(value.checked_mul(scale).ok_or(Fault::Range)?)?;
        self.add_time_fraction(fraction, scale)
    }

    fn add_time_fraction(&mut self, fraction: f64, scale: i64) -> Result<(), Fault> {
        let scaled = fraction * scale as f64;
        let whole = scaled as i64;
        let rest = scaled - whole as f64;
        let rounded = i64::from(rest > 0.5) - i64::from(rest < -0.5);
        self.add_microseconds(whole + rounded)
    }

    pub(super) fn add_days(&mut self, value: i64, fraction: f64, scale: i32) -> Result<(), Fault> {
        add(&mut self.days, value, scale)?;
        self.add_day_fraction(fraction, scale)
    }

    fn add_day_fraction(&mut self, fraction: f64, scale: i32) -> Result<(), Fault> {
        let scaled = fraction * f64::from(scale);
        let whole = scaled as i32;
        add(&mut self.days, whole.into(), 1)?;
        self.add_time_fraction(scaled - f64::from(whole), super::super::civil::DAY_MICROSECONDS)
    }

    pub(super) fn add_months(&mut self, value: i64, fraction: f64) -> Result<(), Fault> {
        add(&mut self.months, value, 1)?;
        self.add_day_fraction(fraction, 30)
    }

    pub(super) fn add_years(&mut self, value: i64, fraction: f64, scale: i32) -> Result<(), Fault> {
        add(&mut self.years, value, scale)?;
        let months = (fraction * f64::from(scale) * 12.0).round_ties_even() as i64;
        add(&mut self.months, months, 1)
    }

    fn set_clock(&mut self, field: &[u8]) -> Result<u32, Fault> {
        let clock = Clock::parse(field)?;
        self.microseconds = clock.microsecond.into();
        self.add_time(clock.hour, 0.0, 3_600_000_000)?;
        self.add_time(clock.minute.into(), 0.0, 60_000_000)?;
        self.add_time(clock.second.into(), 0.0, 1_000_000)?;
        Ok(seen::TIME)
    }

    fn negate(&mut self) -> Result<(), Fault> {
        let negated = |value: i32| value.checked_neg().ok_or(Fault::Range);
        self.years = negated(self.years)?;
        self.months = negated(self.months)?;
        self.days = negated(self.days)?;
        self.microseconds = self.microseconds.checked_neg().ok_or(Fault::Range)?;
        Ok(())
    }
}

fn add(sum: &mut i32, value: i64, scale: i32) -> Result<(), Fault> {
    let value = i32::try_from(value).map_err(|_| Fault::Range)?;
    *sum = value.checked_mul(scale).and_then(|value| sum.checked_add(value)).ok_or(Fault::Range)?;
    Ok(())
}

pub(in super::super) fn read_interval(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let span = parse(text.as_bytes()).map_err(|fault| fault.error("not an interval"))?;
    let months = i64::from(span.years) * 12 + i64::from(span.months);
    let months = i32::try_from(months).map_err(|_| Fault::Range.error(""))?;
    out.extend_from_slice(&span.microseconds.to_be_bytes());
    out.extend_from_slice(&span.days.to_be_bytes());
    out.extend_from_slice(&months.to_be_bytes());
    Ok(())
}

fn parse(text: &[u8]) -> Result<Span, Fault> {
    match Fields::cut(text, ROOM).and_then(|fields| decode(&fields)) {
        Err(Fault::Format) => designators::decode(text),
        other => other,
    }
    .map_err(|fault| if fault == Fault::Range { Fault::IntervalRange } else { fault })
}

/// `DecodeInterval`: from right to left, so that the unit comes before its number.
fn decode(fields: &Fields) -> Result<Span, Fault> {
    let mut span = Span::default();
    let (mut unit, mut ago, mut found) = (None, false, 0);
    for (kind, field) in fields.iter().rev() {
        let mask = match kind {
            Kind::Time => {
                unit = Some(Unit::Day);
                span.set_clock(field)?
            }
            Kind::Zone if field.contains(&b':') => match signed_clock(&mut span, field)? {
                Some(mask) => {
                    unit = Some(Unit::Day);
                    mask
                }
                None => number(&mut span, &mut unit, field)?,
            },
            Kind::Zone | Kind::Date | Kind::Number => number(&mut span, &mut unit, field)?,
            Kind::Word | Kind::Signed => {
                match interval_word(field).ok_or(Fault::Format)? {
                    IntervalWord::Unit(word) => unit = Some(word),
                    IntervalWord::Ago => {
                        ago = true;
                        unit = Some(Unit::Useless);
                    }
                }
                0
            }
        };
        if mask & found != 0 {
            return Err(Fault::Format);
        }
        found |= mask;
    }
    if found == 0 {
        return Err(Fault::Format);
    }
    if ago {
        span.negate()?;
    }
    Ok(span)
}

fn signed_clock(span: &mut Span, field: &[u8]) -> Result<Option<u32>, Fault> {
    let Ok(mask) = span.set_clock(&field[1..]) else {
        return Ok(None);
    };
    if field[0] == b'-' {
        span.microseconds = span.microseconds.checked_neg().ok_or(Fault::Range)?;
    }
    Ok(Some(mask))
}

fn number(span: &mut Span, unit: &mut Option<Unit>, field: &[u8]) -> Result<u32, Fault> {
    let negative = field.first() == Some(&b'-');
    let (mut value, rest) = long_integer(field).ok_or(Fault::Range)?;
    let mut fraction = 0.0;
    match rest {
        [] => {}
        [b'-', months @ ..] => {
            // The years and months of standard SQL: 1-2.
            let (months, rest) = integer(months).ok_or(Fault::Range)?;
            if !(0..12).contains(&months) {
                return Err(Fault::Range);
            }
            if !rest.is_empty() {
                return Err(Fault::Format);
            }
            *unit = Some(Unit::Month);
            let months = i64::from(if negative { -months } else { months });
            value = value
                .checked_mul(12)
                .and_then(|years| years.checked_add(months))
                .ok_or(Fault::Range)?;
        }
        [b'.', ..] => {
            fraction = parse_fraction(rest)?;
            if negative {
                fraction = -fraction;
            }
        }
        _ => return Err(Fault::Format),
    }
    add_unit(span, unit, value, fraction)
}

fn add_unit(
    span: &mut Span,
    unit: &mut Option<Unit>,
    value: i64,
    fraction: f64,
) -> Result<u32, Fault> {
    let exact = fraction == 0.0;
    let (mask, scale) = match *unit.get_or_insert(Unit::Second) {
        Unit::Microsecond => (1 << 14, 1),
        Unit::Millisecond => (1 << 13, 1_000),
        Unit::Second if exact => (seen::SECOND, 1_000_000),
        Unit::Second => (seen::SECONDS, 1_000_000),
        Unit::Minute => (seen::MINUTE, 60_000_000),
        Unit::Hour => {
            *unit = Some(Unit::Day);
            (seen::HOUR, 3_600_000_000)
        }
        Unit::Day => {
            span.add_days(value, 0.0, 1)?;
            span.add_time_fraction(fraction, super::super::civil::DAY_MICROSECONDS)?;
            return Ok(seen::DAY);
        }
        Unit::Week => return span.add_days(value, fraction, 7).map(|()| 1 << 24),
        Unit::Month => return span.add_months(value, fraction).map(|()| seen::MONTH),
        Unit::Year => return span.add_years(value, fraction, 1).map(|()| seen::YEAR),
        Unit::Decade => return span.add_years(value, fraction, 10).map(|()| 1 << 25),
        Unit::Century => return span.add_years(value, fraction, 100).map(|()| 1 << 26),
        Unit::Millennium => return span.add_years(value, fraction, 1000).map(|()| 1 << 27),
        Unit::Useless => return Err(Fault::Format),
    };
    span.add_time(value, fraction, scale)?;
    Ok(mask)
}

pub(in super::super) fn write_interval(packed: &[u8], out: &mut String) -> Result<()> {
    let wrong = || corrupt("an interval is not 16 bytes long");
    let (time, rest) = packed.split_first_chunk().ok_or_else(wrong)?;
    let (days, months) = rest.split_first_chunk().ok_or_else(wrong)?;
    let time = i64::from_be_bytes(*time);
    let days = i32::from_be_bytes(*days);
    let months = i32::from_be_bytes(months.try_into().map_err(|_| wrong())?);
    let start = out.len();
    let mut negative = false;
    for (value, name) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if value == 0 {
            continue;
        }
        let space = if out.len() == start { "" } else { " " };
        let plus = if negative && value > 0 { "+" } else { "" };
        let plural = if value == 1 { "" } else { "s" };
        let _ = write!(out, "{space}{plus}{value} {name}{plural}");
        negative = value < 0;
    }
    if time != 0 || out.len() == start {
        let space = if out.len() == start { "" } else { " " };
        let sign = if time < 0 {
            "-"
        } else if negative {
            "+"
        } else {
            ""
        };
        let time = time.unsigned_abs();
        let _ =
            write!(out, "{space}{sign}{:02}:{:02}:", time / 3_600_000_000, time / 60_000_000 % 60);
        push_seconds((time / 1_000_000 % 60) as i64, (time % 1_000_000) as i64, out);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> std::result::Result<String, String> {
        let mut packed = Vec::new();
        read_interval(text, &mut packed).map_err(|error| error.sqlstate().unwrap().to_string())?;
        let mut out = String::new();
        write_interval(&packed, &mut out).unwrap();
        Ok(out)
    }

    #[test]
    fn intervals_are_read_in_their_many_forms() {
        for (text, expected) in [
            ("1 day", "1 day"),
            ("1-2", "1 year 2 mons"),
            ("1 year 2 mons -3 days +04:05:06.7", "1 year 2 mons -3 days +04:05:06.7"),
            ("1.5 months", "1 mon 15 days"),
            ("@ 1 minute ago", "-00:01:00"),
            ("P1Y2M3DT4H5M6S", "1 year 2 mons 3 days 04:05:06"),
            ("P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06"),
            ("1 2:03", "1 day 02:03:00"),
            ("1.5", "00:00:01.5"),
            ("0", "00:00:00"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused_with_its_code() {
        assert_eq!(shown(""), Err("22007".to_owned()));
        assert_eq!(shown("1 parsec"), Err("22007".to_owned()));
        assert_eq!(shown("3000000000 days"), Err("22015".to_owned()));
        assert_eq!(shown("178956970 years 8 months"), Err("22008".to_owned()));
    }
}
