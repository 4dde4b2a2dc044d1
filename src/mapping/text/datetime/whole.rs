//! Fields to a date with a time: `DecodeDateTime`.

use super::Fault;
use super::fields::{Fields, Kind};
use super::moment::{Half, Moment, seen};
use super::numerals::{integer, zone_offset};
use super::words::{Label, Word, date_word};
use super::zones::{self, Zone};

/// What a text of a date stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Moment,
    Epoch,
    Infinity,
    MinusInfinity,
}

pub(super) struct Whole {
    pub(super) moment: Moment,
    pub(super) meaning: Meaning,
    label: Option<Label>,
    named_zone: Option<i32>,
}

impl Whole {
    pub(super) fn decode(fields: &Fields) -> Result<Self, Fault> {
        let mut whole = Self {
            moment: Moment::default(),
            meaning: Meaning::Moment,
            label: None,
            named_zone: None,
        };
        for (index, (kind, field)) in fields.iter().enumerate() {
            let mask = match kind {
                Kind::Date => whole.date(field)?,
                Kind::Time => whole.time(field)?,
                Kind::Zone => {
                    whole.moment.zone = zone_offset(field)?;
                    seen::ZONE
                }
                Kind::Number => whole.number(field)?,
                Kind::Word | Kind::Signed => match whole.word(field, fields.kind(index + 1))? {
                    Some(mask) => mask,
                    None => continue,
                },
            };
            whole.moment.note(mask)?;
        }
        whole.complete()?;
        Ok(whole)
    }

    fn date(&mut self, field: &[u8]) -> Result<u32, Fault> {
        if self.label == Some(Label::Julian) {
            let (day, rest) = integer(field).ok_or(Fault::Range)?;
            self.moment.set_julian(day)?;
            self.moment.zone = zone_offset(rest)?;
            self.label = None;
            return Ok(seen::DATE | seen::TIME | seen::ZONE);
        }
        // With a month and a day it is no date any more, but a zone or a time with a zone.
        if self.label.is_none() && !self.moment.has(seen::MONTH | seen::DAY) {
            return self.moment.date(field);
        }
        if self.label.is_none() && !field.first().is_some_and(u8::is_ascii_digit) {
            self.named_zone = Some(zones::named(field)?);
            return Ok(seen::ZONE);
        }
        self.time_label()?;
        if self.moment.has(seen::TIME) {
            return Err(Fault::Format);
        }
        let at = field.iter().position(|byte| *byte == b'-').ok_or(Fault::Format)?;
        self.moment.zone = zone_offset(&field[at..])?;
        let seen = self.moment.seen;
        Ok(self.moment.run_together(&field[..at], seen)? | seen::ZONE)
    }

    /// A label before a time can only be the `T` of ISO 8601.
    fn time_label(&mut self) -> Result<(), Fault> {
        match self.label.take() {
            None | Some(Label::Time) => Ok(()),
            Some(_) => Err(Fault::Format),
        }
    }

    fn time(&mut self, field: &[u8]) -> Result<u32, Fault> {
        self.time_label()?;
        let mask = self.moment.clock(field)?;
        self.moment.check_clock()?;
        Ok(mask)
    }

    fn number(&mut self, field: &[u8]) -> Result<u32, Fault> {
        if let Some(label) = self.label {
            let mask = self.moment.labelled(label, field)?;
            self.label = None;
            self.meaning = Meaning::Moment;
            return Ok(mask);
        }
        let seen = self.moment.seen;
        let point = field.iter().position(|byte| *byte == b'.');
        let dated = seen & seen::DATE != 0;
        let timed = seen & seen::TIME != 0;
        match point {
            Some(_) if !dated => self.moment.date(field),
            Some(before) if before > 2 => self.moment.run_together(field, seen),
            _ if field.len() >= 6 && !(dated && timed) => self.moment.run_together(field, seen),
            _ => self.moment.number(field, self.moment.text_month, seen),
        }
    }

    fn word(&mut self, field: &[u8], next: Option<Kind>) -> Result<Option<u32>, Fault> {
        if let Some(zone) = zones::abbreviation(field) {
            return abbreviated(&mut self.moment, zone).map(Some);
        }
        let Some(word) = date_word(field) else {
            self.named_zone = Some(zones::named(field).map_err(|_| Fault::Format)?);
            return Ok(Some(seen::ZONE));
        };
        Ok(Some(match word {
            Word::Ignored => return Ok(None),
            Word::Relative => return Err(Fault::Relative),
            Word::AllBalls => {
                self.meaning = Meaning::Moment;
                (self.moment.hour, self.moment.minute, self.moment.second) = (0, 0, 0);
                self.moment.zone = 0;
                seen::TIME | seen::ZONE
            }
            Word::Infinity => self.special(Meaning::Infinity),
            Word::MinusInfinity => self.special(Meaning::MinusInfinity),
            Word::Epoch => self.special(Meaning::Epoch),
            Word::Month(month) => self.month(month),
            Word::Weekday => seen::WEEKDAY,
            Word::Label(label) => {
                self.label = Some(label);
                0
            }
            Word::IsoTime => {
                let time = matches!(next, Some(Kind::Number | Kind::Time | Kind::Date));
                if !self.moment.has(seen::DATE) || !time {
                    return Err(Fault::Format);
                }
                self.label = Some(Label::Time);
                0
            }
            other => modifier(&mut self.moment, other)?,
        }))
    }

    fn special(&mut self, meaning: Meaning) -> u32 {
        self.meaning = meaning;
        seen::RESERVED
    }

    fn month(&mut self, month: i32) -> u32 {
        let moment = &mut self.moment;
        // A number that was taken for the month was the day: 8 Jan 1999.
        let was_day = moment.has(seen::MONTH)
            && !moment.text_month
            && !moment.has(seen::DAY)
            && (1..=31).contains(&moment.month);
        if was_day {
            moment.day = moment.month;
        }
        moment.text_month = true;
        moment.month = month;
        if was_day { seen::DAY } else { seen::MONTH }
    }

    fn complete(&mut self) -> Result<(), Fault> {
        self.moment.validate_date()?;
        self.moment.apply_half()?;
        if self.meaning != Meaning::Moment {
            return Ok(());
        }
        if !self.moment.has(seen::DATE) {
            return Err(Fault::Format);
        }
        apply_zone(&mut self.moment, self.named_zone)
    }
}

/// What an abbreviation of a time zone adds.
pub(super) fn abbreviated(moment: &mut Moment, zone: Zone) -> Result<u32, Fault> {
    match zone {
        Zone::Standard(east) => {
            moment.zone = -east;
            Ok(seen::ZONE)
        }
        Zone::Daylight(east) => {
            moment.zone = -east;
            Ok(seen::ZONE | seen::DAYLIGHT)
        }
        Zone::Moving => Err(Fault::MovingZone),
    }
}

/// What the words add that mean the same in dates and in times.
pub(super) fn modifier(moment: &mut Moment, word: Word) -> Result<u32, Fault> {
    Ok(match word {
        Word::Daylight => {
            moment.zone -= 3_600;
            seen::DAYLIGHT_WORD | seen::DAYLIGHT
        }
        Word::Am | Word::Pm => {
            moment.half = if word == Word::Am { Half::Am } else { Half::Pm };
            seen::HALF
        }
        Word::Ad | Word::Bc => {
            moment.before_christ = word == Word::Bc;
            seen::ERA
        }
        _ => return Err(Fault::Format),
    })
}

/// `dst` needs an abbreviation before it; the session's own zone is UTC.
pub(super) fn apply_zone(moment: &mut Moment, named: Option<i32>) -> Result<(), Fault> {
    if (named.is_some() || !moment.has(seen::ZONE)) && moment.has(seen::DAYLIGHT_WORD) {
        return Err(Fault::Format);
    }
    if let Some(west) = named {
        moment.zone = west;
    }
    if !moment.has(seen::ZONE) {
        moment.zone = 0;
    }
    Ok(())
}
