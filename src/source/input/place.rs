//! The part of a source and the byte in it, in one number.
//!
//! The ledger keeps the bounds of a batch as two numbers, and has to find its file again without
//! reading the files before. So the upper bits of both count the parts. In the first part, which
//! most sources have alone, the number is the byte itself.

use crate::error::{Error, ErrorKind, Result};
use crate::source::bounds::Bounds;
use std::ops::Range;

const OFFSET_BITS: u32 = 44;

/// The most parts: their number and a byte together fit the 63 bits that a ledger keeps.
pub(super) const MOST_PARTS: usize = 1 << 18;

/// Puts the bounds of a batch of its own part behind those of the parts before.
///
/// # Errors
/// `Source` if the part is larger than 16 TiB.
pub(super) fn put(part: usize, bounds: &mut Bounds) -> Result<()> {
    if bounds.end >= 1 << OFFSET_BITS {
        return Err(Error::new(ErrorKind::Source, "the file is larger than 16 TiB")
            .with_hint("split it into several files"));
    }
    let base = (part as u64) << OFFSET_BITS;
    bounds.start |= base;
    bounds.end |= base;
    Ok(())
}

/// The part and the bytes in it.
pub(super) fn take(bounds: &Bounds) -> (usize, Range<u64>) {
    let offset = |place: u64| place & ((1 << OFFSET_BITS) - 1);
    let part = (bounds.start >> OFFSET_BITS) as usize;
    // Bounds of a damaged ledger are an empty range, which no checksum fits.
    (part, offset(bounds.start)..offset(bounds.end).max(offset(bounds.start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_and_that_of_the_first_part_is_the_byte() {
        for (part, start, end) in [(0, 7, 9), (1, 0, 1), (MOST_PARTS - 1, 5, (1 << 44) - 1)] {
            let mut bounds = Bounds::of_rows(0, 1, 1);
            (bounds.start, bounds.end) = (start, end);
            put(part, &mut bounds).unwrap();
            assert_eq!(take(&bounds), (part, start..end));
            assert!(i64::try_from(bounds.end).is_ok());
            assert!(part > 0 || bounds.start == start);
        }
        let mut bounds = Bounds::of_rows(0, 1, 1);
        bounds.end = 1 << 44;
        assert!(put(0, &mut bounds).unwrap_err().message().contains("16 TiB"));
    }
}
