//! The plain forms that nearly every text has, read without detours: `1234`, `-12.50`, letters of
//! ASCII.
//!
//! Whatever is not exactly of these forms is left to the whole parsers, also if it is wrong.

/// So many digits fit 63 bits.
pub(super) const DIGITS: usize = 16;

/// A 1 in each of eight bytes.
const ONES: u64 = 0x0101_0101_0101_0101;

/// A minus or nothing, and digits.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<i64> {
    let (negative, text) = minus(text);
    let (value, length) = digits(text);
    let is_sound = length == text.len() && (1..=DIGITS).contains(&length);
    is_sound.then_some(if negative { -(value as i64) } else { value as i64 })
}

/// A number without an exponent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    /// The digits before the point and those behind it, each as a number, and how many they are.
    pub(super) whole: (u64, usize),
    pub(super) fraction: (u64, usize),
}

/// A minus or nothing, digits, and a point and digits or nothing.
#[inline]
pub(super) fn decimal(text: &[u8]) -> Option<Decimal> {
    let (negative, text) = minus(text);
    let whole = digits(text);
    let fraction = match text.get(whole.1..) {
        Some([b'.', behind @ ..]) => digits(behind),
        _ => (0, 0),
    };
    let point = usize::from(fraction.1 > 0);
    let is_sound = whole.1 + point + fraction.1 == text.len()
        && (1..=DIGITS).contains(&whole.1)
        && fraction.1 <= DIGITS;
    is_sound.then_some(Decimal { negative, whole, fraction })
}

/// The digits at the beginning, one more than [`DIGITS`] at most: their number, and how many they
/// are.
#[inline]
fn digits(text: &[u8]) -> (u64, usize) {
    let (mut value, mut length) = (0, 0);
    for byte in text.iter().take(DIGITS + 1) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value * 10 + u64::from(digit);
        length += 1;
    }
    (value, length)
}

#[inline]
fn minus(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    }
}

/// Eight digits.
#[inline]
pub(super) fn eight_digits(text: [u8; 8]) -> Option<u32> {
    // The first digit is the lowest byte, and is the highest of the number.
    let word = u64::from_le_bytes(text) ^ (ONES * u64::from(b'0'));
    // A digit plus 0x76 stays below 0x80. A larger byte may carry, but is found itself.
    if (word.wrapping_add(ONES * 0x76) | word) & (ONES * 0x80) != 0 {
        return None;
    }
    // Numbers of two digits, of four, of eight, side by side.
    let pairs = (word * 10 + (word >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) as u32)
}

/// Whether all bytes are ASCII, and none is NUL.
#[inline]
pub(in crate::mapping) fn is_ascii(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else {
        return text.iter().fold(true, |plain, byte| plain & matches!(byte, 1..0x80));
    };
    let (words, _) = text.as_chunks::<8>();
    let found = words.iter().fold(outside_ascii(*last), |found, word| found | outside_ascii(*word));
    found == 0
}

/// The same of a known number of bytes: those that are above 0 with a sign.
#[inline]
pub(in crate::mapping) fn is_ascii_all<const N: usize>(text: &[u8; N]) -> bool {
    text.iter().fold(true, |plain, byte| plain & (byte.cast_signed() > 0))
}

/// Not 0 if one of eight bytes is NUL or not ASCII.
#[inline]
fn outside_ascii(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    // Only a NUL borrows from its neighbour, and is found itself.
    (word.wrapping_sub(ONES) | word) & (ONES * 0x80)
}

/// Appends bytes, which are likely to be few: as two of a known number, the beginning and the end,
/// which overlap. To call for a copy of so few takes longer.
#[inline]
pub(in crate::mapping) fn append(bytes: &[u8], out: &mut Vec<u8>) {
    let end = out.len() + bytes.len();
    match bytes {
        [byte] => out.push(*byte),
        _ if (17..=32).contains(&bytes.len()) => append_ends::<16>(bytes, end, out),
        _ if (8..=16).contains(&bytes.len()) => append_ends::<8>(bytes, end, out),
        _ if (4..=7).contains(&bytes.len()) => append_ends::<4>(bytes, end, out),
        _ => out.extend_from_slice(bytes),
    }
}

/// The same for `N` to 2 `N` bytes.
#[inline]
fn append_ends<const N: usize>(bytes: &[u8], end: usize, out: &mut Vec<u8>) {
    let (Some(head), Some(tail)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
        return out.extend_from_slice(bytes);
    };
    out.extend_from_slice(head);
    out.truncate(end - N);
    out.extend_from_slice(tail);
}

/// Appends blanks, which are likely to be few.
#[inline]
pub(in crate::mapping) fn append_blanks(count: usize, out: &mut Vec<u8>) {
    const FEW: [u8; 32] = [b' '; 32];
    let end = out.len() + count;
    if count > FEW.len() {
        return out.resize(end, b' ');
    }
    if count > 0 {
        out.extend_from_slice(&FEW);
        out.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_forms_are_left_to_others() {
        for text in ["", "-", "+1", " 1", "1 ", "1x", "1:", "1/", "--1", "12345678901234567"] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
        for text in [".5", "5.", ".", "1.2.3", "1..2", "1e3", "-.5", "1.-5", "0.12345678901234567"]
        {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_what_rust_reads(text in "-?[0-9]{1,16}") {
            prop_assert_eq!(whole(text.as_bytes()), text.parse().ok());
        }

        #[test]
        fn decimals_are_what_stands_on_both_sides_of_the_point(
            minus in "-?", before in "[0-9]{1,16}", behind in "[0-9]{0,16}"
        ) {
            let point = if behind.is_empty() { "" } else { "." };
            let read = decimal(format!("{minus}{before}{point}{behind}").as_bytes()).unwrap();
            prop_assert_eq!(read.negative, !minus.is_empty());
            prop_assert_eq!(read.whole, (before.parse().unwrap(), before.len()));
            prop_assert_eq!(read.fraction, (behind.parse().unwrap_or(0), behind.len()));
        }

        #[test]
        fn eight_digits_are_a_number(number in 0_u32..100_000_000) {
            let text = format!("{number:08}");
            prop_assert_eq!(eight_digits(text.as_bytes().try_into().unwrap()), Some(number));
        }

        #[test]
        fn eight_bytes_are_digits_only_if_all_are(text in any::<[u8; 8]>(), at in 0_usize..8) {
            let mut digits = *b"01234567";
            digits[at] = text[at];
            prop_assert_eq!(eight_digits(digits).is_some(), text[at].is_ascii_digit());
            prop_assert_eq!(eight_digits(text).is_some(), text.iter().all(u8::is_ascii_digit));
        }

        #[test]
        fn bytes_and_blanks_are_appended(before in 0_usize..3, length in 0_usize..70, count in 0_usize..70) {
            let bytes: Vec<_> = (1..=length as u8).collect();
            let mut out = vec![b'x'; before];
            append(&bytes, &mut out);
            append_blanks(count, &mut out);
            prop_assert_eq!(out, [vec![b'x'; before], bytes, vec![b' '; count]].concat());
        }

        #[test]
        fn one_other_byte_is_found_anywhere(length in 1_usize..40, at in any::<usize>(), byte: u8) {
            let mut text = vec![b'a'; length];
            text[at % length] = byte;
            prop_assert_eq!(is_ascii(&text), byte != 0 && byte.is_ascii());
        }
    }
}
