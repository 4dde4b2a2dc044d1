//! A date and time under way, and its single parts.

use super::super::civil;
use super::super::space::digits;
use super::Fault;
use super::date_parts::{DateParts, is_number, starts_with_letter};
use super::numerals::{Clock, fraction_microseconds, integer, leading, parse_fraction};
use super::words::{Label, Word, date_word};

/// What has been seen, one bit each.
pub(super) mod seen {
    pub(in super::super) const RESERVED: u32 = 1;
    pub(in super::super) const MONTH: u32 = 1 << 1;
    pub(in super::super) const YEAR: u32 = 1 << 2;
    pub(in super::super) const DAY: u32 = 1 << 3;
    pub(in super::super) const ZONE: u32 = 1 << 5;
    pub(in super::super) const DAYLIGHT: u32 = 1 << 6;
    pub(in super::super) const HALF: u32 = 1 << 9;
    pub(in super::super) const HOUR: u32 = 1 << 10;
    pub(in super::super) const MINUTE: u32 = 1 << 11;
    pub(in super::super) const SECOND: u32 = 1 << 12;
    pub(in super::super) const FRACTIONS: u32 = 3 << 13;
    pub(in super::super) const DAY_OF_YEAR: u32 = 1 << 15;
    pub(in super::super) const WEEKDAY: u32 = 1 << 16;
    pub(in super::super) const ERA: u32 = 1 << 18;
    pub(in super::super) const DAYLIGHT_WORD: u32 = 1 << 28;
    pub(in super::super) const DATE: u32 = YEAR | MONTH | DAY;
    pub(in super::super) const SECONDS: u32 = SECOND | FRACTIONS;
    pub(in super::super) const TIME: u32 = HOUR | MINUTE | SECONDS;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Half {
    #[default]
    Whole,
    Am,
    Pm,
}

/// A date and time under way.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what was seen, each on its own")]
pub(super) struct Moment {
    pub(super) year: i32,
    pub(super) month: i32,
    pub(super) day: i32,
    pub(super) hour: i32,
    pub(super) minute: i32,
    pub(super) second: i32,
    pub(super) microsecond: i32,
    pub(super) day_of_year: i32,
    /// Seconds west of UTC.
    pub(super) zone: i32,
    pub(super) seen: u32,
    pub(super) text_month: bool,
    pub(super) is_julian: bool,
    pub(super) two_digits: bool,
    pub(super) before_christ: bool,
    pub(super) half: Half,
}

impl Moment {
    pub(super) fn has(&self, all: u32) -> bool {
        self.seen & all == all
    }

    /// Notes what a field was; no part may come twice.
    pub(super) fn note(&mut self, mask: u32) -> Result<(), Fault> {
        if self.seen & mask != 0 {
            return Err(Fault::Format);
        }
        self.seen |= mask;
        Ok(())
    }

    pub(super) fn set_julian(&mut self, day: i32) -> Result<(), Fault> {
        if day < 0 {
            return Err(Fault::Range);
        }
        (self.year, self.month, self.day) = civil::date_of_julian(day);
        self.is_julian = true;
        Ok(())
    }

    /// `hh:mm`, `hh:mm:ss.ff` or `mm:ss.ff`.
    pub(super) fn clock(&mut self, field: &[u8]) -> Result<u32, Fault> {
        let clock = Clock::parse(field)?;
        self.hour = i32::try_from(clock.hour).map_err(|_| Fault::Range)?;
        self.minute = clock.minute;
        self.second = clock.second;
        self.microsecond = clock.microsecond;
        Ok(seen::TIME)
    }

    pub(super) fn check_clock(&self) -> Result<(), Fault> {
        let sound = (0..=24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..=60).contains(&self.second)
            && (0..=1_000_000).contains(&self.microsecond)
            && self.microseconds() <= civil::DAY_MICROSECONDS;
        if sound { Ok(()) } else { Err(Fault::Range) }
    }

    pub(super) fn microseconds(&self) -> i64 {
        let seconds = self
            .hour
            .wrapping_mul(60)
            .wrapping_add(self.minute)
            .wrapping_mul(60)
            .wrapping_add(self.second);
        i64::from(seconds) * 1_000_000 + i64::from(self.microsecond)
    }

    /// A date with delimiters: `1999-01-08`, `1/8/1999`, `8-Jan-1999`.
    pub(super) fn date(&mut self, field: &[u8]) -> Result<u32, Fault> {
        // Separators at the end have nothing behind them.
        if DateParts(field).any(<[u8]>::is_empty) {
            return Err(Fault::Format);
        }
        let mut seen = self.seen;
        let mut mask = 0;
        let mut text_month = false;
        let microsecond = self.microsecond;
        for word in DateParts(field).filter(starts_with_letter) {
            match date_word(word) {
                Some(Word::Ignored) => continue,
                Some(Word::Month(month)) => self.month = month,
                _ => return Err(Fault::Format),
            }
            text_month = true;
            add(&mut seen, &mut mask, seen::MONTH)?;
        }
        for number in DateParts(field).filter(|part| is_number(part)) {
            let part = self.number(number, text_month, seen)?;
            add(&mut seen, &mut mask, part)?;
        }
        if seen & !(seen::DAY_OF_YEAR | seen::ZONE) != seen::DATE {
            return Err(Fault::Format);
        }
        self.microsecond = microsecond;
        Ok(mask)
    }

    /// A number whose meaning follows from what has been seen.
    pub(super) fn number(
        &mut self,
        field: &[u8],
        text_month: bool,
        seen: u32,
    ) -> Result<u32, Fault> {
        let (value, rest) = integer(field).ok_or(Fault::Range)?;
        if rest.len() == field.len() {
            return Err(Fault::Format);
        }
        if rest.first() == Some(&b'.') {
            if field.len() - rest.len() > 2 {
                return self.run_together(field, seen | seen::DATE);
            }
            self.microsecond = fraction_microseconds(rest)?;
        } else if !rest.is_empty() {
            return Err(Fault::Format);
        }
        let date = seen & seen::DATE;
        if field.len() == 3 && date == seen::YEAR && (1..=366).contains(&value) {
            self.day_of_year = value;
            return Ok(seen::DAY_OF_YEAR | seen::MONTH | seen::DAY);
        }
        let long = field.len() >= 3;
        let part = match date {
            0 if long => seen::YEAR,
            0 | seen::YEAR | seen::DAY => seen::MONTH,
            seen::MONTH if text_month && long => seen::YEAR,
            seen::MONTH => seen::DAY,
            YEAR_MONTH => {
                if text_month && long && self.two_digits {
                    // The first number was taken for the year and is the day: 08-Jan-1999.
                    self.day = self.year;
                    self.year = value;
                    self.two_digits = false;
                    return Ok(seen::DAY);
                }
                seen::DAY
            }
            MONTH_DAY => seen::YEAR,
            seen::DATE => return self.run_together(field, seen),
            _ => return Err(Fault::Format),
        };
        match part {
            seen::YEAR => {
                self.year = value;
                self.two_digits = field.len() <= 2;
            }
            seen::MONTH => self.month = value,
            _ => self.day = value,
        }
        Ok(part)
    }

    /// A date or a time without delimiters: `19990108`, `040506.789`.
    pub(super) fn run_together(&mut self, field: &[u8], seen: u32) -> Result<u32, Fault> {
        let mut number = field;
        if let Some(point) = field.iter().position(|byte| *byte == b'.') {
            let fraction = &field[point..];
            let length = 1 + digits(&fraction[1..]);
            self.microsecond = fraction_microseconds(&fraction[..length])?;
            number = &field[..point];
        } else if seen & seen::DATE != seen::DATE && field.len() >= 6 {
            let (rest, day) = field.split_at(field.len() - 2);
            let (year, month) = rest.split_at(rest.len() - 2);
            (self.year, self.month, self.day) = (leading(year), leading(month), leading(day));
            if year.len() == 2 {
                self.two_digits = true;
            }
            return Ok(seen::DATE);
        }
        if seen & seen::TIME != seen::TIME && matches!(number.len(), 4 | 6) {
            self.hour = leading(&number[..2]);
            self.minute = leading(&number[2..4]);
            self.second = leading(&number[4..]);
            return Ok(seen::TIME);
        }
        Err(Fault::Format)
    }

    /// A number behind a word that says what it is: `y2001m02d04`, `J2451187`, `t040506`.
    pub(super) fn labelled(&mut self, label: Label, field: &[u8]) -> Result<u32, Fault> {
        let (value, rest) = integer(field).ok_or(Fault::Range)?;
        let point = rest.first() == Some(&b'.');
        if point && !matches!(label, Label::Julian | Label::Time | Label::Second)
            || !point && !rest.is_empty()
        {
            return Err(Fault::Format);
        }
        match label {
            Label::Year => self.year = value,
            Label::Month if self.has(seen::MONTH) && self.has(seen::HOUR) => {
                self.minute = value;
                return Ok(seen::MINUTE);
            }
            Label::Month => self.month = value,
            Label::Day => self.day = value,
            Label::Hour => self.hour = value,
            Label::Minute => self.minute = value,
            Label::Second => {
                self.second = value;
                if point {
                    self.microsecond = fraction_microseconds(rest)?;
                    return Ok(seen::SECONDS);
                }
            }
            Label::Julian => return self.julian(value, rest),
            Label::Time => {
                let mask = self.run_together(field, self.seen | seen::DATE)?;
                return if mask == seen::TIME { Ok(mask) } else { Err(Fault::Format) };
            }
            Label::Useless => return Err(Fault::Format),
        }
        Ok(match label {
            Label::Year => seen::YEAR,
            Label::Month => seen::MONTH,
            Label::Day => seen::DAY,
            Label::Hour => seen::HOUR,
            Label::Minute => seen::MINUTE,
            _ => seen::SECOND,
        })
    }

    fn julian(&mut self, day: i32, fraction: &[u8]) -> Result<u32, Fault> {
        self.set_julian(day)?;
        if fraction.is_empty() {
            return Ok(seen::DATE);
        }
        let time = (parse_fraction(fraction)? * civil::DAY_MICROSECONDS as f64) as i64;
        let (hour, minute, second, microsecond) = civil::time(time);
        self.hour = hour as i32;
        self.minute = minute as i32;
        self.second = second as i32;
        self.microsecond = microsecond as i32;
        Ok(seen::DATE | seen::TIME)
    }

    /// Completes the year, and checks year, month and day as far as they were seen.
    pub(super) fn validate_date(&mut self) -> Result<(), Fault> {
        if self.has(seen::YEAR) && !self.is_julian {
            if self.before_christ {
                self.year = if self.year > 0 { 1 - self.year } else { return Err(Fault::Range) };
            } else if self.two_digits {
                self.year += match self.year {
                    ..0 => return Err(Fault::Range),
                    0..70 => 2_000,
                    70..100 => 1_900,
                    _ => 0,
                };
            } else if self.year <= 0 {
                return Err(Fault::Range);
            }
        }
        if self.has(seen::DAY_OF_YEAR) {
            let first = civil::julian_day(self.year, 1, 1);
            (self.year, self.month, self.day) =
                civil::date_of_julian(first.wrapping_add(self.day_of_year - 1));
        }
        let sound = (!self.has(seen::MONTH) || (1..=12).contains(&self.month))
            && (!self.has(seen::DAY) || (1..=31).contains(&self.day))
            && (!self.has(seen::DATE) || self.day <= civil::month_days(self.year, self.month));
        if sound { Ok(()) } else { Err(Fault::Range) }
    }

    pub(super) fn apply_half(&mut self) -> Result<(), Fault> {
        if self.half != Half::Whole && self.hour > 12 {
            return Err(Fault::Range);
        }
        match self.half {
            Half::Am if self.hour == 12 => self.hour = 0,
            Half::Pm if self.hour != 12 => self.hour += 12,
            _ => {}
        }
        Ok(())
    }
}

const YEAR_MONTH: u32 = seen::YEAR | seen::MONTH;
const MONTH_DAY: u32 = seen::MONTH | seen::DAY;

fn add(seen: &mut u32, mask: &mut u32, part: u32) -> Result<(), Fault> {
    if *seen & part != 0 {
        return Err(Fault::Format);
    }
    *seen |= part;
    *mask |= part;
    Ok(())
}
