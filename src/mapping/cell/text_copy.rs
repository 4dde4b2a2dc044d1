//! Copies of texts, checked.
//!
//! The check of the standard library goes by two words at once where a text begins at one and as far as it has
//! whole ones, and byte by byte elsewhere. Most texts of a row are shorter than a line, so that most of
//! their bytes are elsewhere. A copy begins at a word, and with zeros behind it, which are valid, it ends
//! at one: 16 bytes are checked in the time of two.

use super::text::not_utf8;
use crate::error::Result;

/// What is checked at once.
const STEP: usize = 16;

/// What is longer is copied and checked as it is.
const SHORT: usize = 4 * STEP;

/// A copy of a text.
///
/// # Errors
/// `Decode` if it is not valid UTF-8.
#[inline]
pub(super) fn checked(text: &[u8]) -> Result<String> {
    match text {
        [byte] if byte.is_ascii() => Ok(char::from(*byte).to_string()),
        _ if text.len() <= SHORT => checked_short(text),
        _ => String::from_utf8(text.to_vec()).map_err(|_| not_utf8()),
    }
}

#[inline]
fn checked_short(text: &[u8]) -> Result<String> {
    let mut copy = Vec::with_capacity(text.len().next_multiple_of(STEP));
    let (steps, rest) = text.as_chunks::<STEP>();
    for step in steps {
        copy.extend_from_slice(step);
    }
    if !rest.is_empty() {
        copy.extend_from_slice(&filled_up(text, rest));
    }
    // A character that is cut off by the end is none with zeros either.
    let mut copy = String::from_utf8(copy).map_err(|_| not_utf8())?;
    copy.truncate(text.len());
    Ok(copy)
}

/// The last bytes of a text, fewer than a step, and zeros behind them. They are read as two words of a known size
/// that overlap, or with what stands before them: to call for a copy of so few takes longer.
#[inline]
fn filled_up(text: &[u8], rest: &[u8]) -> [u8; STEP] {
    let beyond = 8 * (STEP - rest.len());
    if let Some(last) = text.last_chunk::<STEP>() {
        return (u128::from_le_bytes(*last) >> beyond).to_le_bytes();
    }
    let (first, last): (u128, u128) = if let (Some(first), Some(last)) =
        (rest.first_chunk::<8>(), rest.last_chunk::<8>())
    {
        (u64::from_le_bytes(*first).into(), u128::from(u64::from_le_bytes(*last)) << 64)
    } else if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (u32::from_le_bytes(*first).into(), u128::from(u32::from_le_bytes(*last)) << 96)
    } else {
        let mut few = [0; STEP];
        few.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        return few;
    };
    (first | last >> beyond).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_copied_as_it_is_or_refused(text in "[ -~]{0,80}|[a\u{e9}\u{20ac}\u{1f600}\0]{0,30}", at: usize, byte: u8) {
            prop_assert_eq!(&checked(text.as_bytes()).unwrap(), &text);
            let mut bytes = text.into_bytes();
            if let Some(place) = at.checked_rem(bytes.len()) {
                bytes[place] = byte;
            }
            for end in 0..=bytes.len() {
                let text = &bytes[..end];
                let copy = checked(text).ok();
                prop_assert_eq!(copy.as_deref(), std::str::from_utf8(text).ok());
            }
        }
    }
}
