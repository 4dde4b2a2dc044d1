//! Fields to a time without a date: `DecodeTimeOnly`. A date may stand before it all the same.

use super::Fault;
use super::fields::{Fields, Kind};
use super::moment::{Moment, seen};
use super::numerals::zone_offset;
use super::whole::{abbreviated, apply_zone, modifier};
use super::words::{Label, Word, date_word};
use super::zones;

pub(super) struct TimeOnly {
    pub(super) moment: Moment,
    label: Option<Label>,
    named_zone: Option<i32>,
}

impl TimeOnly {
    pub(super) fn decode(fields: &Fields) -> Result<Self, Fault> {
        let mut time = Self { moment: Moment::default(), label: None, named_zone: None };
        for (index, (kind, field)) in fields.iter().enumerate() {
            let mask = match kind {
                Kind::Date => time.date(field, index, fields)?,
                Kind::Time => time.moment.clock(field)?,
                Kind::Zone => {
                    time.moment.zone = zone_offset(field)?;
                    seen::ZONE
                }
                Kind::Number => time.number(field, index, fields)?,
                Kind::Word | Kind::Signed => match time.word(field, fields.kind(index + 1))? {
                    Some(mask) => mask,
                    None => continue,
                },
            };
            time.moment.note(mask)?;
        }
        time.complete()?;
        Ok(time)
    }

    fn date(&mut self, field: &[u8], index: usize, fields: &Fields) -> Result<u32, Fault> {
        let before_time =
            fields.last_kind() == Some(Kind::Date) || fields.kind(1) == Some(Kind::Time);
        if index == 0 && fields.len() >= 2 && before_time {
            return self.moment.date(field);
        }
        if !field.first().is_some_and(u8::is_ascii_digit) {
            self.named_zone = Some(zones::named(field)?);
            return Ok(seen::ZONE);
        }
        if self.moment.has(seen::TIME) {
            return Err(Fault::Format);
        }
        let at = field.iter().position(|byte| *byte == b'-').ok_or(Fault::Format)?;
        self.moment.zone = zone_offset(&field[at..])?;
        let seen = self.moment.seen | seen::DATE;
        Ok(self.moment.run_together(&field[..at], seen)? | seen::ZONE)
    }

    fn number(&mut self, field: &[u8], index: usize, fields: &Fields) -> Result<u32, Fault> {
        if let Some(label) = self.label {
            let mask = self.moment.labelled(label, field)?;
            self.label = None;
            return Ok(mask);
        }
        let seen = self.moment.seen | seen::DATE;
        let before_date = fields.len() >= 2 && fields.last_kind() == Some(Kind::Date);
        match field.iter().position(|byte| *byte == b'.') {
            Some(_) if index == 0 && before_date => self.moment.date(field),
            Some(before) if before > 2 => self.moment.run_together(field, seen),
            Some(_) => Err(Fault::Format),
            None if field.len() > 4 => self.moment.run_together(field, seen),
            None => self.moment.number(field, false, seen),
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
            Word::Relative if field == b"now" => return Err(Fault::Relative),
            Word::AllBalls => {
                (self.moment.hour, self.moment.minute, self.moment.second) = (0, 0, 0);
                seen::TIME | seen::ZONE
            }
            Word::Label(label) => {
                self.label = Some(label);
                0
            }
            Word::IsoTime => {
                if !matches!(next, Some(Kind::Number | Kind::Time | Kind::Date)) {
                    return Err(Fault::Format);
                }
                self.label = Some(Label::Time);
                0
            }
            other => modifier(&mut self.moment, other)?,
        }))
    }

    fn complete(&mut self) -> Result<(), Fault> {
        self.moment.validate_date()?;
        self.moment.apply_half()?;
        self.moment.check_clock()?;
        if !self.moment.has(seen::TIME) {
            return Err(Fault::Format);
        }
        let dated = self.moment.seen & seen::DATE;
        if !self.moment.has(seen::ZONE) && dated != 0 && dated != seen::DATE {
            return Err(Fault::Format);
        }
        apply_zone(&mut self.moment, self.named_zone)
    }
}
