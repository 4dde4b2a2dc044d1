//! Rows that wait until they are a row group.

use crate::error::{Error, ErrorKind, Result};
use crate::mapping::rows::Fields;

/// A row group is closed when its packed rows have so many bytes.
pub const MOST_GROUP_BYTES: usize = 64 << 20;

/// Packed rows, of which the last may not be there whole.
#[derive(Debug, Default)]
pub(super) struct Group {
    bytes: Vec<u8>,
    /// Where each whole row ends.
    ends: Vec<usize>,
}

impl Group {
    /// Adds bytes, up to the end of the row that makes it full: says how many it took.
    pub(super) fn take(&mut self, bytes: &[u8], most_rows: u64) -> usize {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        while !self.is_full(most_rows) {
            let Some(end) = self.next_end() else { return bytes.len() };
            self.ends.push(end);
        }
        let end = self.end();
        self.bytes.truncate(end);
        // What was there before was too little for the row that ends here.
        end.saturating_sub(before)
    }

    pub(super) fn is_full(&self, most_rows: u64) -> bool {
        self.ends.len() as u64 >= most_rows || self.end() >= MOST_GROUP_BYTES
    }

    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Forgets its rows and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Makes sure that no row is there in part.
    ///
    /// # Errors
    /// `Internal` if one is.
    pub(super) fn whole(&self) -> Result<()> {
        if self.end() == self.bytes.len() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Internal, "a part ends within a row"))
    }

    /// The fields of all rows, row by row.
    pub(super) fn fields(&self, columns: usize) -> Vec<Option<&[u8]>> {
        let mut fields = Vec::with_capacity(self.rows() * columns);
        let mut start = 0;
        for &end in &self.ends {
            fields.extend(Fields::of_tuple(&self.bytes[start + 2..end]).take(columns));
            start = end;
        }
        fields
    }

    fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Where the next row ends, if it is there whole.
    fn next_end(&self) -> Option<usize> {
        let mut at = self.end();
        let count = self.bytes.get(at..at + 2)?;
        at += 2;
        for _ in 0..u16::from_be_bytes([count[0], count[1]]) {
            let length = self.bytes.get(at..at + 4)?.try_into().map(i32::from_be_bytes).ok()?;
            at += 4 + usize::try_from(length).unwrap_or_default();
        }
        (at <= self.bytes.len()).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::rows::Rows;

    fn rows(count: usize) -> Rows {
        let mut rows = Rows::new(2);
        for number in 0..count {
            let mut row = rows.begin();
            row.field(&vec![7; number % 5]).unwrap();
            row.null();
            row.finish().unwrap();
        }
        rows
    }

    #[test]
    fn a_group_is_the_same_in_whatever_pieces_its_bytes_come() {
        let rows = rows(25);
        let all = rows.tuples(0..25);
        for size in [1, 2, 7, 1_000] {
            let (mut group, mut groups) = (Group::default(), Vec::new());
            for mut piece in all.chunks(size) {
                while !piece.is_empty() {
                    piece = &piece[group.take(piece, 10)..];
                    if group.is_full(10) {
                        groups.push(group.fields(2).iter().map(|f| f.map(<[u8]>::len)).collect());
                        group.clear();
                    }
                }
            }
            group.whole().unwrap();
            groups.push(group.fields(2).iter().map(|f| f.map(<[u8]>::len)).collect::<Vec<_>>());
            let lengths: Vec<_> = (0..25).flat_map(|number| [Some(number % 5), None]).collect();
            assert_eq!(groups.concat(), lengths, "{size}");
            assert_eq!(groups.iter().map(|group| group.len() / 2).collect::<Vec<_>>(), [10, 10, 5]);
        }
    }
}
