//! When a run has to end, as a person writes it.

use super::job_file::units;
use crate::batch::ending::Deadline;
use jiff::civil::Time;
use jiff::{Timestamp, ToSpan, Zoned};
use std::fmt;
use std::time::{Duration, SystemTime};

/// A deadline as it was typed, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeadlineSpec {
    text: String,
    when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    At(SystemTime),
    After(Duration),
}

impl DeadlineSpec {
    /// `06:00` or `06:00:30`, the next one in local time; `2026-11-30T06:00:00+01:00`; `90m`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_at(text, &Zoned::now())
    }

    fn parse_at(text: &str, now: &Zoned) -> Result<Self, String> {
        let expected = "expected a time of the day such as 06:00, an RFC 3339 time such as \
                        2026-11-30T06:00:00Z, or a duration such as 90m";
        let when = if let Some(time) = units::duration(text) {
            When::After(time)
        } else if let Ok(moment) = text.parse::<Timestamp>() {
            When::At(SystemTime::from(moment))
        } else {
            let time = text.parse::<Time>().ok().filter(|_| text.contains(':'));
            let moment = time.and_then(|time| next(time, now)).ok_or(expected)?;
            When::At(SystemTime::from(moment.timestamp()))
        };
        Ok(Self { text: text.to_owned(), when })
    }

    /// As the library takes it.
    pub(super) fn deadline(&self) -> Deadline {
        match self.when {
            When::At(moment) => moment.into(),
            When::After(time) => time.into(),
        }
    }
}

/// The next moment, behind `now`, at which a clock there shows `time`. A day on which the clock is
/// put forward over it has the moment after the gap.
fn next(time: Time, now: &Zoned) -> Option<Zoned> {
    let on =
        |date: jiff::civil::Date| date.to_datetime(time).to_zoned(now.time_zone().clone()).ok();
    let today = on(now.date())?;
    if today > *now {
        return Some(today);
    }
    on(now.date().checked_add(1.day()).ok()?)
}

impl fmt::Display for DeadlineSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::At(_) => f.write_str(&self.text),
            When::After(_) => write!(f, "the deadline of {}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, now: &str) -> Option<String> {
        let now: Zoned = now.parse().unwrap();
        match DeadlineSpec::parse_at(text, &now).ok()?.when {
            When::At(moment) => Some(Timestamp::try_from(moment).unwrap().to_string()),
            When::After(time) => Some(format!("{time:?}")),
        }
    }

    #[test]
    fn a_time_of_the_day_is_the_next_one() {
        let evening = "2026-11-29T23:10:00+01:00[+01:00]";
        assert_eq!(at("06:00", evening).as_deref(), Some("2026-11-30T05:00:00Z"));
        assert_eq!(at("23:30:15", evening).as_deref(), Some("2026-11-29T22:30:15Z"));
        assert_eq!(at("23:10", evening).as_deref(), Some("2026-11-30T22:10:00Z"));
    }

    #[test]
    fn a_moment_and_a_duration_are_what_they_say() {
        let now = "2026-11-29T23:10:00+01:00[+01:00]";
        let moment = at("2026-11-30T06:00:00+02:00", now);
        assert_eq!(moment.as_deref(), Some("2026-11-30T04:00:00Z"));
        assert_eq!(at("90m", now).as_deref(), Some("5400s"));
        for wrong in ["", "6", "0600", "25:00", "06:00 tomorrow", "2026-11-30", "-5m", "soon"] {
            assert_eq!(at(wrong, now), None, "{wrong}");
        }
    }
}
