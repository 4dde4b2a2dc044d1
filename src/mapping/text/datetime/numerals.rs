//! The numbers in dates and times: clocks, offsets, fractions.

use super::super::space::{digits, sign};
use super::Fault;

/// Hours, minutes and seconds of a text with colons.
pub(super) struct Clock {
    pub(super) hour: i64,
    pub(super) minute: i32,
    pub(super) second: i32,
    pub(super) microsecond: i32,
}

impl Clock {
    pub(super) fn parse(field: &[u8]) -> Result<Self, Fault> {
        let (hour, rest) = long_integer(field).ok_or(Fault::Range)?;
        let [b':', rest @ ..] = rest else {
            return Err(Fault::Format);
        };
        let (minute, rest) = integer(rest).ok_or(Fault::Range)?;
        let mut clock = Self { hour, minute, second: 0, microsecond: 0 };
        match rest {
            [] => {}
            [b'.', ..] => {
                clock.microsecond = fraction_microseconds(rest)?;
                clock.second = minute;
                clock.minute = i32::try_from(hour).map_err(|_| Fault::Range)?;
                clock.hour = 0;
            }
            [b':', rest @ ..] => {
                let (second, rest) = integer(rest).ok_or(Fault::Range)?;
                clock.second = second;
                match rest {
                    [] => {}
                    [b'.', ..] => clock.microsecond = fraction_microseconds(rest)?,
                    _ => return Err(Fault::Format),
                }
            }
            _ => return Err(Fault::Format),
        }
        let sound = clock.hour >= 0
            && (0..60).contains(&clock.minute)
            && (0..=60).contains(&clock.second)
            && (0..=1_000_000).contains(&clock.microsecond);
        if sound { Ok(clock) } else { Err(Fault::Range) }
    }
}

/// `+hh`, `+hhmm`, `+hh:mm`, `+hh:mm:ss`, as seconds west of UTC.
pub(super) fn zone_offset(field: &[u8]) -> Result<i32, Fault> {
    let (east, body) = match field {
        [b'+', body @ ..] => (true, body),
        [b'-', body @ ..] => (false, body),
        _ => return Err(Fault::Format),
    };
    let overflow = Fault::ZoneDisplacement;
    let (mut hour, mut rest) = integer(body).ok_or(overflow)?;
    let (mut minute, mut second) = (0, 0);
    if let [b':', tail @ ..] = rest {
        (minute, rest) = integer(tail).ok_or(overflow)?;
        if let [b':', tail @ ..] = rest {
            (second, rest) = integer(tail).ok_or(overflow)?;
        }
    } else if rest.is_empty() && field.len() > 3 {
        (hour, minute) = (hour / 100, hour % 100);
    }
    let sound = (0..=15).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    if !sound {
        return Err(overflow);
    }
    if !rest.is_empty() {
        return Err(Fault::Format);
    }
    let offset = (hour * 60 + minute) * 60 + second;
    Ok(if east { -offset } else { offset })
}

/// C's `strtol` of what fields hold, with a sign: the value and the rest; `None` if it is too
/// large. Without a digit the value is 0 and the rest is all.
pub(super) fn long_integer(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (negative, body) = sign(bytes);
    let (text, rest) = body.split_at(digits(body));
    if text.is_empty() {
        return Some((0, bytes));
    }
    let mut value = 0_i64;
    for digit in text {
        let digit = i64::from(digit - b'0');
        value = value.checked_mul(10)?;
        value = if negative { value.checked_sub(digit) } else { value.checked_add(digit) }?;
    }
    Some((value, rest))
}

pub(super) fn integer(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (value, rest) = long_integer(bytes)?;
    Some((value.try_into().ok()?, rest))
}

/// C's `atoi`, which cuts what is too large.
pub(super) fn leading(bytes: &[u8]) -> i32 {
    let negative = bytes.first() == Some(&b'-');
    let limit = if negative { i64::MIN } else { i64::MAX };
    long_integer(bytes).map_or(limit, |(value, _)| value) as i32
}

/// `.25`; a point alone is 0.
pub(super) fn parse_fraction(text: &[u8]) -> Result<f64, Fault> {
    match text {
        [b'.'] => Ok(0.0),
        [b'.', rest @ ..] if digits(rest) == rest.len() => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Fault::Format)
        }
        _ => Err(Fault::Format),
    }
}

pub(super) fn fraction_microseconds(text: &[u8]) -> Result<i32, Fault> {
    Ok((parse_fraction(text)? * 1_000_000.0).round_ties_even() as i32)
}
