//! A date with delimiters cut into its numbers and words.

use super::super::space::digits;
use super::words::{Word, date_word};

/// NOTE: PostgreSQL takes the words it ignores for numbers here, and then refuses them.
pub(super) fn is_number(part: &[u8]) -> bool {
    !starts_with_letter(&part) || date_word(part) == Some(Word::Ignored)
}

pub(super) fn starts_with_letter(part: &&[u8]) -> bool {
    part.first().is_some_and(u8::is_ascii_alphabetic)
}

/// Runs of digits and of letters.
///
/// NOTE: one character behind each run is passed over whatever it is, as in PostgreSQL.
pub(super) struct DateParts<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for DateParts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let start = self.0.iter().position(u8::is_ascii_alphanumeric);
        let Some(start) = start else {
            self.0 = &[];
            return Some(&[]);
        };
        let part = &self.0[start..];
        let length = if part[0].is_ascii_digit() {
            digits(part)
        } else {
            part.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(part.len())
        };
        let (part, rest) = part.split_at(length);
        self.0 = rest.get(1..).unwrap_or_default();
        Some(part)
    }
}
