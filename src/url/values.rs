//! Numbers, durations and choices.

use crate::nearest::nearest;
use std::time::Duration;

/// What a value should have been.
#[derive(Debug)]
pub(super) struct Expected {
    /// In words, for the hint.
    pub(super) what: String,
    /// Whether the value is a word out of a list, which may be shown.
    pub(super) is_choice: bool,
}

/// Anything but a word out of a list.
pub(super) fn expected(what: &str) -> Expected {
    Expected { what: what.to_owned(), is_choice: false }
}

/// Longer than this is taken for a mistake; it also keeps sums of durations and times in range.
const LONGEST: Duration = Duration::from_hours(10 * 366 * 24);

/// A whole number.
pub(super) fn count(value: &str) -> Result<u32, Expected> {
    digits(value).ok_or_else(|| expected("a whole number, 0 or more"))
}

/// A whole number, or -1 for no bound.
pub(super) fn bound(value: &str) -> Result<Option<u32>, Expected> {
    match value.trim() {
        "-1" => Ok(None),
        value => digits(value)
            .map(Some)
            .ok_or_else(|| expected("a whole number, 0 or more, or -1 for no bound")),
    }
}

/// A port.
pub(super) fn port(value: &str) -> Result<u16, Expected> {
    digits(value).filter(|port| *port != 0).ok_or_else(|| {
        expected("a port is a number from 1 to 65535; escape a : in a password as %3A")
    })
}

/// Digits only: `parse` alone would take a sign.
fn digits<T: std::str::FromStr>(value: &str) -> Option<T> {
    let value = value.trim();
    value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten()
}

/// Yes or no.
pub(super) fn flag(value: &str) -> Result<bool, Expected> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(Expected { what: "write true or false".to_owned(), is_choice: true }),
    }
}

/// Seconds, or a number with a unit.
pub(super) fn duration(value: &str) -> Result<Duration, Expected> {
    with_unit(value, 1.0)
        .ok_or_else(|| expected("write seconds (30, 0.5) or 500ms, 30s, 10min, 1h"))
}

/// Seconds, or a number with a unit; more than 0.
pub(super) fn positive_duration(value: &str) -> Result<Duration, Expected> {
    with_unit(value, 1.0)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| expected("write seconds, more than 0: nothing is waited for without an end"))
}

/// Milliseconds, or a number with a unit.
pub(super) fn duration_in_milliseconds(value: &str) -> Result<Duration, Expected> {
    with_unit(value, 0.001).ok_or_else(|| expected("write milliseconds (5000) or 500ms, 5s, 1min"))
}

fn with_unit(value: &str, bare: f64) -> Option<Duration> {
    let value = value.trim();
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    let unit = match unit.trim() {
        "" => bare,
        "ms" => 0.001,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * unit;
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| *duration <= LONGEST)
}

/// One word out of a list.
pub(super) fn choice<T: Copy>(value: &str, choices: &[(&str, T)]) -> Result<T, Expected> {
    if let Some((_, meaning)) = choices.iter().find(|(word, _)| *word == value) {
        return Ok(*meaning);
    }
    let words = || choices.iter().map(|(word, _)| *word);
    let what = match nearest(value, words()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known are {}", words().collect::<Vec<_>>().join(", ")),
    };
    Err(Expected { what, is_choice: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        assert_eq!(duration("30").unwrap(), Duration::from_secs(30));
        assert_eq!(duration("0.5").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration(" 2 min ").unwrap(), Duration::from_mins(2));
        assert_eq!(duration("1h").unwrap(), Duration::from_hours(1));
        assert_eq!(duration_in_milliseconds("5000").unwrap(), Duration::from_secs(5));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for bad in ["", "-1", "1e9", "nan", "inf", "5 years", ".", "1.2.3", "99999999999999"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert!(positive_duration("0").is_err());
    }

    #[test]
    fn numbers_are_digits_only() {
        assert_eq!(count("12").unwrap(), 12);
        for bad in ["+1", "-1", "", "1.0", "4294967296"] {
            assert!(count(bad).is_err(), "{bad}");
        }
        assert_eq!((bound("-1").unwrap(), bound("0").unwrap()), (None, Some(0)));
        assert!(bound("-2").is_err());
        assert!(port("0").is_err() && port("65536").is_err() && port("65535").is_ok());
    }
}
