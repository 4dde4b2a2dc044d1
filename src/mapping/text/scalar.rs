//! Truth values, whole numbers, `uuid` and `bytea`.

use super::character::no_nul;
use super::fault::{INVALID_PARAMETER, OUT_OF_RANGE, corrupt, invalid, refused};
use super::plain;
use super::space::{digits, sign, trim_end, trim_start};
use crate::error::Result;
use std::fmt::Write as _;

pub(super) fn read_bool(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let word = trim_end(trim_start(text.as_bytes()));
    // PostgreSQL takes every prefix that means only one thing: `o` alone could be on or off.
    let begins =
        |whole: &[u8]| whole.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let value = match word {
        [] | [b'o' | b'O'] => return Err(invalid("not a truth value")),
        b"1" => true,
        b"0" => false,
        _ if begins(b"true") || begins(b"yes") || begins(b"on") => true,
        _ if begins(b"false") || begins(b"no") || begins(b"off") => false,
        _ => return Err(invalid("not a truth value")),
    };
    out.push(u8::from(value));
    Ok(())
}

pub(super) fn write_bool(packed: &[u8], out: &mut String) -> Result<()> {
    let [byte] = packed else {
        return Err(corrupt("a boolean is not 1 byte long"));
    };
    out.push(if *byte == 0 { 'f' } else { 't' });
    Ok(())
}

pub(super) fn read_int2(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let value = whole(text.as_bytes(), i16::MIN.into())
        .map_err(|fault| fault.error("outside the range of smallint"))?;
    out.extend_from_slice(&(value as i16).to_be_bytes());
    Ok(())
}

pub(super) fn read_int4(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let value = whole(text.as_bytes(), i32::MIN.into())
        .map_err(|fault| fault.error("outside the range of integer"))?;
    out.extend_from_slice(&(value as i32).to_be_bytes());
    Ok(())
}

pub(super) fn read_int8(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let value = whole(text.as_bytes(), i64::MIN)
        .map_err(|fault| fault.error("outside the range of bigint"))?;
    out.extend_from_slice(&value.to_be_bytes());
    Ok(())
}

enum NoInteger {
    Syntax,
    Range,
}

impl NoInteger {
    fn error(self, range: &'static str) -> crate::error::Error {
        match self {
            Self::Syntax => invalid("not an integer"),
            Self::Range => refused(OUT_OF_RANGE, range),
        }
    }
}

/// The number of a type whose smallest value is `least`, and its largest one less without the minus.
#[inline]
fn whole(bytes: &[u8], least: i64) -> Result<i64, NoInteger> {
    match plain::whole(bytes) {
        Some(value) if (least..=-(least + 1)).contains(&value) => Ok(value),
        _ => any_whole(bytes, least),
    }
}

/// The number of a type whose smallest value is `least`; it is gathered as a negative one, which has
/// room for one more.
///
/// ORDER: as in PostgreSQL, a number too large is found before what stands behind it, but the one
/// that would be `least` with a minus only afterwards.
fn any_whole(bytes: &[u8], least: i64) -> Result<i64, NoInteger> {
    let (negative, number) = sign(trim_start(bytes));
    let length = digits(number);
    let (number, rest) = number.split_at(length);
    if length == 0 {
        return Err(NoInteger::Syntax);
    }
    let mut value = 0_i64;
    if length < 19 {
        for digit in number {
            value = value * 10 - i64::from(digit - b'0');
        }
    } else {
        for digit in number {
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_sub((digit - b'0').into()))
                .ok_or(NoInteger::Range)?;
        }
    }
    if value < least {
        return Err(NoInteger::Range);
    }
    if !trim_start(rest).is_empty() {
        return Err(NoInteger::Syntax);
    }
    if negative {
        return Ok(value);
    }
    if value == least { Err(NoInteger::Range) } else { Ok(-value) }
}

pub(super) fn write_int(packed: &[u8], length: usize, out: &mut String) -> Result<()> {
    let value: i64 = match length {
        2 => packed.try_into().map(|bytes| i16::from_be_bytes(bytes).into()),
        4 => packed.try_into().map(|bytes| i32::from_be_bytes(bytes).into()),
        _ => packed.try_into().map(i64::from_be_bytes),
    }
    .map_err(|_| corrupt("an integer does not have the length of its type"))?;
    let _ = write!(out, "{value}");
    Ok(())
}

pub(super) fn read_uuid(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let bytes = text.as_bytes();
    let (braces, mut rest) = match bytes {
        [b'{', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    for index in 0..16 {
        let [high, low, tail @ ..] = rest else {
            return Err(invalid("not a uuid"));
        };
        let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low)) else {
            return Err(invalid("not a uuid"));
        };
        out.push(high << 4 | low);
        // A hyphen may stand behind any group of four digits, except at the end.
        rest = match tail {
            [b'-', tail @ ..] if index % 2 == 1 && index < 15 => tail,
            tail => tail,
        };
    }
    match (braces, rest) {
        (false, []) | (true, [b'}']) => Ok(()),
        _ => Err(invalid("not a uuid")),
    }
}

pub(super) fn write_uuid(packed: &[u8], out: &mut String) -> Result<()> {
    if packed.len() != 16 {
        return Err(corrupt("a uuid is not 16 bytes long"));
    }
    for (index, byte) in packed.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        push_hex(*byte, out);
    }
    Ok(())
}

pub(super) fn read_bytea(text: &str, out: &mut Vec<u8>) -> Result<()> {
    match text.as_bytes() {
        [b'\\', b'x', hex @ ..] => read_hex(hex, out),
        bytes => {
            no_nul(text)?;
            read_escaped(bytes, out)
        }
    }
}

fn read_hex(mut hex: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let no_digit = || refused(INVALID_PARAMETER, "not a hexadecimal digit");
    loop {
        match hex {
            [] => return Ok(()),
            [b' ' | b'\n' | b'\t' | b'\r', rest @ ..] => hex = rest,
            [high, rest @ ..] => {
                let high = hex_digit(*high).ok_or_else(no_digit)?;
                let [low, rest @ ..] = rest else {
                    return Err(refused(INVALID_PARAMETER, "an odd number of hexadecimal digits"));
                };
                out.push(high << 4 | hex_digit(*low).ok_or_else(no_digit)?);
                hex = rest;
            }
        }
    }
}

fn read_escaped(mut bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    loop {
        match bytes {
            [] => return Ok(()),
            [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', rest @ ..] => {
                out.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                bytes = rest;
            }
            [b'\\', b'\\', rest @ ..] => {
                out.push(b'\\');
                bytes = rest;
            }
            [b'\\', ..] => return Err(invalid("an escape that bytea does not have")),
            [byte, rest @ ..] => {
                out.push(*byte);
                bytes = rest;
            }
        }
    }
}

pub(super) fn write_bytea(packed: &[u8], out: &mut String) {
    out.reserve(2 + packed.len() * 2);
    out.push_str("\\x");
    for byte in packed {
        push_hex(*byte, out);
    }
}

pub(super) fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

fn push_hex(byte: u8, out: &mut String) {
    for nibble in [byte >> 4, byte & 15] {
        out.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = fn(&str, &mut Vec<u8>) -> Result<()>;

    fn code(read: Read, text: &str) -> String {
        let error = read(text, &mut Vec::new()).unwrap_err();
        error.sqlstate().unwrap().to_string()
    }

    fn bytes(read: Read, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        read(text, &mut out).unwrap();
        out
    }

    #[test]
    fn a_truth_value_may_be_any_unambiguous_prefix() {
        for text in ["t", "TRU", " yes\n", "on", "1", "y"] {
            assert_eq!(bytes(read_bool, text), [1], "{text}");
        }
        for text in ["f", "fALse", "n", "of", "0", "\x0bno "] {
            assert_eq!(bytes(read_bool, text), [0], "{text}");
        }
        for text in ["", " ", "o", "2", "truex", "10", "t f"] {
            assert_eq!(code(read_bool, text), "22P02", "{text}");
        }
    }

    #[test]
    fn integers_stop_at_their_edges() {
        assert_eq!(bytes(read_int2, " -32768 "), i16::MIN.to_be_bytes());
        assert_eq!(bytes(read_int4, "+2147483647"), i32::MAX.to_be_bytes());
        assert_eq!(bytes(read_int8, "-9223372036854775808"), i64::MIN.to_be_bytes());
        assert_eq!(code(read_int2, "32768"), "22003");
        assert_eq!(code(read_int4, "-2147483649"), "22003");
        assert_eq!(code(read_int8, "9223372036854775808"), "22003");
        assert_eq!(code(read_int8, "99999999999999999999x"), "22003");
    }

    #[test]
    fn what_later_versions_allow_in_integers_is_refused() {
        for text in ["0x10", "1_000", "1.0", "", "-", "+-1", "1 2", "1e3"] {
            assert_eq!(code(read_int4, text), "22P02", "{text}");
        }
    }

    #[test]
    fn a_uuid_is_read_in_all_its_forms() {
        let expected = bytes(read_uuid, "a0eebc999c0b4ef8bb6d6bb9bd380a11");
        for text in [
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ] {
            assert_eq!(bytes(read_uuid, text), expected, "{text}");
        }
        for text in ["", " a0eebc999c0b4ef8bb6d6bb9bd380a11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11"] {
            assert_eq!(code(read_uuid, text), "22P02", "{text}");
        }
    }

    #[test]
    fn bytea_is_read_as_hex_and_as_escapes() {
        assert_eq!(bytes(read_bytea, "\\xDE ad\n"), [0xde, 0xad]);
        assert_eq!(bytes(read_bytea, "a\\\\b\\377"), [b'a', b'\\', b'b', 0xff]);
        assert_eq!(code(read_bytea, "\\x1"), "22023");
        assert_eq!(code(read_bytea, "\\x1g"), "22023");
        assert_eq!(code(read_bytea, "\\400"), "22P02");
    }
}
