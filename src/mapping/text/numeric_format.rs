//! A packed `numeric` to decimal text.

use super::fault::corrupt;
use super::numeric::{INFINITY, MAX_SCALE, MINUS_INFINITY, NAN, NEGATIVE, POSITIVE};
use crate::error::Result;

/// Appends the decimal text of a packed value, as PostgreSQL prints it.
///
/// # Errors
/// `Decode` if the bytes are no packed `numeric`.
pub fn format(packed: &[u8], out: &mut String) -> Result<()> {
    let (sign, weight, scale, groups) = unpack(packed)?;
    match sign {
        NAN => out.push_str("NaN"),
        INFINITY => out.push_str("Infinity"),
        MINUS_INFINITY => out.push_str("-Infinity"),
        _ => {
            if sign == NEGATIVE {
                out.push('-');
            }
            push_whole(groups, weight, out);
            push_fraction(groups, weight, scale, out);
        }
    }
    Ok(())
}

fn unpack(packed: &[u8]) -> Result<(u16, i64, usize, &[[u8; 2]])> {
    let (fields, rest) = packed.as_chunks::<2>();
    let ([length, weight, sign, scale, groups @ ..], []) = (fields, rest) else {
        return Err(corrupt("a numeric is too short"));
    };
    let sign = u16::from_be_bytes(*sign);
    let scale = u16::from_be_bytes(*scale);
    let sound = matches!(sign, POSITIVE | NEGATIVE | NAN | INFINITY | MINUS_INFINITY)
        && usize::from(u16::from_be_bytes(*length)) == groups.len()
        && i64::from(scale) <= MAX_SCALE
        && groups.iter().all(|group| u16::from_be_bytes(*group) < 10_000);
    if !sound {
        return Err(corrupt("the bytes of a numeric do not agree"));
    }
    Ok((sign, i16::from_be_bytes(*weight).into(), scale.into(), groups))
}

/// The group that counts 10000 to the power of `weight - index`; 0 where there is none.
fn group_at(groups: &[[u8; 2]], index: i64) -> u16 {
    usize::try_from(index)
        .ok()
        .and_then(|index| groups.get(index))
        .map_or(0, |group| u16::from_be_bytes(*group))
}

fn four_digits(group: u16) -> [u8; 4] {
    [1000, 100, 10, 1].map(|unit| b'0' + (group / unit % 10) as u8)
}

fn push_whole(groups: &[[u8; 2]], weight: i64, out: &mut String) {
    let start = out.len();
    for index in 0..=weight {
        for digit in four_digits(group_at(groups, index)) {
            if digit != b'0' || out.len() > start {
                out.push(digit.into());
            }
        }
    }
    if out.len() == start {
        out.push('0');
    }
}

fn push_fraction(groups: &[[u8; 2]], weight: i64, scale: usize, out: &mut String) {
    if scale == 0 {
        return;
    }
    out.push('.');
    let mut left = scale;
    let mut index = weight + 1;
    while left > 0 {
        for digit in four_digits(group_at(groups, index)).into_iter().take(left) {
            out.push(digit.into());
        }
        left = left.saturating_sub(4);
        index += 1;
    }
}
