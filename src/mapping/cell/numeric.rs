//! PostgreSQL's decimal numbers, as far as cells need them: up to 38 digits.
//!
//! Packed, a `numeric` is five `i16`: the number of base-10000 digits, the weight of the first of
//! them, the sign or a special value, the number of decimal places shown, and then the digits.

use super::fault::{damaged, malformed, out_of_range, unreadable};
use crate::error::{Error, Result};
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;

/// `coefficient * 10^-scale`, negative or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    pub(super) negative: bool,
    pub(super) coefficient: u128,
    pub(super) scale: i32,
}

/// The bytes before the digits.
const HEAD: usize = 8;
/// How many base-10000 digits 39 decimal ones can touch.
const MOST_GROUPS: usize = 11;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Every power of ten that fits, 10^0 to 10^38.
const POWERS: [u128; 39] = {
    let mut powers = [1; 39];
    let mut exponent = 1;
    while exponent < 39 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

impl From<i64> for Scaled {
    fn from(value: i64) -> Self {
        Self { negative: value < 0, coefficient: value.unsigned_abs().into(), scale: 0 }
    }
}

impl Scaled {
    /// The value as a whole number, if it is one that fits.
    pub(super) fn whole(self) -> Option<i64> {
        let coefficient = if self.scale > 0 {
            match POWERS.get(self.scale.unsigned_abs() as usize) {
                Some(power) if self.coefficient.is_multiple_of(*power) => self.coefficient / power,
                _ if self.coefficient == 0 => 0,
                _ => return None,
            }
        } else {
            scaled_up(self.coefficient, self.scale.unsigned_abs())?
        };
        let magnitude = i128::try_from(coefficient).ok()?;
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// Rounds to `scale` decimal places as PostgreSQL does: half away from zero.
    fn rounded(self, scale: i32) -> Self {
        let surplus = (self.scale - scale).max(0).unsigned_abs() as usize;
        let coefficient = match POWERS.get(surplus) {
            Some(1) => return self,
            Some(power) => {
                let (quotient, rest) = divided(self.coefficient, *power);
                quotient + u128::from(rest >= power - rest)
            }
            // More places than any coefficient has digits.
            None => 0,
        };
        Self { coefficient, scale, ..self }
    }
}

fn scaled_up(coefficient: u128, places: u32) -> Option<u128> {
    if coefficient == 0 {
        return Some(0);
    }
    coefficient.checked_mul(*POWERS.get(places as usize)?)
}

fn digits(coefficient: u128) -> i32 {
    // Logarithms and divisions of 64 bits are many times faster than those of 128.
    match u64::try_from(coefficient) {
        Ok(small) => small.checked_ilog10().map_or(0, |log| log as i32 + 1),
        Err(_) => POWERS.partition_point(|power| *power <= coefficient) as i32,
    }
}

/// The quotient and the rest.
fn divided(value: u128, by: u128) -> (u128, u128) {
    match (u64::try_from(value), u64::try_from(by)) {
        (Ok(value), Ok(by)) => ((value / by).into(), (value % by).into()),
        _ => (value / by, value % by),
    }
}

/// Packs `value` as a `numeric` with these limits: rounded to the scale, refused if it has more
/// digits than the precision.
pub(super) fn pack(value: Scaled, limits: Option<(u16, i16)>, out: &mut Vec<u8>) -> Result<()> {
    let mut value = value;
    let mut shown = value.scale.max(0);
    if let Some((precision, scale)) = limits {
        let scale = i32::from(scale);
        value = value.rounded(scale);
        shown = scale.max(0);
        // The coefficient may still have fewer places than the column; the missing ones count.
        let used = digits(value.coefficient) + scale - value.scale;
        if value.coefficient != 0 && used > i32::from(precision) {
            return Err(out_of_range(&ColumnType::Numeric(limits)));
        }
    }
    write(value, shown, out);
    Ok(())
}

/// Packs `value` as it is, with `shown` decimal places.
pub(super) fn write(value: Scaled, shown: i32, out: &mut Vec<u8>) {
    let shift = (-value.scale).rem_euclid(4);
    // The exponent of the lowest base-10000 digit.
    let mut exponent = (-value.scale - shift) / 4;
    // The digits, filled from the end, and room before them for the head.
    let mut packed = [0; HEAD + 2 * MOST_GROUPS];
    let mut start = packed.len();
    // ORDER: the lowest digit is taken apart first, so that the shift to a multiple of four places
    // never leaves the range of the coefficient.
    let (mut rest, low) = divided(value.coefficient, POWERS[(4 - shift) as usize]);
    let mut group = low as u16 * POWERS[shift as usize] as u16;
    loop {
        if group != 0 || start < packed.len() {
            start -= 2;
            packed[start..start + 2].copy_from_slice(&group.to_be_bytes());
        } else {
            exponent += 1;
        }
        if rest == 0 {
            break;
        }
        let (quotient, low) = match u64::try_from(rest) {
            // By a constant: without a division.
            Ok(small) => (u128::from(small / 10_000), (small % 10_000) as u16),
            Err(_) => (rest / 10_000, (rest % 10_000) as u16),
        };
        (rest, group) = (quotient, low);
    }
    let count = (packed.len() - start) / 2;
    let is_zero = count == 0;
    let weight = if is_zero { 0 } else { exponent + count as i32 - 1 };
    let sign = if value.negative && !is_zero { NEGATIVE } else { 0 };
    start -= HEAD;
    let head = [count as u16, weight as u16, sign, shown as u16];
    for (place, part) in packed[start..].chunks_exact_mut(2).zip(head) {
        place.copy_from_slice(&part.to_be_bytes());
    }
    out.extend_from_slice(&packed[start..]);
}

/// Reads a packed `numeric` of up to 38 digits.
pub(super) fn unpack(bytes: &[u8]) -> Result<Scaled> {
    let broken = || damaged(&ColumnType::Numeric(None));
    let (parts, rest) = bytes.as_chunks::<2>();
    let [count, weight, sign, shown, groups @ ..] = parts else { return Err(broken()) };
    let number = |pair: &[u8; 2]| i32::from(i16::from_be_bytes(*pair));
    let negative = match u16::from_be_bytes(*sign) {
        0 => false,
        NEGATIVE => true,
        NAN | INFINITY | NEGATIVE_INFINITY => return Err(not_finite()),
        _ => return Err(broken()),
    };
    let shown = number(shown);
    if !rest.is_empty() || number(count) != groups.len() as i32 || shown < 0 {
        return Err(broken());
    }
    // Four of them fit into 64 bits.
    let (head, tail) = groups.split_at(groups.len().min(4));
    let mut small: u64 = 0;
    for group in head {
        small = small * 10_000 + u64::from(digit_of(*group).ok_or_else(broken)?);
    }
    let mut coefficient = u128::from(small);
    for group in tail {
        let digit = digit_of(*group).ok_or_else(broken)?;
        coefficient = coefficient
            .checked_mul(10_000)
            .and_then(|shifted| shifted.checked_add(digit.into()))
            .ok_or_else(too_long)?;
    }
    let scale = 4 * (groups.len() as i32 - number(weight) - 1);
    Ok(show(Scaled { negative, coefficient, scale }, shown))
}

/// A base-10000 digit, if it is one.
fn digit_of(bytes: [u8; 2]) -> Option<u16> {
    let digit = u16::from_be_bytes(bytes);
    (digit <= 9_999).then_some(digit)
}

/// Gives the value `shown` decimal places, as far as that neither loses nor overflows anything.
fn show(mut value: Scaled, shown: i32) -> Scaled {
    if value.coefficient == 0 {
        return Scaled { scale: shown.min(28), negative: false, ..value };
    }
    while value.scale > shown {
        let (quotient, rest) = divided(value.coefficient, 10);
        if rest != 0 {
            break;
        }
        value.coefficient = quotient;
        value.scale -= 1;
    }
    if value.scale < shown
        && let Some(coefficient) =
            scaled_up(value.coefficient, (shown - value.scale).unsigned_abs())
    {
        value.coefficient = coefficient;
        value.scale = shown;
    }
    value
}

/// Reads the text of a `numeric` as PostgreSQL prints it.
pub(super) fn parse(text: &str) -> Result<Scaled> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits == "NaN" || digits == "Infinity" {
        return Err(not_finite());
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut coefficient: u128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return Err(malformed("number"));
        }
        coefficient = coefficient
            .checked_mul(10)
            .and_then(|shifted| shifted.checked_add((byte - b'0').into()))
            .ok_or_else(too_long)?;
    }
    if whole.is_empty() {
        return Err(malformed("number"));
    }
    Ok(Scaled { negative: negative && coefficient != 0, coefficient, scale: fraction.len() as i32 })
}

#[cold]
fn not_finite() -> Error {
    unreadable(
        "a numeric that is NaN or Infinity has no value here",
        SqlState::NUMERIC_OUT_OF_RANGE,
    )
    .with_hint("a Numeric holds these too")
}

/// The number has more digits than the Rust type.
#[cold]
pub(super) fn too_long() -> Error {
    unreadable("a numeric has more digits than the field's type", SqlState::NUMERIC_OUT_OF_RANGE)
        .with_hint("a Numeric holds every number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::text;
    use proptest::prelude::*;

    fn packed(coefficient: u128, scale: i32, limits: Option<(u16, i16)>) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        pack(Scaled { negative: false, coefficient, scale }, limits, &mut out)?;
        Ok(out)
    }

    proptest! {
        #[test]
        fn what_pack_writes_unpack_reads(negative: bool, coefficient in 1_u128..1 << 100, scale in 0..29_i32) {
            let value = Scaled { negative, coefficient, scale };
            let mut out = Vec::new();
            pack(value, None, &mut out).unwrap();
            prop_assert_eq!(unpack(&out).unwrap(), value);
        }

        #[test]
        fn a_packed_number_is_that_of_its_text(coefficient in 0_u128..1 << 100, scale in 0..29_i32, limits in proptest::option::of((1..40_u16, -5..40_i16))) {
            let digits = format!("{coefficient:030}");
            let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
            let mut of_text = Vec::new();
            let read = text::numeric::parse(&format!("{whole}.{fraction}"), limits, &mut of_text);
            match packed(coefficient, scale, limits) {
                Ok(packed) => prop_assert_eq!(packed, of_text),
                Err(error) => prop_assert_eq!(error.sqlstate(), read.unwrap_err().sqlstate()),
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = unpack(&bytes);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "-?[0-9]{0,45}\\.?[0-9]{0,5}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_server() {
        // select numeric_send(12345.678::numeric(15,3)), numeric_send(0.0005), numeric_send(40000)
        let bytes = [0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1A, 0x7C];
        assert_eq!(packed(12_345_678, 3, None).unwrap(), bytes);
        assert_eq!(packed(5, 4, None).unwrap(), [0, 1, 0xFF, 0xFF, 0, 0, 0, 4, 0, 5]);
        assert_eq!(packed(40_000, 0, None).unwrap(), [0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        assert_eq!(packed(0, 2, None).unwrap(), [0, 0, 0, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn the_scale_of_the_column_rounds_half_away_from_zero() {
        let rounded = |coefficient, scale, limits| {
            unpack(&packed(coefficient, scale, Some(limits)).unwrap()).unwrap()
        };
        assert_eq!(rounded(12_345, 3, (15, 2)).coefficient, 1_235);
        assert_eq!(rounded(12_344, 3, (15, 2)).coefficient, 1_234);
        assert_eq!(rounded(7, 0, (15, 2)).coefficient, 700);
        assert_eq!(
            rounded(1_250, 0, (3, -2)),
            Scaled { negative: false, coefficient: 1300, scale: 0 }
        );
        assert_eq!(rounded(u128::from(u64::MAX), 60, (15, 2)).coefficient, 0);
    }

    #[test]
    fn more_digits_than_the_precision_are_refused() {
        assert!(packed(999_995, 3, Some((5, 2))).is_err(), "rounds up to 1000.00");
        assert!(packed(999_994, 3, Some((5, 2))).is_ok());
        assert!(packed(1_000, 0, Some((5, 2))).is_err());
        assert!(packed(999, 0, Some((5, 2))).is_ok());
        assert!(packed(1, 2, Some((2, 4))).is_err(), "numeric(2,4) holds less than 0.01");
        assert!(packed(99, 4, Some((2, 4))).is_ok());
    }

    #[test]
    fn nan_and_infinity_say_what_they_are() {
        for sign in [0xC0, 0xD0, 0xF0] {
            let error = unpack(&[0, 0, 0, 0, sign, 0, 0, 0]).unwrap_err();
            assert!(error.message().contains("NaN or Infinity"));
        }
        assert!(parse("-Infinity").unwrap_err().message().contains("NaN or Infinity"));
    }

    #[test]
    fn whole_numbers_are_recognized() {
        let whole = |text| parse(text).unwrap().whole();
        assert_eq!(whole("-12.00"), Some(-12));
        assert_eq!(whole("12.50"), None);
        assert_eq!(whole("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(whole("9223372036854775808"), None);
    }
}
