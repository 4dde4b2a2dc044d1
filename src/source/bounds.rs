//! Where a batch lies in its source.

use std::fmt;

/// Where a batch lies in its source; the ledger keeps it from the plan on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// The number of the batch, from 0, without gaps.
    pub number: u32,
    /// Where it begins: a byte of a file, or the number of a row.
    pub start: u64,
    /// Where it ends: the first byte or row behind it.
    pub end: u64,
    /// The number of its first row in the whole input, from 1.
    pub first_row: u64,
    /// How many rows it has, those that will be rejected included.
    pub rows: u64,
    /// The line of the file on which it begins, from 1; 0 where there are no lines.
    pub first_line: u64,
    /// CRC-32 (IEEE) of its bytes, so that an input that changed is noticed; 0 where there are none.
    pub checksum: u32,
}

impl Bounds {
    /// The bounds of batch `number`, which begins at row `first_row` (from 1) and has `rows` rows,
    /// of a source that counts rows.
    pub fn of_rows(number: u32, first_row: u64, rows: u64) -> Self {
        let start = first_row - 1;
        Self { number, start, end: start + rows, first_row, rows, first_line: 0, checksum: 0 }
    }
}

/// How large a batch may become: it is closed when either is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutLimits {
    /// Rows of a batch. Default: 5000.
    pub rows: u64,
    /// Bytes of a batch in its source. Default: 4 MiB. A single row may be larger.
    pub bytes: u64,
}

impl Default for CutLimits {
    fn default() -> Self {
        Self { rows: 5_000, bytes: 4 << 20 }
    }
}

impl CutLimits {
    /// Limits of `rows` rows and `bytes` bytes.
    pub fn new(rows: u64, bytes: u64) -> Self {
        Self { rows, bytes }
    }
}

/// Identifies the content of an input well enough to refuse a restart on another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a row came from, and what it looked like there.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// Its number in the whole input, from 1.
    pub row: u64,
    /// The file in which it stands, where the source has several.
    pub file: Option<String>,
    /// The line on which it begins, from 1, where there are lines.
    pub line: Option<u64>,
    /// The byte at which it begins, where there are bytes; of a compressed file, decompressed.
    pub offset: Option<u64>,
    /// Its bytes as they stand in the source.
    pub raw: Vec<u8>,
}

impl Origin {
    /// Row `row` (from 1) of a source without lines and bytes.
    pub fn of_row(row: u64, raw: Vec<u8>) -> Self {
        Self { row, file: None, line: None, offset: None, raw }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes are values of a row: they go to the reject store and nowhere else.
        write!(
            f,
            "Origin(row {}, file {:?}, line {:?}, offset {:?}, {} bytes)",
            self.row,
            self.file,
            self.line,
            self.offset,
            self.raw.len()
        )
    }
}
