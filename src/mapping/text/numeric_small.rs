//! Small decimal numbers, packed by arithmetic of 64 bits: no loop, and no division but by constants.

use super::numeric::{NEGATIVE, POSITIVE};

/// What is smaller has, with the places that fill its last digit of base 10000, at most 16 digits.
#[cfg(any(feature = "rust_decimal", test))]
pub(in crate::mapping) const LIMIT: u64 = 10_u64.pow(DIGITS as u32);
/// The digits of the largest of them.
pub(in crate::mapping) const DIGITS: usize = 13;

/// A packed number and its length: what is behind that is to be thrown away.
pub(in crate::mapping) type Small = ([u8; 16], usize);

/// The powers of ten that fit, 10^0 to 10^19.
pub(super) const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut exponent = 1;
    while exponent < 20 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// With how many decimal places a column of these limits shows a number that it neither rounds nor
/// refuses; `None` for all others, and where it takes more than a look to know.
#[cfg(feature = "rust_decimal")]
#[inline]
pub(in crate::mapping) fn shown_as_it_is(
    coefficient: u64,
    scale: u16,
    limits: Option<(u16, i16)>,
) -> Option<u16> {
    let Some((precision, shown)) = limits else { return Some(scale) };
    let shown = u16::try_from(shown).ok().filter(|shown| *shown >= scale)?;
    let digits = usize::from((precision + scale).checked_sub(shown)?);
    let fits = POWERS.get(digits).is_none_or(|power| coefficient < *power);
    fits.then_some(shown)
}

/// Packs `coefficient * 10^-scale`, which is shown with `shown` decimal places. The coefficient must
/// be smaller than [`LIMIT`].
#[inline]
pub(in crate::mapping) fn pack(negative: bool, coefficient: u64, scale: u16, shown: u16) -> Small {
    let digits = coefficient * [1, 1_000, 100, 10][usize::from(scale % 4)];
    let groups = groups(digits);
    if groups == 0 {
        return (packed([0, 0, POSITIVE, shown], 0), 8);
    }
    let (before, behind) = (groups.leading_zeros() / 16, groups.trailing_zeros() / 16);
    let count = 4 - before - behind;
    let weight = 3 - before as i16 - scale.div_ceil(4) as i16;
    let sign = if negative { NEGATIVE } else { POSITIVE };
    let bytes = packed([count as u16, weight as u16, sign, shown], groups << (16 * before));
    (bytes, 8 + 2 * count as usize)
}

/// Reads what [`pack`] writes, as a coefficient with as many decimal places as are shown: whether it
/// is negative, the coefficient and its places, 28 at most where it is 0. `None` for all others.
#[cfg(any(feature = "rust_decimal", test))]
#[inline]
pub(in crate::mapping) fn unpack(bytes: &[u8]) -> Option<(bool, u64, u16)> {
    let (head, groups) = bytes.split_first_chunk::<8>()?;
    let [count, weight, sign, shown] = parts(u64::from_be_bytes(*head));
    if groups.len() > 8 || groups.len() != 2 * usize::from(count) || sign & !NEGATIVE != 0 {
        return None;
    }
    let mut digits = 0;
    let (groups, _) = groups.as_chunks::<2>();
    for group in groups {
        let group = u16::from_be_bytes(*group);
        if group > 9_999 {
            return None;
        }
        digits = digits * 10_000 + u64::from(group);
    }
    if shown > i16::MAX as u16 {
        return None;
    }
    if digits == 0 {
        return Some((false, 0, shown.min(28)));
    }
    // Places that are there and not shown are zeros, or it is none of these numbers.
    let there = 4 * (i32::from(count) - 1 - i32::from(weight as i16));
    let coefficient = match there - i32::from(shown) {
        0 => digits,
        surplus @ 1..=3 => exact(digits, surplus)?,
        -8 => digits.checked_mul(100_000_000)?,
        missing @ -7..0 => digits.checked_mul(10_u64.pow(missing.unsigned_abs()))?,
        _ => return None,
    };
    Some((sign == NEGATIVE, coefficient, shown))
}

/// Without the last places, which must be zeros. Divisions by constants are none.
#[cfg(any(feature = "rust_decimal", test))]
#[inline]
fn exact(digits: u64, places: i32) -> Option<u64> {
    let (quotient, rest) = match places {
        1 => (digits / 10, digits % 10),
        2 => (digits / 100, digits % 100),
        _ => (digits / 1_000, digits % 1_000),
    };
    (rest == 0).then_some(quotient)
}

/// Four digits of base 10000 side by side.
#[inline]
fn groups(digits: u64) -> u64 {
    if digits < 100_000_000 {
        return pair(digits);
    }
    pair(digits / 100_000_000) << 32 | pair(digits % 100_000_000)
}

#[inline]
fn pair(digits: u64) -> u64 {
    ((digits / 10_000) << 16) | (digits % 10_000)
}

#[inline]
fn packed(head: [u16; 4], groups: u64) -> [u8; 16] {
    let head = head.iter().fold(0, |head, part| head << 16 | u128::from(*part));
    (head << 64 | u128::from(groups)).to_be_bytes()
}

#[cfg(any(feature = "rust_decimal", test))]
#[inline]
fn parts(head: u64) -> [u16; 4] {
    [48, 32, 16, 0].map(|shift| (head >> shift) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_are_those_of_the_server() {
        // select numeric_send(12345.678::numeric(15,3)), numeric_send(-0.0005), numeric_send(0.00)
        let number = |negative, coefficient, scale| {
            let (bytes, length) = pack(negative, coefficient, scale, scale);
            bytes[..length].to_vec()
        };
        let bytes = [0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1A, 0x7C];
        assert_eq!(number(false, 12_345_678, 3), bytes);
        assert_eq!(number(true, 5, 4), [0, 1, 0xFF, 0xFF, 0x40, 0, 0, 4, 0, 5]);
        assert_eq!(number(true, 0, 2), [0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(number(false, 50_000, 0), [0, 1, 0, 1, 0, 0, 0, 0, 0, 5]);
    }

    proptest! {
        #[test]
        fn what_pack_writes_unpack_reads(negative: bool, coefficient in 1..LIMIT, scale in 0..29_u16) {
            let (bytes, length) = pack(negative, coefficient, scale, scale);
            prop_assert_eq!(unpack(&bytes[..length]), Some((negative, coefficient, scale)));
        }

        #[test]
        fn any_bytes_are_read_or_left_to_others(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = unpack(&bytes);
        }
    }
}
