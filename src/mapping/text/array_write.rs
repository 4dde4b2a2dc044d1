//! The packed elements of an array to its literal.

use super::array::MAX_DIMENSIONS;
use super::array_shape::is_blank;
use super::fault::corrupt;
use super::{Writer, writer_of};
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::type_number::type_number;
use std::fmt::Write as _;

pub(super) fn write_array(element: &ColumnType, packed: &[u8], out: &mut String) -> Result<()> {
    let mut rest = packed;
    let dimensions = take(&mut rest)?;
    let (_, number) = (take(&mut rest)?, take(&mut rest)?);
    if type_number(element).is_some_and(|expected| expected as i32 != number) {
        return Err(corrupt("an array of another type than its column"));
    }
    if !(0..=MAX_DIMENSIONS as i32).contains(&dimensions) {
        return Err(corrupt("an array has too many dimensions"));
    }
    let mut lengths = [0; MAX_DIMENSIONS];
    let mut shown = String::new();
    let mut plain = true;
    for length in &mut lengths[..dimensions as usize] {
        *length = take(&mut rest)?;
        let lower = take(&mut rest)?;
        plain &= lower == 1;
        let _ = write!(shown, "[{lower}:{}]", i64::from(lower) + i64::from(*length) - 1);
    }
    let lengths = &lengths[..dimensions as usize];
    if lengths.is_empty() {
        out.push_str("{}");
        return Ok(());
    }
    if lengths.iter().any(|length| *length < 1) {
        return Err(corrupt("an array has a dimension without elements"));
    }
    if !plain {
        out.push_str(&shown);
        out.push('=');
    }
    let mut writer = Elements { element, write: writer_of(element), rest, text: String::new() };
    writer.level(lengths, out)?;
    if writer.rest.is_empty() { Ok(()) } else { Err(corrupt("an array is too long")) }
}

fn take(rest: &mut &[u8]) -> Result<i32> {
    let (field, tail) = rest.split_first_chunk().ok_or_else(|| corrupt("an array is too short"))?;
    *rest = tail;
    Ok(i32::from_be_bytes(*field))
}

struct Elements<'a> {
    element: &'a ColumnType,
    write: Writer,
    rest: &'a [u8],
    text: String,
}

impl Elements<'_> {
    fn level(&mut self, lengths: &[i32], out: &mut String) -> Result<()> {
        let Some((length, inner)) = lengths.split_first() else {
            return self.one(out);
        };
        out.push('{');
        for index in 0..*length {
            if index > 0 {
                out.push(',');
            }
            self.level(inner, out)?;
        }
        out.push('}');
        Ok(())
    }

    fn one(&mut self, out: &mut String) -> Result<()> {
        let length = take(&mut self.rest)?;
        let Ok(length) = usize::try_from(length) else {
            out.push_str("NULL");
            return Ok(());
        };
        let (field, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| corrupt("an array is too short"))?;
        self.rest = rest;
        self.text.clear();
        (self.write)(self.element, field, &mut self.text)?;
        push_quoted(&self.text, out);
        Ok(())
    }
}

fn push_quoted(text: &str, out: &mut String) {
    let special =
        |character: char| matches!(character, '"' | '\\' | '{' | '}' | ',') || is_blank(character);
    if !text.is_empty() && !text.eq_ignore_ascii_case("null") && !text.contains(special) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}
