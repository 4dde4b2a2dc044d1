//! The forms that nearly every file has: `2026-08-22` and `2026-08-22 12:34:56.789+02:00`.
//!
//! Whatever is not exactly of these forms is left to the whole parser, also if it is wrong.

use super::super::{civil, plain};

/// Two digits.
fn two(bytes: [u8; 2]) -> Option<i32> {
    let [tens, ones] = bytes.map(|byte| byte.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i32::from(tens) * 10 + i32::from(ones))
}

/// Days since 2000-01-01 of `YYYY-MM-DD`.
#[inline]
pub(super) fn date(bytes: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else {
        return None;
    };
    let number = plain::eight_digits([y1, y2, y3, y4, m1, m2, d1, d2])? as i32;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let sound = year > 0
        && (1..=12).contains(&month)
        && day > 0
        && (day <= 28 || day <= civil::month_days(year, month));
    if sound { Some(civil::days(year, month, day)) } else { None }
}

/// Microseconds of `hh:mm:ss` with up to six decimals, and what is behind it.
pub(super) fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let &[h1, h2, b':', m1, m2, b':', s1, s2, ref rest @ ..] = bytes else {
        return None;
    };
    let (hour, minute, second) = (two([h1, h2])?, two([m1, m2])?, two([s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let whole = i64::from((hour * 60 + minute) * 60 + second) * 1_000_000;
    let [b'.', decimals @ ..] = rest else {
        return Some((whole, rest));
    };
    let (mut fraction, mut unit, mut length) = (0, 1_000_000, 0);
    while let Some(digit @ b'0'..=b'9') = decimals.get(length) {
        unit /= 10;
        if unit == 0 {
            return None;
        }
        fraction += i64::from(digit - b'0') * unit;
        length += 1;
    }
    (length > 0).then(|| (whole + fraction, &decimals[length..]))
}

/// Seconds west of UTC of nothing, `Z`, `+hh` or `+hh:mm`.
fn zone(bytes: &[u8]) -> Option<i32> {
    let (sign, hour, minute) = match *bytes {
        [] | [b'Z'] => return Some(0),
        [sign, h1, h2] => (sign, two([h1, h2])?, 0),
        [sign, h1, h2, b':', m1, m2] => (sign, two([h1, h2])?, two([m1, m2])?),
        _ => return None,
    };
    let offset = (hour * 60 + minute) * 60;
    match sign {
        _ if hour > 15 || minute > 59 => None,
        b'+' => Some(-offset),
        b'-' => Some(offset),
        _ => None,
    }
}

/// Microseconds since 2000-01-01 of a date and a time, and the seconds west of UTC.
pub(super) fn timestamp(bytes: &[u8]) -> Option<(i64, i32)> {
    let (day, rest) = bytes.split_at_checked(10)?;
    let [b' ' | b'T', clock @ ..] = rest else {
        return None;
    };
    let (time, rest) = time(clock)?;
    Some((i64::from(date(day)?) * civil::DAY_MICROSECONDS + time, zone(rest)?))
}
