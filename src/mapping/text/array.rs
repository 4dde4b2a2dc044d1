//! The literal of an array, `{a,"b c",NULL,{..}}` with its dimensions, to its packed elements.

use super::array_shape::{Shape, is_blank};
use super::fault::{INVALID_TEXT, refused};
use super::{Reader, reader_of};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::type_number::element_number;

pub(super) const MAX_DIMENSIONS: usize = 6;

fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "an array of a type that only the database knows")
        .with_hint("load it as text into a staging column and cast it there")
}

pub(super) fn malformed() -> Error {
    refused(INVALID_TEXT, "not an array literal")
}

pub(super) fn read_array(element: &ColumnType, text: &str, out: &mut Vec<u8>) -> Result<()> {
    let number = element_number(element).ok_or_else(unsupported)?;
    super::character::no_nul(text)?;
    let (shape, body) = Shape::of(text)?;
    let items = shape.items();
    if items == 0 {
        for field in [0, 0, number] {
            out.extend_from_slice(&field.to_be_bytes());
        }
        return Ok(());
    }
    let mut parser = Parser {
        shape: &shape,
        index: [0; MAX_DIMENSIONS],
        level: 0,
        element,
        read: reader_of(element),
        packed: Vec::new(),
        found: vec![None; items],
        text: String::new(),
    };
    parser.run(body)?;
    let has_null = parser.found.contains(&None);
    for field in [shape.dimensions as u32, has_null.into(), number] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    for dimension in 0..shape.dimensions {
        out.extend_from_slice(&shape.lengths[dimension].to_be_bytes());
        out.extend_from_slice(&shape.lower[dimension].to_be_bytes());
    }
    for found in parser.found {
        match found {
            None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some((start, end)) => {
                out.extend_from_slice(&((end - start) as u32).to_be_bytes());
                out.extend_from_slice(&parser.packed[start..end]);
            }
        }
    }
    Ok(())
}

/// Reads the elements into the places that the braces give them.
struct Parser<'a> {
    shape: &'a Shape,
    index: [usize; MAX_DIMENSIONS],
    level: usize,
    element: &'a ColumnType,
    read: Reader,
    /// The packed elements, one after the other.
    packed: Vec<u8>,
    /// Where each of them lies; `None` for NULL.
    found: Vec<Option<(usize, usize)>>,
    text: String,
}

impl Parser<'_> {
    fn run(&mut self, body: &str) -> Result<()> {
        let mut rest = body;
        loop {
            let (place, quoted, done, tail) = self.item(rest)?;
            rest = tail;
            let place = place.filter(|place| *place < self.found.len()).ok_or_else(malformed)?;
            self.found[place] = if !quoted && self.text.eq_ignore_ascii_case("null") {
                None
            } else {
                let start = self.packed.len();
                (self.read)(self.element, &self.text, &mut self.packed)?;
                Some((start, self.packed.len()))
            };
            if done {
                return Ok(());
            }
        }
    }

    /// Reads one element into `text`: returns its place, whether anything of it was quoted, whether
    /// the array ends behind it, and what is behind it.
    fn item<'t>(&mut self, text: &'t str) -> Result<(Option<usize>, bool, bool, &'t str)> {
        self.text.clear();
        let (mut place, mut in_quotes, mut quoted, mut kept) = (None, false, false, 0);
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => {
                    self.text.push(characters.next().ok_or_else(malformed)?);
                    kept = self.text.len();
                    quoted = true;
                }
                '"' => {
                    in_quotes = !in_quotes;
                    quoted = true;
                    kept = self.text.len();
                }
                _ if in_quotes => self.text.push(character),
                '{' => self.open()?,
                '}' => {
                    if place.is_none() {
                        place = Some(self.place());
                    }
                    if self.close()? {
                        self.text.truncate(kept);
                        return Ok((place, quoted, true, characters.as_str()));
                    }
                }
                ',' => {
                    let place = place.unwrap_or_else(|| self.place());
                    self.index[self.shape.dimensions - 1] += 1;
                    self.text.truncate(kept);
                    return Ok((Some(place), quoted, false, characters.as_str()));
                }
                _ if is_blank(character) => {
                    // Blanks before an element are dropped, those behind it at its end.
                    if kept > 0 || quoted {
                        self.text.push(character);
                    }
                }
                _ => {
                    self.text.push(character);
                    kept = self.text.len();
                }
            }
        }
        Err(malformed())
    }

    fn open(&mut self) -> Result<()> {
        if self.level >= self.shape.dimensions {
            return Err(malformed());
        }
        self.index[self.level] = 0;
        self.level += 1;
        Ok(())
    }

    /// Returns whether it was the last brace.
    fn close(&mut self) -> Result<bool> {
        self.level = self.level.checked_sub(1).ok_or_else(malformed)?;
        self.index[self.level] = 0;
        if let Some(outer) = self.level.checked_sub(1) {
            self.index[outer] += 1;
        }
        Ok(self.level == 0)
    }

    fn place(&self) -> usize {
        (0..self.shape.dimensions).fold(0, |place, dimension| {
            place
                .saturating_mul(self.shape.lengths[dimension] as usize)
                .saturating_add(self.index[dimension])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::array_write::write_array;
    use super::*;

    fn shown(element: &ColumnType, text: &str) -> std::result::Result<String, String> {
        let mut packed = Vec::new();
        read_array(element, text, &mut packed)
            .map_err(|error| error.sqlstate().map_or_else(String::new, |code| code.to_string()))?;
        let mut out = String::new();
        write_array(element, &packed, &mut out).unwrap();
        Ok(out)
    }

    #[test]
    fn arrays_are_read_and_quoted_like_postgresql() {
        for (text, expected) in [
            ("{}", "{}"),
            (" { a , \"b c\" , null , \"NULL\" } ", "{a,\"b c\",NULL,\"NULL\"}"),
            ("{{a,b},{c,d}}", "{{a,b},{c,d}}"),
            ("[2:3]={x,y}", "[2:3]={x,y}"),
            ("{a\\,b,\"\"}", "{\"a,b\",\"\"}"),
            ("{a b}", "{\"a b\"}"),
        ] {
            assert_eq!(shown(&ColumnType::Text, text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(shown(&ColumnType::Int4, "{ 1,2 }").as_deref(), Ok("{1,2}"));
        let mood = ColumnType::Enum("mood".into());
        assert_eq!(shown(&mood, "{sad,\"very happy\"}").as_deref(), Ok("{sad,\"very happy\"}"));
    }

    #[test]
    fn malformed_arrays_are_refused() {
        for text in [
            "",
            "a",
            "{",
            "{a",
            "{a}}",
            "{a,}",
            "{,a}",
            "{{a},{b,c}}",
            "{a,{b}}",
            "[1:3]={a}",
            "{a}x",
        ] {
            assert_eq!(shown(&ColumnType::Text, text), Err("22P02".to_owned()), "{text}");
        }
        assert_eq!(shown(&ColumnType::Text, "[3:2]={a}"), Err("2202E".to_owned()));
        assert_eq!(shown(&ColumnType::Int2, "{40000}"), Err("22003".to_owned()));
    }

    #[test]
    fn an_array_of_a_type_of_the_database_is_unsupported() {
        let error = read_array(&ColumnType::Other("mood".into()), "{a}", &mut Vec::new());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
