//! `json` and `jsonb`: checked as PostgreSQL's parser does, and kept as they are written.

use super::fault::{TOO_DEEP, UNTRANSLATABLE, corrupt, invalid, refused};
use super::numeric;
use super::scalar::hex_digit;
use super::space::digits;
use crate::error::{Error, Result};

/// How deep arrays and objects may be nested. PostgreSQL's own limit depends on its
/// `max_stack_depth` and is somewhat higher.
const MAX_DEPTH: usize = 4_096;
const VERSION: u8 = 1;

pub(super) fn read_json(text: &str, out: &mut Vec<u8>) -> Result<()> {
    check(text, false)?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

pub(super) fn read_jsonb(text: &str, out: &mut Vec<u8>) -> Result<()> {
    check(text, true)?;
    out.push(VERSION);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

pub(super) fn write_jsonb(packed: &[u8], out: &mut String) -> Result<()> {
    let Some((&VERSION, text)) = packed.split_first() else {
        return Err(corrupt("a jsonb of an unknown version"));
    };
    super::character::write_text(text, out)
}

fn syntax() -> Error {
    invalid("not valid JSON")
}

/// What may come next.
#[derive(Clone, Copy)]
enum Expected {
    Value,
    /// The first element of an array, or its end.
    FirstElement,
    /// The first key of an object, or its end.
    FirstKey,
    Key,
    /// A comma, or the end of the array or object.
    Separator,
    End,
}

/// Checks a text. `binary` adds what only `jsonb` asks for: escapes that are characters, numbers
/// that fit `numeric`.
fn check(text: &str, binary: bool) -> Result<()> {
    let mut rest = text.as_bytes();
    let mut nesting = Nesting { objects: [0; MAX_DEPTH / 64], depth: 0 };
    let mut expected = Expected::Value;
    loop {
        rest = skip_blanks(rest);
        let [first, tail @ ..] = rest else {
            return if matches!(expected, Expected::End) { Ok(()) } else { Err(syntax()) };
        };
        (rest, expected) = match (expected, first) {
            (Expected::Value | Expected::FirstElement, b'{') => {
                nesting.open(true)?;
                (tail, Expected::FirstKey)
            }
            (Expected::Value | Expected::FirstElement, b'[') => {
                nesting.open(false)?;
                (tail, Expected::FirstElement)
            }
            (Expected::FirstElement | Expected::Separator, b']') if !nesting.in_object() => {
                (tail, nesting.close())
            }
            (Expected::FirstKey | Expected::Separator, b'}') if nesting.in_object() => {
                (tail, nesting.close())
            }
            (Expected::Separator, b',') if nesting.in_object() => (tail, Expected::Key),
            (Expected::Separator, b',') => (tail, Expected::Value),
            (Expected::FirstKey | Expected::Key, b'"') => {
                let rest = skip_blanks(string(tail, binary)?);
                let [b':', tail @ ..] = rest else {
                    return Err(unexpected(rest, binary));
                };
                (tail, Expected::Value)
            }
            (Expected::Value | Expected::FirstElement, _) => {
                (scalar(rest, binary)?, nesting.after_value())
            }
            _ => return Err(unexpected(rest, binary)),
        };
    }
}

/// The error for a token that does not belong where it stands: its own, if it has one.
fn unexpected(rest: &[u8], binary: bool) -> Error {
    look_ahead(rest, binary).err().unwrap_or_else(syntax)
}

/// Looks whether the next token is one at all.
fn look_ahead(rest: &[u8], binary: bool) -> Result<()> {
    match skip_blanks(rest) {
        [] | [b'{' | b'}' | b'[' | b']' | b',' | b':', ..] => Ok(()),
        rest => token(rest, binary).map(drop),
    }
}

/// Which of the arrays and objects around are objects.
struct Nesting {
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Nesting {
    fn open(&mut self, object: bool) -> Result<()> {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        let Some(flags) = self.objects.get_mut(word) else {
            return Err(refused(TOO_DEEP, "JSON is nested too deep"));
        };
        *flags = *flags & !(1 << bit) | u64::from(object) << bit;
        self.depth += 1;
        Ok(())
    }

    fn in_object(&self) -> bool {
        let Some(last) = self.depth.checked_sub(1) else { return false };
        self.objects[last / 64] >> (last % 64) & 1 == 1
    }

    fn close(&mut self) -> Expected {
        self.depth -= 1;
        self.after_value()
    }

    fn after_value(&self) -> Expected {
        if self.depth == 0 { Expected::End } else { Expected::Separator }
    }
}

fn skip_blanks(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn scalar(bytes: &[u8], binary: bool) -> Result<&[u8]> {
    let rest = token(bytes, binary)?;
    let text = &bytes[..bytes.len() - rest.len()];
    let number = text.first().is_some_and(|first| matches!(first, b'-' | b'0'..=b'9'));
    if binary && number && (text.len() > 16 || text.iter().any(u8::is_ascii_alphabetic)) {
        // PostgreSQL looks at the next token before it makes a number of this one.
        look_ahead(rest, binary)?;
        let text = std::str::from_utf8(text).map_err(|_| syntax())?;
        numeric::parse(text, None, &mut Vec::new())?;
    }
    Ok(rest)
}

/// A word, a number or a string at the beginning; returns what is behind it.
fn token(bytes: &[u8], binary: bool) -> Result<&[u8]> {
    let rest = match bytes {
        [b'"', rest @ ..] => return string(rest, binary),
        [b't', b'r', b'u', b'e', rest @ ..]
        | [b'n', b'u', b'l', b'l', rest @ ..]
        | [b'f', b'a', b'l', b's', b'e', rest @ ..] => rest,
        _ => number(bytes)?,
    };
    // A word or a number ends where its letters end: `nullx` and `1a` are no tokens.
    match rest.first() {
        Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80 => {
            Err(syntax())
        }
        _ => Ok(rest),
    }
}

fn number(bytes: &[u8]) -> Result<&[u8]> {
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(&bytes[at..]);
    if whole == 0 || (whole > 1 && bytes[at] == b'0') {
        return Err(syntax());
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let places = digits(&bytes[at + 1..]);
        if places == 0 {
            return Err(syntax());
        }
        at += 1 + places;
    }
    if let Some([b'e' | b'E', rest @ ..]) = bytes.get(at..) {
        let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let exponent = digits(&rest[sign..]);
        if exponent == 0 {
            return Err(syntax());
        }
        at += 1 + sign + exponent;
    }
    Ok(&bytes[at..])
}

/// Checks a string from behind its first quote and returns what is behind its last.
fn string(mut bytes: &[u8], binary: bool) -> Result<&[u8]> {
    let mut high_surrogate = false;
    loop {
        let plain = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..32));
        let (before, rest) = bytes.split_at(plain.unwrap_or(bytes.len()));
        if high_surrogate && (!before.is_empty() || rest.first() == Some(&b'"')) {
            return Err(surrogate());
        }
        match rest {
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', b'u', rest @ ..] => {
                let (unit, tail) = rest.split_at_checked(4).ok_or_else(syntax)?;
                let unit = code_unit(unit).ok_or_else(syntax)?;
                if binary {
                    high_surrogate = check_unit(unit, high_surrogate)?;
                }
                bytes = tail;
            }
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => {
                if high_surrogate {
                    return Err(surrogate());
                }
                bytes = rest;
            }
            _ => return Err(syntax()),
        }
    }
}

fn code_unit(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |unit, digit| Some(unit << 4 | u32::from(hex_digit(*digit)?)))
}

/// Returns whether the unit asks for a second one.
fn check_unit(unit: u32, after_high: bool) -> Result<bool> {
    match (after_high, unit) {
        (true, 0xDC00..=0xDFFF) => Ok(false),
        (true, _) | (false, 0xDC00..=0xDFFF) => Err(surrogate()),
        (false, 0) => Err(refused(UNTRANSLATABLE, "an escaped NUL in a jsonb")),
        (false, 0xD800..=0xDBFF) => Ok(true),
        (false, _) => Ok(false),
    }
}

fn surrogate() -> Error {
    invalid("half of a surrogate pair in JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, binary: bool) -> String {
        match check(text, binary) {
            Ok(()) => "ok".to_owned(),
            Err(error) => error.sqlstate().unwrap().to_string(),
        }
    }

    #[test]
    fn valid_json_is_kept_verbatim() {
        let text = " {\"a\" : [1, -2.5e+3, {}, [], null], \"a\": \"\\u00e9\\n\"}\n";
        let mut out = Vec::new();
        read_jsonb(text, &mut out).unwrap();
        assert_eq!((out[0], &out[1..]), (1, text.as_bytes()));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\"}",
            "{,}",
            "01",
            "1.",
            "-",
            "+1",
            ".5",
            "1e",
            "nul",
            "nulls",
            "'a'",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "[1 2]",
            "{\"a\":1,}",
            "1 2",
            "\"\n\"",
            "]",
            "[}",
            "{a:1}",
            "True",
            "NaN",
            "1_0",
        ] {
            assert_eq!(code(text, false), "22P02", "{text}");
        }
    }

    #[test]
    fn jsonb_asks_for_characters_and_numbers_that_it_can_hold() {
        for (text, json, jsonb) in [
            ("\"\\u0000\"", "ok", "22P05"),
            ("\"\\ud83d\"", "ok", "22P02"),
            ("\"\\ud83d\\ude00\"", "ok", "ok"),
            ("\"\\ude00\"", "ok", "22P02"),
            ("\"\\ud83dx\"", "ok", "22P02"),
            ("1e400000", "ok", "22003"),
        ] {
            assert_eq!(code(text, false), json, "{text}");
            assert_eq!(code(text, true), jsonb, "{text}");
        }
    }

    #[test]
    fn depth_has_a_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(code(&nested(MAX_DEPTH), true), "ok");
        assert_eq!(code(&nested(MAX_DEPTH + 1), true), "54001");
    }
}
