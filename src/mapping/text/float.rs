//! `real` and `double precision`: what C's `strtod` reads, and the shortest text that reads back.

use super::fault::{OUT_OF_RANGE, corrupt, invalid, refused};
use super::hex_float;
use super::space::{digits, sign, starts_with_ignoring_case, trim_start};
use crate::error::Result;
use std::fmt::Write as _;

pub(super) fn read_float4(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let (scanned, junk) = scan(text)?;
    let bits = match scanned {
        Scanned::Decimal(decimal, zero) => {
            let value: f32 = decimal.parse().map_err(|_| syntax())?;
            in_range((value == 0.0 && !zero) || value.is_infinite(), "outside the range of real")?;
            value.to_bits()
        }
        Scanned::Hex(hex) => {
            let bits = hex.round(24, -149) as u32;
            let lost = hex.mantissa != 0 && (bits == 0 || bits >= f32::INFINITY.to_bits());
            in_range(lost, "outside the range of real")?;
            bits | (u32::from(hex.negative) << 31)
        }
        Scanned::Infinity(negative) => f32::INFINITY.to_bits() | (u32::from(negative) << 31),
        Scanned::Nan(negative, payload) => {
            f32::NAN.to_bits() | (payload as u32 & 0x003f_ffff) | (u32::from(negative) << 31)
        }
    };
    no_junk(junk)?;
    out.extend_from_slice(&bits.to_be_bytes());
    Ok(())
}

pub(super) fn read_float8(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let (scanned, junk) = scan(text)?;
    let bits = match scanned {
        Scanned::Decimal(decimal, zero) => {
            let value: f64 = decimal.parse().map_err(|_| syntax())?;
            let lost = (value == 0.0 && !zero) || value.is_infinite();
            in_range(lost, "outside the range of double precision")?;
            value.to_bits()
        }
        Scanned::Hex(hex) => {
            let bits = hex.round(53, -1074);
            let lost = hex.mantissa != 0 && (bits == 0 || bits >= f64::INFINITY.to_bits());
            in_range(lost, "outside the range of double precision")?;
            bits | (u64::from(hex.negative) << 63)
        }
        Scanned::Infinity(negative) => f64::INFINITY.to_bits() | (u64::from(negative) << 63),
        Scanned::Nan(negative, payload) => {
            f64::NAN.to_bits() | (payload & 0x7_ffff_ffff_ffff) | (u64::from(negative) << 63)
        }
    };
    no_junk(junk)?;
    out.extend_from_slice(&bits.to_be_bytes());
    Ok(())
}

fn syntax() -> crate::error::Error {
    invalid("not a floating point number")
}

fn in_range(lost: bool, message: &'static str) -> Result<()> {
    if lost { Err(refused(OUT_OF_RANGE, message)) } else { Ok(()) }
}

/// ORDER: behind the check of the range; PostgreSQL finds a number out of range before it finds
/// what stands behind it.
fn no_junk(junk: bool) -> Result<()> {
    if junk { Err(syntax()) } else { Ok(()) }
}

enum Scanned<'a> {
    /// A decimal number, and whether all its digits are 0.
    Decimal(&'a str, bool),
    Hex(hex_float::Hex),
    Infinity(bool),
    Nan(bool, u64),
}

/// The number that a text begins with, and whether anything but blanks is behind it.
fn scan(text: &str) -> Result<(Scanned<'_>, bool)> {
    let (scanned, rest) = begin(text)?;
    Ok((scanned, !trim_start(rest).is_empty()))
}

/// C's `strtod`: the number that a text begins with, and how many bytes it has; `None` if there is
/// none, or if it is too large or too small.
pub(super) fn strtod(text: &str) -> Option<(f64, usize)> {
    let (scanned, rest) = begin(text).ok()?;
    let value = match scanned {
        Scanned::Decimal(decimal, zero) => {
            decimal.parse().ok().filter(|value: &f64| zero || value.is_normal())?
        }
        Scanned::Hex(hex) => {
            let value = f64::from_bits(hex.round(53, -1074));
            let lost = hex.mantissa != 0 && (value == 0.0 || value.is_infinite());
            (!lost).then_some(if hex.negative { -value } else { value })?
        }
        Scanned::Infinity(_) => f64::INFINITY,
        Scanned::Nan(..) => f64::NAN,
    };
    Some((value, text.len() - rest.len()))
}

fn begin(text: &str) -> Result<(Scanned<'_>, &[u8])> {
    let start = trim_start(text.as_bytes());
    let (negative, body) = sign(start);
    let (scanned, rest) = if body.first().is_some_and(u8::is_ascii_alphabetic) {
        word(negative, body)?
    } else if let Some((hex, rest)) = hex_float::scan(negative, body) {
        (Scanned::Hex(hex), rest)
    } else {
        let (length, zero) = decimal(body).ok_or_else(syntax)?;
        let from = text.len() - start.len();
        let to = text.len() - body.len() + length;
        (Scanned::Decimal(&text[from..to], zero), &body[length..])
    };
    Ok((scanned, rest))
}

fn word(negative: bool, body: &[u8]) -> Result<(Scanned<'_>, &[u8])> {
    for name in [&b"infinity"[..], b"inf"] {
        if starts_with_ignoring_case(body, name) {
            return Ok((Scanned::Infinity(negative), &body[name.len()..]));
        }
    }
    if !starts_with_ignoring_case(body, b"nan") {
        return Err(syntax());
    }
    let (payload, rest) = hex_float::nan_payload(&body[3..]);
    Ok((Scanned::Nan(negative, payload), rest))
}

/// The length of a decimal number without its sign, and whether it is 0.
fn decimal(bytes: &[u8]) -> Option<(usize, bool)> {
    let whole = digits(bytes);
    let mut end = whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(&bytes[end + 1..]);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    let zero = bytes[..end].iter().all(|byte| matches!(byte, b'0' | b'.'));
    if let [b'e' | b'E', rest @ ..] = &bytes[end..] {
        let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let exponent = digits(&rest[sign..]);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    Some((end, zero))
}

pub(super) fn write_float4(packed: &[u8], out: &mut String) -> Result<()> {
    let bytes = packed.try_into().map_err(|_| corrupt("a real is not 4 bytes long"))?;
    let value = f32::from_be_bytes(bytes);
    let size = value.abs();
    let text = shortest(
        format!("{size:e}"),
        size >= 16_777_216.0,
        |text| text.parse() == Ok(size),
        |places| format!("{size:.places$e}"),
    );
    write_shortest(value.into(), &text, 6, out);
    Ok(())
}

pub(super) fn write_float8(packed: &[u8], out: &mut String) -> Result<()> {
    let bytes = packed.try_into().map_err(|_| corrupt("a double is not 8 bytes long"))?;
    let value = f64::from_be_bytes(bytes);
    let size = value.abs();
    let text = shortest(
        format!("{size:e}"),
        size >= 9_007_199_254_740_992.0,
        |text| text.parse() == Ok(size),
        |places| format!("{size:.places$e}"),
    );
    write_shortest(value, &text, 15, out);
    Ok(())
}

/// PostgreSQL's choice among the texts of a number, given Rust's.
///
/// Where the number lies halfway between two texts of that length, Rust takes the upper one and
/// PostgreSQL the even one. Where the shortest text lies halfway to the next number (which needs a
/// `large` one), it reads back only because halves go to even numbers; PostgreSQL does not rely on
/// that and takes more digits.
fn shortest(
    rust: String,
    large: bool,
    reads_back: impl Fn(&str) -> bool,
    with_places: impl Fn(usize) -> String,
) -> String {
    let strict = |text: &str| {
        reads_back(text)
            && (!large || reads_back(&nudged(text, true)) && reads_back(&nudged(text, false)))
    };
    // The mantissa is `d` or `d.ddd`; 17 digits are enough for every number.
    let places = rust.split('e').next().map_or(0, str::len).saturating_sub(2);
    let even = with_places(places);
    if strict(&even) {
        return even;
    }
    if strict(&rust) {
        return rust;
    }
    (places + 1..17).map(with_places).find(|text| strict(text)).unwrap_or(rust)
}

/// A text of a number that is larger or smaller by far less than the distance to a neighbour.
fn nudged(text: &str, up: bool) -> String {
    const ZEROS: &str = "0000000000000000000000000000000000000001";
    const NINES: &str = "9999999999999999999999999999999999999999";
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let mantissa: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    let places = mantissa.len() as i64 - 1;
    let exponent: i64 = exponent.parse::<i64>().unwrap_or(0) - places - 40;
    let mut value: u64 = mantissa.parse().unwrap_or(0);
    if !up {
        value = value.saturating_sub(1);
    }
    format!("{value}{}e{exponent}", if up { ZEROS } else { NINES })
}

/// Writes `d.ddde12` as PostgreSQL does: plain where the exponent is at least -4 and below `plain`.
fn write_shortest(value: f64, shortest: &str, plain: i32, out: &mut String) {
    if value.is_nan() {
        out.push_str("NaN");
        return;
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    if value.is_infinite() {
        out.push_str("Infinity");
        return;
    }
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 {
        out.push('0');
    } else if exponent < -4 || exponent >= plain {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.abs());
    } else {
        write_plain(mantissa, exponent, out);
    }
}

fn write_plain(mantissa: &str, exponent: i32, out: &mut String) {
    let mut digits = mantissa.chars().filter(|digit| *digit != '.').peekable();
    if exponent < 0 {
        out.push_str("0.");
        for _ in 1..-exponent {
            out.push('0');
        }
        out.extend(digits);
        return;
    }
    for _ in 0..=exponent {
        out.push(digits.next().unwrap_or('0'));
    }
    if digits.peek().is_some() {
        out.push('.');
        out.extend(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn float8(text: &str) -> std::result::Result<f64, String> {
        let mut out = Vec::new();
        read_float8(text, &mut out).map_err(|error| error.sqlstate().unwrap().to_string())?;
        Ok(f64::from_be_bytes(out.try_into().unwrap()))
    }

    fn shown(value: f64) -> String {
        let mut out = String::new();
        write_float8(&value.to_be_bytes(), &mut out).unwrap();
        out
    }

    #[test]
    fn strtod_is_the_measure() {
        for (text, value) in [
            (" 1.5 ", 1.5),
            ("5.", 5.0),
            (".5e1", 5.0),
            ("-INF", f64::NEG_INFINITY),
            ("+infinity", f64::INFINITY),
            ("0x1.8p1", 3.0),
            ("-0x10", -16.0),
            ("0e-999", 0.0),
        ] {
            assert_eq!(float8(text), Ok(value), "{text}");
        }
        assert!(float8("nan(12)").unwrap().is_nan());
    }

    #[test]
    fn overflow_and_underflow_are_out_of_range() {
        for text in ["1e309", "-1e309", "1e-400", "1e400x", "0x1p1024", "0x1p-1080"] {
            assert_eq!(float8(text), Err("22003".to_owned()), "{text}");
        }
        let mut out = Vec::new();
        assert!(read_float4("1e39", &mut out).is_err());
        assert!(read_float4("1e-46", &mut out).is_err());
        assert!(read_float4("1e-45", &mut out).is_ok());
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", " ", ".", "e5", "1e", "1e+", "0x", "in", "1 2", "1.2.3", "nan(", "xyz"] {
            assert_eq!(float8(text), Err("22P02".to_owned()), "{text}");
        }
    }

    #[test]
    fn the_shortest_text_is_formatted_like_postgresql() {
        for (value, text) in [
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (1e300, "1e+300"),
            (5e-324, "5e-324"),
            (123_456.789, "123456.789"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(shown(value), text);
        }
    }

    proptest! {
        #[test]
        fn a_float_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            prop_assert_eq!(float8(&shown(value)).unwrap().to_bits(), bits);
        }
    }
}
