//! Rows packed as the tuples of COPY BINARY.
//!
//! A tuple is a big-endian `i16` number of fields and then, per field, an `i32` length (-1 for
//! NULL) and that many bytes: PostgreSQL documentation, COPY, "Binary Format", "Tuples". The
//! header and the trailer of a COPY stream are not part of it; `copy` adds them.

use super::cell::Cell;
use super::cell::sized::{self, MAX_FIELD_BYTES, too_large};
use super::column_type::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::ops::Range;

/// A growing list of packed rows, all with the same number of fields.
///
/// ```
/// use rowmill::Rows;
/// let mut rows = Rows::new(2);
/// let mut row = rows.begin();
/// row.field(&7_i32.to_be_bytes())?;
/// row.null();
/// row.finish()?;
/// assert_eq!(rows.len(), 1);
/// assert_eq!(rows.row(0).collect::<Vec<_>>(), [Some(&[0, 0, 0, 7][..]), None]);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone)]
pub struct Rows {
    fields: u16,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    /// An empty list for rows of `fields` fields (at most 1600, PostgreSQL's limit for a table).
    pub fn new(fields: u16) -> Self {
        Self { fields, bytes: Vec::new(), ends: Vec::new() }
    }

    /// How many fields each row has.
    pub fn fields(&self) -> u16 {
        self.fields
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The size of all rows in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets all rows and keeps the memory for the next ones.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Starts a row. What is written counts only once [`RowWriter::finish`] is called; a writer
    /// that is dropped before leaves no trace.
    pub fn begin(&mut self) -> RowWriter<'_> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&self.fields.to_be_bytes());
        RowWriter { rows: self, start, written: 0, may_have_null: false, finished: false }
    }

    /// The bytes of the rows of `range`, one tuple after the other.
    ///
    /// # Panics
    /// If the range ends behind the last row.
    pub fn tuples(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[self.start_of(range.start)..self.start_of(range.end)]
    }

    /// The fields of row `index`, `None` for NULL.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> Fields<'_> {
        Fields { rest: &self.tuples(index..index + 1)[2..] }
    }

    fn start_of(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes are values of rows, which no log may show.
        write!(f, "Rows({} rows of {} fields)", self.len(), self.fields)
    }
}

/// Writes one row, field after field.
#[derive(Debug)]
pub struct RowWriter<'a> {
    rows: &'a mut Rows,
    start: usize,
    written: u16,
    may_have_null: bool,
    finished: bool,
}

impl RowWriter<'_> {
    /// Writes NULL.
    #[inline]
    pub fn null(&mut self) {
        sized::null(&mut self.rows.bytes);
        self.written += 1;
        self.may_have_null = true;
    }

    /// Writes a field that is packed already.
    ///
    /// # Errors
    /// `Encode` if it is larger than 1 GiB, PostgreSQL's limit for a field.
    pub fn field(&mut self, bytes: &[u8]) -> Result<()> {
        self.field_with(|out| {
            out.extend_from_slice(bytes);
            Ok(())
        })
    }

    /// Writes a field that `pack` appends to the buffer it is given; it must not touch what is
    /// there already. The row is unusable after an error: drop the writer.
    ///
    /// # Errors
    /// What `pack` returns; `Encode` if the field is larger than 1 GiB.
    #[inline]
    pub fn field_with<E: From<Error>>(
        &mut self,
        pack: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let out = &mut self.rows.bytes;
        let length_at = out.len();
        out.extend_from_slice(&[0; 4]);
        pack(out)?;
        let length = out.len() - length_at - 4;
        if length > MAX_FIELD_BYTES {
            return Err(too_large().into());
        }
        out[length_at..length_at + 4].copy_from_slice(&(length as u32).to_be_bytes());
        self.written += 1;
        Ok(())
    }

    /// Writes a field that `pack` appends to the buffer it is given, or NULL where it says `false`
    /// and has appended nothing. The row is unusable after an error: drop the writer.
    ///
    /// # Errors
    /// What `pack` returns; `Encode` if the field is larger than 1 GiB.
    #[cfg(feature = "parquet")]
    pub(crate) fn optional_with(
        &mut self,
        pack: impl FnOnce(&mut Vec<u8>) -> Result<bool>,
    ) -> Result<()> {
        let mut there = true;
        let length_at = self.rows.bytes.len();
        self.field_with(|out| -> Result<()> {
            there = pack(out)?;
            Ok(())
        })?;
        if !there {
            self.rows.bytes[length_at..length_at + 4].copy_from_slice(&(-1_i32).to_be_bytes());
            self.may_have_null = true;
        }
        Ok(())
    }

    /// Copies all fields of row `index` of another list.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn copy(&mut self, rows: &Rows, index: usize) {
        self.rows.bytes.extend_from_slice(&rows.tuples(index..index + 1)[2..]);
        self.written += rows.fields;
        self.may_have_null = true;
    }

    /// Writes `count` fields as they are: all that `fields` has.
    pub(crate) fn fields(&mut self, fields: &Fields<'_>, count: u16, may_have_null: bool) {
        self.rows.bytes.extend_from_slice(fields.rest);
        self.written += count;
        self.may_have_null |= may_have_null;
    }

    /// Writes a value as `column_type`; a `None` as NULL. The row is unusable after an error: drop
    /// the writer.
    ///
    /// # Errors
    /// `Encode` if it is no value of that type.
    #[inline]
    pub fn cell<T: Cell>(&mut self, value: &T, column_type: &ColumnType) -> Result<()> {
        let there = value.pack_sized(column_type, &mut self.rows.bytes)?;
        self.written += 1;
        self.may_have_null |= !there;
        Ok(())
    }

    /// Lets `check` look at the fields written so far.
    ///
    /// # Errors
    /// What `check` returns.
    pub fn check<E>(&self, check: impl FnOnce(Fields<'_>) -> Result<(), E>) -> Result<(), E> {
        check(Fields { rest: &self.rows.bytes[self.start + 2..] })
    }

    /// Whether one of the fields written so far can be NULL; `false` is certain.
    #[inline]
    pub(crate) fn may_have_null(&self) -> bool {
        self.may_have_null
    }

    /// How many fields have been written.
    pub fn written(&self) -> u16 {
        self.written
    }

    /// Ends the row; from now on it counts.
    ///
    /// # Errors
    /// `Internal` if it does not have as many fields as its list asks for.
    pub fn finish(mut self) -> Result<()> {
        if self.written != self.rows.fields {
            return Err(self.uneven());
        }
        self.finished = true;
        let end = self.rows.bytes.len();
        self.rows.ends.push(end);
        Ok(())
    }

    #[cold]
    fn uneven(&self) -> Error {
        let message = format!("a row has {} fields instead of {}", self.written, self.rows.fields);
        Error::new(ErrorKind::Internal, message)
    }
}

impl Drop for RowWriter<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.rows.bytes.truncate(self.start);
        }
    }
}

/// The fields of one row, in order.
#[derive(Clone, Default)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of a tuple, of which `rest` is what follows their number.
    pub(crate) fn of_tuple(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({} bytes)", self.rest.len())
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.rest = rest;
            return Some(None);
        };
        let (field, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Some(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            table in proptest::collection::vec(
                proptest::collection::vec(proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)), 3), 0..20)
        ) {
            let mut rows = Rows::new(3);
            for row in &table {
                let mut writer = rows.begin();
                for field in row {
                    match field {
                        Some(bytes) => writer.field(bytes).unwrap(),
                        None => writer.null(),
                    }
                }
                writer.finish().unwrap();
            }
            prop_assert_eq!(rows.len(), table.len());
            for (index, row) in table.iter().enumerate() {
                let fields: Vec<_> = rows.row(index).map(|field| field.map(<[u8]>::to_vec)).collect();
                prop_assert_eq!(&fields, row);
            }
        }
    }

    #[test]
    fn a_cell_is_its_value_or_null() {
        let mut rows = Rows::new(2);
        let mut row = rows.begin();
        row.cell(&Some(7_i16), &ColumnType::Int2).unwrap();
        row.cell(&None::<i16>, &ColumnType::Int2).unwrap();
        row.finish().unwrap();
        assert_eq!(rows.row(0).collect::<Vec<_>>(), [Some(&[0, 7][..]), None]);
    }

    #[test]
    fn a_row_knows_whether_it_may_have_a_null() {
        let mut list = Rows::new(1);
        let mut row = list.begin();
        row.field(b"x").unwrap();
        assert!(!row.may_have_null());
        row.finish().unwrap();
        for write in [
            |row: &mut RowWriter<'_>, _: &Rows| row.null(),
            |row: &mut RowWriter<'_>, _: &Rows| {
                row.cell(&None::<i16>, &ColumnType::Int2).unwrap();
            },
            |row: &mut RowWriter<'_>, list: &Rows| row.copy(list, 0),
        ] {
            let mut rows = Rows::new(1);
            let mut row = rows.begin();
            write(&mut row, &list);
            assert!(row.may_have_null());
        }
    }

    #[test]
    fn an_abandoned_row_leaves_no_trace() {
        let mut rows = Rows::new(1);
        rows.begin().field(b"lost").unwrap();
        assert_eq!((rows.len(), rows.size_bytes()), (0, 0));
    }

    #[test]
    fn a_row_with_too_few_fields_is_refused() {
        let mut rows = Rows::new(2);
        let mut row = rows.begin();
        row.null();
        assert_eq!(row.finish().unwrap_err().kind(), ErrorKind::Internal);
        assert!(rows.is_empty());
    }
}
