//! Intervals of ISO 8601: with designators, `P1Y2M3DT4H5M6S`, and the alternative form,
//! `P0001-02-03T04:05:06`.

use super::super::float;
use super::super::space::digits;
use super::Fault;
use super::interval::Span;

const HOUR: i64 = 3_600_000_000;
const MINUTE: i64 = 60_000_000;
const SECOND: i64 = 1_000_000;

struct Number<'a> {
    value: i64,
    fraction: f64,
    /// How many digits are before the point.
    width: usize,
    rest: &'a [u8],
}

impl Number<'_> {
    /// What stands behind the number, and what behind that.
    fn unit(&self) -> (u8, &[u8]) {
        match self.rest {
            [unit, rest @ ..] => (*unit, rest),
            [] => (0, &[]),
        }
    }
}

pub(super) fn decode(text: &[u8]) -> Result<Span, Fault> {
    let [b'P', rest @ ..] = text else {
        return Err(Fault::Format);
    };
    // NUL stands for the end of the text below.
    if rest.is_empty() || rest.contains(&0) {
        return Err(Fault::Format);
    }
    let mut span = Span::default();
    let mut rest = rest;
    let (mut in_date, mut any) = (true, false);
    while let [first, tail @ ..] = rest {
        if *first == b'T' {
            (in_date, any, rest) = (false, false, tail);
            continue;
        }
        let number = number(rest)?;
        let (unit, behind) = number.unit();
        let part = if in_date { date_part } else { time_part };
        match part(&mut span, &number, unit, any)? {
            Next::Field => {
                rest = &rest[rest.len() - behind.len()..];
                any = true;
            }
            Next::Time(left) => {
                (in_date, any) = (false, false);
                rest = &rest[rest.len() - left..];
            }
            Next::End => return Ok(span),
        }
    }
    Ok(span)
}

enum Next {
    Field,
    /// The time begins; so many bytes are left.
    Time(usize),
    End,
}

fn date_part(span: &mut Span, number: &Number<'_>, unit: u8, any: bool) -> Result<Next, Fault> {
    let Number { value, fraction, width, .. } = *number;
    let (_, behind) = number.unit();
    match unit {
        b'Y' => span.add_years(value, fraction, 1)?,
        b'M' => span.add_months(value, fraction)?,
        b'W' => span.add_days(value, fraction, 7)?,
        b'D' => span.add_days(value, fraction, 1)?,
        b'T' | 0 if width == 8 && !any => {
            span.add_years(value / 10_000, 0.0, 1)?;
            span.add_months(value / 100 % 100, 0.0)?;
            span.add_days(value % 100, fraction, 1)?;
            return Ok(if unit == 0 { Next::End } else { Next::Time(behind.len()) });
        }
        b'T' | 0 | b'-' if !any => {
            span.add_years(value, fraction, 1)?;
            return match unit {
                0 => Ok(Next::End),
                b'T' => Ok(Next::Time(behind.len())),
                _ => month_and_day(span, behind),
            };
        }
        _ => return Err(Fault::Format),
    }
    Ok(Next::Field)
}

fn month_and_day(span: &mut Span, text: &[u8]) -> Result<Next, Fault> {
    let month = number(text)?;
    span.add_months(month.value, month.fraction)?;
    let day = match month.rest {
        [] => return Ok(Next::End),
        [b'T', ..] => return Ok(Next::Time(month.rest.len())),
        [b'-', rest @ ..] => number(rest)?,
        _ => return Err(Fault::Format),
    };
    span.add_days(day.value, day.fraction, 1)?;
    match day.rest {
        [] => Ok(Next::End),
        [b'T', ..] => Ok(Next::Time(day.rest.len())),
        _ => Err(Fault::Format),
    }
}

fn time_part(span: &mut Span, number: &Number<'_>, unit: u8, any: bool) -> Result<Next, Fault> {
    let Number { value, fraction, width, .. } = *number;
    let (_, behind) = number.unit();
    match unit {
        b'H' => span.add_time(value, fraction, HOUR)?,
        b'M' => span.add_time(value, fraction, MINUTE)?,
        b'S' => span.add_time(value, fraction, SECOND)?,
        0 if width == 6 && !any => {
            span.add_time(value / 10_000, 0.0, HOUR)?;
            span.add_time(value / 100 % 100, 0.0, MINUTE)?;
            span.add_time(value % 100, 0.0, SECOND)?;
            // NOTE: PostgreSQL 15 takes this fraction as one of a microsecond.
            span.add_time(0, fraction, 1)?;
            return Ok(Next::End);
        }
        0 | b':' if !any => {
            span.add_time(value, fraction, HOUR)?;
            return if unit == 0 { Ok(Next::End) } else { minute_and_second(span, behind) };
        }
        _ => return Err(Fault::Format),
    }
    Ok(Next::Field)
}

fn minute_and_second(span: &mut Span, text: &[u8]) -> Result<Next, Fault> {
    let minute = number(text)?;
    span.add_time(minute.value, minute.fraction, MINUTE)?;
    let second = match minute.rest {
        [] => return Ok(Next::End),
        [b':', rest @ ..] => number(rest)?,
        _ => return Err(Fault::Format),
    };
    span.add_time(second.value, second.fraction, SECOND)?;
    if second.rest.is_empty() { Ok(Next::End) } else { Err(Fault::Format) }
}

/// A number as C's `strtod` reads it, exponents included, below 10^15.
fn number(text: &[u8]) -> Result<Number<'_>, Fault> {
    if !matches!(text.first(), Some(b'0'..=b'9' | b'-' | b'.')) {
        return Err(Fault::Format);
    }
    let width = digits(text.strip_prefix(b"-").unwrap_or(text));
    let text = std::str::from_utf8(text).map_err(|_| Fault::Format)?;
    let (value, length) = float::strtod(text).ok_or(Fault::Format)?;
    if value.is_nan() || value.abs() > 1.0e15 {
        return Err(Fault::Range);
    }
    let whole = value.trunc();
    let rest = &text.as_bytes()[length..];
    Ok(Number { value: whole as i64, fraction: value - whole, width, rest })
}
