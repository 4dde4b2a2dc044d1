//! Hexadecimal floating point numbers, and what may stand in parentheses behind `nan`: both are
//! part of what C's `strtod` reads.

use super::scalar::hex_digit;
use super::space::{digits, sign};

/// A number `mantissa * 2^exponent`; the lowest bit of the mantissa stands for all that was cut.
pub(super) struct Hex {
    pub(super) negative: bool,
    pub(super) mantissa: u64,
    pub(super) exponent: i64,
}

/// Reads `0x1.8p3` without its sign, and returns what is behind it; `None` if it is no such number.
pub(super) fn scan(negative: bool, bytes: &[u8]) -> Option<(Hex, &[u8])> {
    let [b'0', b'x' | b'X', rest @ ..] = bytes else {
        return None;
    };
    let mut rest = rest;
    let (mut mantissa, mut exponent) = (0_u64, 0_i64);
    let (mut seen, mut point) = (false, false);
    loop {
        match rest {
            [b'.', tail @ ..] if !point => {
                point = true;
                rest = tail;
            }
            [digit, tail @ ..] if digit.is_ascii_hexdigit() => {
                let digit = u64::from(hex_digit(*digit)?);
                if mantissa >> 59 == 0 {
                    mantissa = mantissa << 4 | digit;
                    exponent -= if point { 4 } else { 0 };
                } else {
                    mantissa |= u64::from(digit != 0);
                    exponent += if point { 0 } else { 4 };
                }
                seen = true;
                rest = tail;
            }
            _ => break,
        }
    }
    if !seen {
        return None;
    }
    let (power, rest) = power(rest);
    Some((Hex { negative, mantissa, exponent: exponent.saturating_add(power) }, rest))
}

fn power(bytes: &[u8]) -> (i64, &[u8]) {
    let [b'p' | b'P', rest @ ..] = bytes else {
        return (0, bytes);
    };
    let (negative, rest) = sign(rest);
    let (text, rest) = rest.split_at(digits(rest));
    if text.is_empty() {
        return (0, bytes);
    }
    let value = text.iter().fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add((digit - b'0').into()).min(1 << 40)
    });
    (if negative { -value } else { value }, rest)
}

impl Hex {
    /// The bits, without sign, of the nearest number with `precision` bits of which the smallest is
    /// 2^`least`; halves go to even.
    pub(super) fn round(&self, precision: u32, least: i64) -> u64 {
        if self.mantissa == 0 {
            return 0;
        }
        let top = 64 - i64::from(self.mantissa.leading_zeros());
        let unit = (self.exponent + top - i64::from(precision)).max(least);
        let shift = unit - self.exponent;
        let rounded = match shift {
            ..=0 => self.mantissa << -shift,
            1..=64 => {
                let (whole, half) = if shift == 64 {
                    (0, 1_u64 << 63)
                } else {
                    (self.mantissa >> shift, 1_u64 << (shift - 1))
                };
                let lost = self.mantissa & ((half - 1) | half);
                whole + u64::from(lost > half || (lost == half && whole & 1 == 1))
            }
            _ => 0,
        };
        // A mantissa that was rounded up to the next power of two carries into the exponent by
        // itself, because its top bit is the lowest bit of the exponent.
        let infinity = ((1_u64 << if precision == 24 { 8 } else { 11 }) - 1) << (precision - 1);
        let biased = u64::try_from(unit - least).unwrap_or(0);
        if biased > infinity >> (precision - 1) {
            return infinity;
        }
        ((biased << (precision - 1)) + rounded).min(infinity)
    }
}

/// The number in `(...)` behind `nan`, and what is behind that; C's `strtoull` with base 0.
pub(super) fn nan_payload(bytes: &[u8]) -> (u64, &[u8]) {
    let [b'(', inner @ ..] = bytes else {
        return (0, bytes);
    };
    let length = inner
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        .unwrap_or(inner.len());
    if inner.get(length) != Some(&b')') {
        return (0, bytes);
    }
    let text = std::str::from_utf8(&inner[..length]).unwrap_or("");
    let lower = text.to_ascii_lowercase();
    let payload = if let Some(hex) = lower.strip_prefix("0x") {
        u64::from_str_radix(hex, 16)
    } else if lower.starts_with('0') {
        u64::from_str_radix(&lower, 8)
    } else {
        lower.parse()
    };
    (payload.unwrap_or(0), &inner[length + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(text: &str) -> f64 {
        f64::from_bits(scan(false, text.as_bytes()).unwrap().0.round(53, -1074))
    }

    #[test]
    fn hexadecimal_numbers_round_half_to_even() {
        for (text, value) in [
            ("0x1p0", 1.0),
            ("0x1.fffffffffffff8p0", 2.0),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.000000000000080001p0", 1.0 + f64::EPSILON),
            ("0x1p-1074", 5e-324),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", 5e-324),
            ("0x1p1023", 2_f64.powi(1023)),
            ("0x1p1024", f64::INFINITY),
            ("0x0.0000000000000000000000000000001p124", 1.0),
        ] {
            assert_eq!(double(text).to_bits(), f64::to_bits(value), "{text}");
        }
    }
}
