//! Packed rows as a stream.

use super::{HEADER, TRAILER};
use crate::mapping::rows::Rows;
use std::ops::Range;

/// The pieces of the stream of the rows of `range`, in order: the header, the rows in pieces of
/// at most `piece_bytes` (at least 1), the trailer. They are borrowed; no row is copied.
///
/// A piece may end within a row or a field: the server puts the stream together again.
///
/// ```
/// use rowmill::{Rows, copy::encode};
/// let rows = Rows::new(1);
/// let stream: Vec<u8> = encode::pieces(&rows, 0..0, 64 << 10).flatten().copied().collect();
/// assert_eq!(stream.len(), 19 + 2);
/// ```
///
/// # Panics
/// If the range ends behind the last row.
pub fn pieces(rows: &Rows, range: Range<usize>, piece_bytes: usize) -> impl Iterator<Item = &[u8]> {
    let tuples = rows.tuples(range).chunks(piece_bytes.max(1));
    std::iter::once(&HEADER[..]).chain(tuples).chain(std::iter::once(&TRAILER[..]))
}

/// The whole stream of all rows, in one buffer.
pub fn encode(rows: &Rows) -> Vec<u8> {
    let mut stream = Vec::with_capacity(HEADER.len() + rows.size_bytes() + TRAILER.len());
    for piece in pieces(rows, 0..rows.len(), usize::MAX) {
        stream.extend_from_slice(piece);
    }
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_rows() -> Rows {
        let mut rows = Rows::new(1);
        for byte in [1, 2] {
            let mut row = rows.begin();
            row.field(&[byte]).unwrap();
            row.finish().unwrap();
        }
        rows
    }

    #[test]
    fn the_stream_is_header_tuples_trailer() {
        let stream = encode(&two_rows());
        let tuples = [0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 2];
        assert_eq!(stream, [&HEADER[..], &tuples, &TRAILER].concat());
    }

    #[test]
    fn no_piece_is_larger_than_asked_for_and_all_together_are_the_stream() {
        let rows = two_rows();
        for size in 0..20 {
            let whole: Vec<u8> = pieces(&rows, 0..2, size).flatten().copied().collect();
            assert_eq!(whole, encode(&rows));
            let mut between = pieces(&rows, 0..2, size).filter(|piece| **piece != HEADER);
            assert!(between.all(|piece| piece.len() <= size.max(TRAILER.len())));
        }
    }

    #[test]
    fn a_range_is_a_stream_of_its_own() {
        let stream: Vec<u8> = pieces(&two_rows(), 1..2, 100).flatten().copied().collect();
        assert_eq!(stream, [&HEADER[..], &[0, 1, 0, 0, 0, 1, 2], &TRAILER].concat());
    }
}
