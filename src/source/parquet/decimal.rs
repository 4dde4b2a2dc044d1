//! Numbers with a fixed point.

use super::values::Fault;
use crate::mapping::text::numeric;
use std::fmt::Write as _;

/// Appends the packed number of a coefficient and the digits behind its point.
pub(super) fn pack(coefficient: i128, scale: u32, out: &mut Vec<u8>) -> Result<(), Fault> {
    pack_digits(coefficient < 0, coefficient.unsigned_abs().to_string(), scale, out)
}

/// The same of a big-endian two's complement of any length.
pub(super) fn pack_bytes(bytes: &[u8], scale: u32, out: &mut Vec<u8>) -> Result<(), Fault> {
    if bytes.len() <= 16 {
        return pack(small(bytes), scale, out);
    }
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    pack_digits(negative, digits(magnitude(bytes, negative)), scale, out)
}

fn small(bytes: &[u8]) -> i128 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes.iter().fold(start, |value, byte| (value << 8) | i128::from(*byte))
}

fn magnitude(bytes: &[u8], negative: bool) -> Vec<u8> {
    if !negative {
        return bytes.to_vec();
    }
    let mut inverted: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
    for byte in inverted.iter_mut().rev() {
        let (sum, carried) = byte.overflowing_add(1);
        *byte = sum;
        if !carried {
            break;
        }
    }
    inverted
}

/// The decimal digits of a big-endian number, by long division.
fn digits(mut number: Vec<u8>) -> String {
    const GROUP: u32 = 1_000_000_000;
    let mut groups = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u64;
        for byte in &mut number {
            let value = (rest << 8) | u64::from(*byte);
            // The rest is smaller than the divisor, so the quotient fits a byte.
            *byte = (value / u64::from(GROUP)) as u8;
            rest = value % u64::from(GROUP);
        }
        groups.push(rest);
    }
    let mut text = groups.pop().unwrap_or_default().to_string();
    for group in groups.iter().rev() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{group:09}");
    }
    text
}

fn pack_digits(negative: bool, digits: String, scale: u32, out: &mut Vec<u8>) -> Result<(), Fault> {
    let scale = scale as usize;
    let mut text = String::with_capacity(digits.len() + scale + 3);
    if negative {
        text.push('-');
    }
    let padded = if digits.len() <= scale {
        format!("{digits:0>width$}", width = scale + 1)
    } else {
        digits
    };
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    text.push_str(whole);
    if scale > 0 {
        text.push('.');
        text.push_str(fraction);
    }
    numeric::parse(&text, None, out).map_err(|_| Fault::Range("numeric"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::column_type::ColumnType;
    use crate::mapping::text;
    use proptest::prelude::*;

    fn shown(bytes: &[u8], scale: u32) -> String {
        let (mut packed, mut shown) = (Vec::new(), String::new());
        pack_bytes(bytes, scale, &mut packed).unwrap();
        text::output(&ColumnType::Numeric(None), &packed, &mut shown).unwrap();
        shown
    }

    #[test]
    fn the_point_stands_where_the_scale_puts_it() {
        for (bytes, scale, text) in [
            (&[][..], 0, "0"),
            (&[0][..], 2, "0.00"),
            (&[0xFF][..], 2, "-0.01"),
            (&[0x80][..], 0, "-128"),
            (&[0x01, 0x00][..], 1, "25.6"),
            (&[0x00, 0x7B][..], 3, "0.123"),
        ] {
            assert_eq!(shown(bytes, scale), text);
        }
        let longest = [&[0x7F][..], &[0xFF; 31]].concat();
        let edge = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
        assert_eq!(shown(&longest, 0), edge);
        let lowest = [&[0x80][..], &[0; 31]].concat();
        let edge = "-57896044618658097711785492504343953926634992332820282019728792003956564819968";
        assert_eq!(shown(&lowest, 0), edge);
    }

    proptest! {
        #[test]
        fn a_number_is_the_same_in_any_number_of_bytes(number in any::<i128>(), scale in 0_u32..40) {
            let bytes = number.to_be_bytes();
            let filler = if number < 0 { 0xFF } else { 0 };
            let longer = [&[filler; 9][..], &bytes].concat();
            prop_assert_eq!(shown(&longer, scale), shown(&bytes, scale));
        }
    }
}
