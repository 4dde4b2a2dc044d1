//! `numeric`: decimal text to packed digits of base 10000, and back.
//!
//! Packed, as `numeric_send` writes it: the number of digits, the weight of the first one (its
//! power of 10000), the sign and the number of decimals, each 16 bits, and then the digits, 16 bits
//! each. Neither the first nor the last digit is 0.

pub use super::numeric_format::format;

use super::fault::{OUT_OF_RANGE, invalid, refused};
use super::numeric_rounding::Number;
use super::numeric_small;
use super::plain;
use super::space::{digits, sign, starts_with_ignoring_case, trim_start};
use crate::error::{Error, Result};

const HEADER: usize = 8;
pub(super) const POSITIVE: u16 = 0x0000;
pub(super) const NEGATIVE: u16 = 0x4000;
pub(super) const NAN: u16 = 0xC000;
pub(super) const INFINITY: u16 = 0xD000;
pub(super) const MINUS_INFINITY: u16 = 0xF000;
pub(super) const MAX_SCALE: i64 = 16_383;
/// PostgreSQL's server writes this scale with both infinities.
const INFINITE_SCALE: u16 = 32;

/// Appends the packed value of a decimal text, rounded half away from zero to `modifiers`
/// (precision and scale) where there are some.
///
/// # Errors
/// `Encode`: 22P02 if it is no number, 22003 if it is outside the range of the type.
pub fn parse(text: &str, modifiers: Option<(u16, i16)>, out: &mut Vec<u8>) -> Result<()> {
    if let Some(decimal) = plain::decimal(text.as_bytes())
        && let Some(scale) = exact_scale(&decimal, modifiers)
    {
        write_plain(&decimal, scale, out);
        return Ok(());
    }
    parse_any(text, modifiers, out)
}

fn parse_any(text: &str, modifiers: Option<(u16, i16)>, out: &mut Vec<u8>) -> Result<()> {
    let bytes = trim_start(text.as_bytes());
    if let Some((special, rest)) = special(bytes) {
        if !trim_start(rest).is_empty() {
            return Err(syntax());
        }
        if special != NAN && modifiers.is_some() {
            return Err(overflow());
        }
        let scale = if special == NAN { 0 } else { INFINITE_SCALE };
        write_header(out, [0, 0, special, scale]);
        return Ok(());
    }
    Decimal::scan(bytes)?.write(modifiers, out)
}

/// The scale of a number that needs no rounding and is not too large.
#[inline]
fn exact_scale(decimal: &plain::Decimal, modifiers: Option<(u16, i16)>) -> Option<u16> {
    let Some((precision, scale)) = modifiers else {
        return Some(decimal.fraction.1 as u16);
    };
    let scale = u16::try_from(scale).ok()?;
    let fits = decimal.fraction.1 <= scale.into()
        && decimal.whole.1 + usize::from(scale) <= precision.into();
    fits.then_some(scale)
}

#[inline]
fn write_plain(decimal: &plain::Decimal, scale: u16, out: &mut Vec<u8>) {
    let ((whole, before), (fraction, behind)) = (decimal.whole, decimal.fraction);
    if before + behind > numeric_small::DIGITS {
        return write_long(decimal, scale, out);
    }
    let coefficient = whole * numeric_small::POWERS[behind] + fraction;
    let (bytes, length) = numeric_small::pack(decimal.negative, coefficient, behind as u16, scale);
    let end = out.len() + length;
    out.extend_from_slice(&bytes);
    out.truncate(end);
}

fn write_long(decimal: &plain::Decimal, scale: u16, out: &mut Vec<u8>) {
    const WHOLE: usize = plain::DIGITS / 4;
    let mut groups = [0_u16; 2 * WHOLE];
    let (mut value, _) = decimal.whole;
    let mut start = WHOLE;
    while value != 0 {
        start -= 1;
        groups[start] = (value % 10_000) as u16;
        value /= 10_000;
    }
    let (digits, length) = decimal.fraction;
    let mut end = WHOLE + length.div_ceil(4);
    let mut value = digits * [1, 1_000, 100, 10][length % 4];
    for group in groups[WHOLE..end].iter_mut().rev() {
        *group = (value % 10_000) as u16;
        value /= 10_000;
    }
    while start < end && groups[end - 1] == 0 {
        end -= 1;
    }
    while start < end && groups[start] == 0 {
        start += 1;
    }
    if start == end {
        write_header(out, [0, 0, POSITIVE, scale]);
        return;
    }
    let sign = if decimal.negative { NEGATIVE } else { POSITIVE };
    let weight = WHOLE as i16 - 1 - start as i16;
    write_header(out, [(end - start) as u16, weight as u16, sign, scale]);
    for group in &groups[start..end] {
        out.extend_from_slice(&group.to_be_bytes());
    }
}

fn syntax() -> Error {
    invalid("not a number")
}

pub(super) fn overflow() -> Error {
    refused(OUT_OF_RANGE, "outside the range of its numeric type")
}

fn special(bytes: &[u8]) -> Option<(u16, &[u8])> {
    if bytes.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    for (word, sign) in [
        (&b"NaN"[..], NAN),
        (b"Infinity", INFINITY),
        (b"+Infinity", INFINITY),
        (b"-Infinity", MINUS_INFINITY),
        (b"inf", INFINITY),
        (b"+inf", INFINITY),
        (b"-inf", MINUS_INFINITY),
    ] {
        if starts_with_ignoring_case(bytes, word) {
            return Some((sign, &bytes[word.len()..]));
        }
    }
    None
}

fn write_header(out: &mut Vec<u8>, header: [u16; 4]) {
    out.extend_from_slice(header.map(u16::to_be_bytes).as_flattened());
}

/// The parts of a decimal text.
struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn scan(bytes: &'a [u8]) -> Result<Self> {
        let (negative, rest) = sign(bytes);
        let (whole, rest) = rest.split_at(digits(rest));
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => rest.split_at(digits(rest)),
            rest => (&rest[..0], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(syntax());
        }
        let (exponent, rest) = match rest {
            [b'e' | b'E', rest @ ..] => exponent(rest)?,
            rest => (0, rest),
        };
        if !trim_start(rest).is_empty() {
            return Err(syntax());
        }
        Ok(Self { negative, whole, fraction, exponent })
    }

    fn write(&self, modifiers: Option<(u16, i16)>, out: &mut Vec<u8>) -> Result<()> {
        let at = out.len();
        out.extend_from_slice(&[0; HEADER]);
        // The power of ten of the first decimal digit, and of 10000 of its group.
        let first = self.whole.len() as i64 - 1 + self.exponent;
        let weight = first.div_euclid(4);
        let padding = (weight + 1) * 4 - (first + 1);
        let mut number = Number {
            out,
            at: at + HEADER,
            weight,
            scale: (self.fraction.len() as i64 - self.exponent).max(0),
        };
        number.push_groups(self.whole, self.fraction, padding as usize);
        number.strip();
        if let Some((precision, scale)) = modifiers {
            number.round(scale.into());
            number.check_precision(i64::from(precision) - i64::from(scale))?;
        }
        number.finish(self.negative, at)
    }
}

/// What stands behind the `e`: C's `strtol`, which allows blanks and a sign there.
fn exponent(bytes: &[u8]) -> Result<(i64, &[u8])> {
    const LIMIT: i64 = (i32::MAX / 2) as i64;
    let (negative, rest) = sign(trim_start(bytes));
    let (text, rest) = rest.split_at(digits(rest));
    if text.is_empty() {
        return Err(syntax());
    }
    let value = text
        .iter()
        .fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add((digit - b'0').into()));
    if value >= LIMIT {
        return Err(overflow());
    }
    Ok((if negative { -value } else { value }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, modifiers: Option<(u16, i16)>) -> std::result::Result<String, String> {
        let mut packed = Vec::new();
        parse(text, modifiers, &mut packed)
            .map_err(|error| error.sqlstate().unwrap().to_string())?;
        let mut out = String::new();
        format(&packed, &mut out).unwrap();
        Ok(out)
    }

    #[test]
    fn decimals_keep_their_scale() {
        for (text, expected) in [
            ("1.500", "1.500"),
            ("-0.00012", "-0.00012"),
            ("0", "0"),
            ("-0.00", "0.00"),
            ("00012345678901234567890.1", "12345678901234567890.1"),
            ("1.5e3", "1500"),
            ("15e-3", "0.015"),
            (".5", "0.5"),
            ("5.", "5"),
            (" +inf ", "Infinity"),
            ("nAn", "NaN"),
        ] {
            assert_eq!(read(text, None).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        for (text, precision, scale, expected) in [
            ("1.005", 10, 2, "1.01"),
            ("-1.005", 10, 2, "-1.01"),
            ("9.995", 4, 2, "10.00"),
            ("99999.5", 6, 0, "100000"),
            ("12345", 3, -2, "12300"),
            ("49", 3, -2, "0"),
            ("50", 3, -2, "100"),
            ("0.00005", 3, 4, "0.0001"),
            ("0.99995", 5, 4, "1.0000"),
        ] {
            assert_eq!(read(text, Some((precision, scale))).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_out_of_range() {
        for (text, modifiers) in [
            ("100", Some((2, 0))),
            ("9.999", Some((3, 2))),
            ("inf", Some((10, 2))),
            ("1e131072", None),
            ("1e-16384", None),
            ("1e9999999999x", None),
        ] {
            assert_eq!(read(text, modifiers), Err("22003".to_owned()), "{text}");
        }
        assert!(read("9.995", Some((3, 2))).is_err());
        assert!(read("1e131071", None).is_ok());
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "-", "1.2.3", "1e", "0x1", "1_0", "1 2", "infinit", "- 1"] {
            assert_eq!(read(text, None), Err("22P02".to_owned()), "{text}");
        }
    }

    #[test]
    fn corrupt_bytes_are_an_error() {
        for packed in [&[][..], &[0; 7], &[0, 1, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 1, 0, 0, 0]] {
            assert!(format(packed, &mut String::new()).is_err());
        }
        assert!(format(&[0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10], &mut String::new()).is_err());
    }

    proptest! {
        #[test]
        fn the_short_way_and_the_long_way_agree(
            text in "-?[0-9]{1,16}(\\.[0-9]{1,16})?", scale in -2_i16..20
        ) {
            for modifiers in [None, Some((20, scale))] {
                let mut long = Vec::new();
                let written = parse_any(&text, modifiers, &mut long).is_ok();
                let decimal = plain::decimal(text.as_bytes()).unwrap();
                if let Some(scale) = exact_scale(&decimal, modifiers) {
                    prop_assert!(written);
                    let mut short = Vec::new();
                    write_plain(&decimal, scale, &mut short);
                    prop_assert_eq!(&short, &long);
                }
            }
        }
    }
}
