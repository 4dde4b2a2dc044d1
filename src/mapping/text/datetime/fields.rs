//! A text cut into fields: `ParseDateTime`.

use super::super::space::{digits, is_space};
use super::Fault;
use super::words;

const MAX_FIELDS: usize = 25;
const MAX_BYTES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits, perhaps with a decimal point.
    Number,
    /// Digits with delimiters, or letters with delimiters: also names of time zones.
    Date,
    /// Digits with colons.
    Time,
    /// Letters.
    Word,
    /// A sign and letters.
    Signed,
    /// A sign and digits.
    Zone,
}

/// The fields of a text, in lower case.
pub(super) struct Fields {
    bytes: [u8; MAX_BYTES],
    used: usize,
    room: usize,
    list: [(Kind, usize, usize); MAX_FIELDS],
    count: usize,
}

impl Fields {
    /// Cuts a text. `room` is PostgreSQL's work space in bytes (at most 256): each field takes its
    /// length and one more, and a text that needs more is refused.
    pub(super) fn cut(text: &[u8], room: usize) -> Result<Self, Fault> {
        let mut fields = Self {
            bytes: [0; MAX_BYTES],
            used: 0,
            room: room.min(MAX_BYTES),
            list: [(Kind::Number, 0, 0); MAX_FIELDS],
            count: 0,
        };
        let mut rest = text;
        while let [first, tail @ ..] = rest {
            if is_space(*first) {
                rest = tail;
                continue;
            }
            if fields.count >= MAX_FIELDS {
                return Err(Fault::Format);
            }
            rest = match first {
                b'0'..=b'9' => fields.cut_number(rest)?,
                b'.' => fields.take(Kind::Number, rest, 1 + digits(tail))?,
                b'a'..=b'z' | b'A'..=b'Z' => fields.cut_word(rest)?,
                b'+' | b'-' => fields.cut_signed(rest)?,
                _ if first.is_ascii_punctuation() => tail,
                _ => return Err(Fault::Format),
            };
        }
        Ok(fields)
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn kind(&self, index: usize) -> Option<Kind> {
        self.list[..self.count].get(index).map(|field| field.0)
    }

    pub(super) fn last_kind(&self) -> Option<Kind> {
        self.kind(self.count.wrapping_sub(1))
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (Kind, &[u8])> {
        self.list[..self.count].iter().map(|(kind, start, end)| (*kind, &self.bytes[*start..*end]))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.used + bytes.len() >= self.room {
            return Err(Fault::Format);
        }
        self.bytes[self.used..self.used + bytes.len()].copy_from_slice(bytes);
        self.bytes[self.used..self.used + bytes.len()].make_ascii_lowercase();
        self.used += bytes.len();
        Ok(())
    }

    fn take<'a>(&mut self, kind: Kind, text: &'a [u8], length: usize) -> Result<&'a [u8], Fault> {
        let start = self.used;
        let (field, rest) = text.split_at(length);
        self.append(field)?;
        self.end(kind, start);
        Ok(rest)
    }

    fn end(&mut self, kind: Kind, start: usize) {
        self.list[self.count] = (kind, start, self.used);
        self.count += 1;
        self.used += 1;
    }

    fn cut_number<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Fault> {
        let first = digits(text);
        let (kind, length) = match text.get(first) {
            Some(b':') => {
                let more = while_in(&text[first..], |byte| {
                    byte.is_ascii_digit() || matches!(byte, b':' | b'.')
                });
                (Kind::Time, first + more)
            }
            Some(delimiter @ (b'-' | b'/' | b'.')) => {
                let (kind, more) = after_delimiter(*delimiter, &text[first + 1..]);
                (kind, first + 1 + more)
            }
            _ => (Kind::Number, first),
        };
        self.take(kind, text, length)
    }

    fn cut_word<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Fault> {
        let letters = while_in(text, |byte| byte.is_ascii_alphabetic());
        // A digit or a plus ends a keyword, but may be part of the name of a time zone.
        let joined = match text.get(letters) {
            Some(b'-' | b'/' | b'.') => true,
            Some(b'+' | b'0'..=b'9') => !words::is_date_word(&text[..letters]),
            _ => false,
        };
        if !joined {
            return self.take(Kind::Word, text, letters);
        }
        let more = while_in(&text[letters + 1..], |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'/' | b'_' | b'.' | b':')
        });
        self.take(Kind::Date, text, letters + 1 + more)
    }

    fn cut_signed<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Fault> {
        let start = self.used;
        self.append(&text[..1])?;
        let text = &text[1..];
        let text = &text[while_in(text, is_space)..];
        let (kind, length) = match text.first() {
            Some(b'0'..=b'9') => {
                let zone = |byte: u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-');
                (Kind::Zone, while_in(text, zone))
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                (Kind::Signed, while_in(text, |byte| byte.is_ascii_alphabetic()))
            }
            _ => return Err(Fault::Format),
        };
        self.append(&text[..length])?;
        self.end(kind, start);
        Ok(&text[length..])
    }
}

fn while_in(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !wanted(*byte)).unwrap_or(bytes.len())
}

/// What belongs to a date or a decimal number behind its first delimiter.
fn after_delimiter(delimiter: u8, text: &[u8]) -> (Kind, usize) {
    let second = digits(text);
    if second == 0 {
        // A month may be a word: 8-Jan-1999.
        let length = while_in(text, |byte| byte.is_ascii_alphanumeric() || byte == delimiter);
        return (Kind::Date, length);
    }
    if text.get(second) == Some(&delimiter) {
        let third = while_in(&text[second..], |byte| byte.is_ascii_digit() || byte == delimiter);
        return (Kind::Date, second + third);
    }
    (if delimiter == b'.' { Kind::Number } else { Kind::Date }, second)
}
