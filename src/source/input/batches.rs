//! Closes batches by their rows and bytes.

use crate::error::{Error, ErrorKind, Result};
use crate::source::bounds::{Bounds, CutLimits};

/// The longest record there can be: PostgreSQL's own limit for a line.
pub(in crate::source) const MAX_RECORD_BYTES: u64 = (1 << 30) - 1;

/// The batch that is being filled, and the limits at which it is closed.
pub(in crate::source) struct Batches {
    limits: CutLimits,
    number: u32,
    start: u64,
    end: u64,
    first_row: u64,
    rows: u64,
    first_line: u64,
    checksum: crc32fast::Hasher,
}

impl Batches {
    /// Begins at byte `start` and on line `line` of an input.
    pub(in crate::source) fn new(limits: CutLimits, start: u64, line: u64) -> Self {
        // A batch is asked for with the index of a row in 32 bits.
        let rows = limits.rows.min(u64::from(u32::MAX));
        Self {
            limits: CutLimits::new(rows, limits.bytes),
            number: 0,
            start,
            end: start,
            first_row: 1,
            rows: 0,
            first_line: line,
            checksum: crc32fast::Hasher::new(),
        }
    }

    /// Takes a record that ends before byte `end`; says whether the batch is full.
    pub(in crate::source) fn record(&mut self, end: u64) -> bool {
        self.rows += 1;
        self.end = end;
        self.rows >= self.limits.rows || end - self.start >= self.limits.bytes
    }

    /// Takes bytes of the batch for its checksum.
    pub(in crate::source) fn hash(&mut self, bytes: &[u8]) {
        self.checksum.update(bytes);
    }

    /// Hands out the batch that ends with the last record, if it has any, and begins the next on
    /// `line`.
    ///
    /// # Errors
    /// `Source` if there are too many batches; what `each` returns.
    pub(in crate::source) fn close(
        &mut self,
        line: u64,
        each: &mut dyn FnMut(Bounds) -> Result<()>,
    ) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let bounds = Bounds {
            number: self.number,
            start: self.start,
            end: self.end,
            first_row: self.first_row,
            rows: self.rows,
            first_line: self.first_line,
            checksum: std::mem::take(&mut self.checksum).finalize(),
        };
        self.number = self.number.checked_add(1).ok_or_else(too_many)?;
        self.start = self.end;
        self.first_row += self.rows;
        self.rows = 0;
        self.first_line = line;
        each(bounds)
    }
}

/// The error of a source with more batches than have a number.
#[cold]
pub(super) fn too_many() -> Error {
    Error::new(ErrorKind::Source, "the file has more than 4294967295 batches")
        .with_hint("raise batch_rows")
}
