//! Finds the ends of records in a stream and closes batches, in constant memory.
//!
//! Only quotes, escapes inside them and line ends matter here: `CopyReadLineText`. Where a field
//! ends, and whether a record has a fault, is not asked before the batch is read.

use super::format::CsvFormat;
use super::line_end::LineEnd;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::source::bounds::{Bounds, CutLimits};
use std::io::Read;

const BUFFER_BYTES: usize = 256 << 10;

/// The longest record there can be: PostgreSQL's own limit for a line.
const MAX_RECORD_BYTES: u64 = (1 << 30) - 1;

/// Cuts what `input` yields, which begins at byte `start` of the file and on line `line`.
///
/// # Errors
/// `Source` if the input cannot be read, if a quote is still open at its end (with the line on
/// which it was opened), or if a record is longer than 1 GiB; what `each` returns.
pub(super) fn cut(
    input: &mut impl Read,
    mut cutter: Cutter,
    each: &mut dyn FnMut(Bounds) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return cutter.finish(each),
            Ok(size) => cutter.chunk(&buffer[..size], each)?,
            Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(super::head::unreadable(cause)),
        }
    }
}

/// Where the cut stands in the stream.
pub(super) struct Cutter {
    needles: Needles,
    quote: u8,
    escape: Option<u8>,
    counted: u8,
    limits: CutLimits,
    longest: u64,
    /// The byte of the file at which the chunk begins.
    offset: u64,
    /// The line of the file, from 1.
    line: u64,
    quoted: bool,
    /// The line of the last quote: the one that opened what is quoted.
    quote_line: u64,
    /// The byte that an escape before it makes a part of the text.
    escaped: u64,
    record_start: u64,
    record_line: u64,
    batch: Batch,
}

/// The batch that is being filled.
struct Batch {
    number: u32,
    start: u64,
    first_row: u64,
    rows: u64,
    first_line: u64,
    checksum: crc32fast::Hasher,
}

impl Cutter {
    /// Begins at byte `start` and on line `line` of a file.
    pub(super) fn new(
        format: &CsvFormat,
        line_end: LineEnd,
        limits: CutLimits,
        start: u64,
        line: u64,
    ) -> Self {
        let quote = format.quote_byte();
        let escape = Some(format.escape_byte()).filter(|escape| *escape != quote);
        // A batch is asked for with the index of a row in 32 bits.
        let rows = limits.rows.min(u64::from(u32::MAX));
        Self {
            needles: Needles::new(quote, escape, line_end),
            quote,
            escape,
            counted: line_end.counted(),
            limits: CutLimits::new(rows, limits.bytes),
            longest: MAX_RECORD_BYTES,
            offset: start,
            line,
            quoted: false,
            quote_line: line,
            escaped: u64::MAX,
            record_start: start,
            record_line: line,
            batch: Batch {
                number: 0,
                start,
                first_row: 1,
                rows: 0,
                first_line: line,
                checksum: crc32fast::Hasher::new(),
            },
        }
    }

    fn chunk(&mut self, chunk: &[u8], each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        let mut hashed = 0;
        let mut at = 0;
        while let Some(offset) = self.needles.find(&chunk[at..]) {
            let found = at + offset;
            at = found + 1;
            if !self.is_record_end(chunk[found], self.offset + found as u64) {
                continue;
            }
            self.record_ends(self.offset + at as u64)?;
            if self.is_full() {
                self.batch.checksum.update(&chunk[hashed..at]);
                hashed = at;
                self.close(each)?;
            }
        }
        self.batch.checksum.update(&chunk[hashed..]);
        self.offset += chunk.len() as u64;
        self.check_length(self.offset)
    }

    /// Takes a quote, an escape, a carriage return or a newline and says whether it ends a record.
    fn is_record_end(&mut self, byte: u8, position: u64) -> bool {
        if byte == self.counted {
            self.line += 1;
        }
        if byte == self.quote {
            if position != self.escaped {
                self.quoted = !self.quoted;
                self.quote_line = self.line;
            }
            return false;
        }
        if Some(byte) == self.escape {
            if self.quoted && position != self.escaped {
                self.escaped = position + 1;
            }
            return false;
        }
        !self.quoted
    }

    fn record_ends(&mut self, end: u64) -> Result<()> {
        self.check_length(end)?;
        self.batch.rows += 1;
        self.record_start = end;
        self.record_line = self.line;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.batch.rows >= self.limits.rows
            || self.record_start - self.batch.start >= self.limits.bytes
    }

    /// Hands out the batch that ends with the last record and begins the next.
    fn close(&mut self, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        let batch = &mut self.batch;
        let bounds = Bounds {
            number: batch.number,
            start: batch.start,
            end: self.record_start,
            first_row: batch.first_row,
            rows: batch.rows,
            first_line: batch.first_line,
            checksum: std::mem::take(&mut batch.checksum).finalize(),
        };
        batch.number = batch.number.checked_add(1).ok_or_else(|| {
            Error::new(ErrorKind::Source, "the file has more than 4294967295 batches")
                .with_hint("raise batch_rows")
        })?;
        batch.start = self.record_start;
        batch.first_row += batch.rows;
        batch.rows = 0;
        batch.first_line = self.line;
        each(bounds)
    }

    fn finish(mut self, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        if self.quoted {
            let line = self.quote_line;
            // Behind a missing quote every other one is taken for its opposite, and the record
            // swallows what follows: the place to look is often where it begins.
            let record = self.record_line;
            let message =
                format!("unterminated CSV quoted field in the record that begins on line {record}");
            return Err(Error::new(ErrorKind::Source, message)
                .with_hint("close the quote that this line opens, or write it twice"))
            .locate(|place| place.line = Some(line));
        }
        if self.offset > self.record_start {
            self.record_ends(self.offset)?;
        }
        if self.batch.rows == 0 { Ok(()) } else { self.close(each) }
    }

    fn check_length(&self, end: u64) -> Result<()> {
        if end - self.record_start <= self.longest {
            return Ok(());
        }
        let message = "a record is longer than 1 GiB, the limit of PostgreSQL";
        let line = self.record_line;
        Err(Error::new(ErrorKind::Source, message)
            .with_hint("look for a quote that is never closed"))
        .locate(|place| place.line = Some(line))
    }
}

/// The bytes that mean something when records are cut.
enum Needles {
    Two(u8, u8),
    Three(u8, u8, u8),
    Four([u8; 4]),
}

impl Needles {
    fn new(quote: u8, escape: Option<u8>, line_end: LineEnd) -> Self {
        match (escape, line_end) {
            (None, LineEnd::Newline | LineEnd::ReturnNewline) => Self::Two(quote, b'\n'),
            (None, LineEnd::Return) => Self::Three(quote, b'\r', b'\n'),
            (Some(escape), LineEnd::Newline | LineEnd::ReturnNewline) => {
                Self::Three(quote, escape, b'\n')
            }
            (Some(escape), LineEnd::Return) => Self::Four([quote, escape, b'\r', b'\n']),
        }
    }

    #[inline]
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Two(a, b) => memchr::memchr2(*a, *b, bytes),
            Self::Three(a, b, c) => memchr::memchr3(*a, *b, *c, bytes),
            Self::Four(needles) => bytes.iter().position(|byte| needles.contains(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str, format: &CsvFormat, line_end: LineEnd, limits: CutLimits) -> Vec<Bounds> {
        let mut bounds = Vec::new();
        let cutter = Cutter::new(format, line_end, limits, 0, 1);
        cut(&mut text.as_bytes(), cutter, &mut |batch| {
            bounds.push(batch);
            Ok(())
        })
        .unwrap();
        bounds
    }

    fn rows(text: &str, line_end: LineEnd) -> u64 {
        let limits = CutLimits::default();
        plan(text, &CsvFormat::new(), line_end, limits).iter().map(|bounds| bounds.rows).sum()
    }

    #[test]
    fn a_batch_is_closed_by_rows_or_by_bytes() {
        let format = CsvFormat::new();
        let text = "1,a\n2,b\n3,c\n4,d\n5,e";
        let by_rows = plan(text, &format, LineEnd::Newline, CutLimits::new(2, 1 << 20));
        let shape = |bounds: &Bounds| (bounds.start, bounds.end, bounds.first_row, bounds.rows);
        assert_eq!(
            by_rows.iter().map(shape).collect::<Vec<_>>(),
            [(0, 8, 1, 2), (8, 16, 3, 2), (16, 19, 5, 1)]
        );
        let by_bytes = plan(text, &format, LineEnd::Newline, CutLimits::new(100, 9));
        assert_eq!(by_bytes.iter().map(shape).collect::<Vec<_>>(), [(0, 12, 1, 3), (12, 19, 4, 2)]);
    }

    #[test]
    fn every_batch_knows_its_number_its_line_and_its_checksum() {
        let text = "\"a\nb\",1\nc,2\nd,3\n";
        let batches = plan(text, &CsvFormat::new(), LineEnd::Newline, CutLimits::new(1, 1 << 20));
        let lines: Vec<_> =
            batches.iter().map(|bounds| (bounds.number, bounds.first_line)).collect();
        assert_eq!(lines, [(0, 1), (1, 3), (2, 4)]);
        for bounds in batches {
            let bytes = &text.as_bytes()[bounds.start as usize..bounds.end as usize];
            assert_eq!(bounds.checksum, crc32fast::hash(bytes));
        }
    }

    #[test]
    fn line_ends_inside_quotes_end_nothing() {
        assert_eq!(rows("\"a\nb\",1\n2\n", LineEnd::Newline), 2);
        assert_eq!(rows("\"a\r\nb\",1\r\n2\r\n", LineEnd::ReturnNewline), 2);
        assert_eq!(rows("\"a\rb\",1\r2\r", LineEnd::Return), 2);
        assert_eq!(rows("a\"\n\"\"\n\"b\n", LineEnd::Newline), 1);
    }

    #[test]
    fn an_escaped_quote_closes_nothing() {
        let format = CsvFormat::new().escape(b'\\');
        let rows = |text| plan(text, &format, LineEnd::Newline, CutLimits::default())[0].rows;
        assert_eq!(rows("\"a\\\"\nb\"\n"), 1);
        assert_eq!(rows("\"a\\\\\"\nb\n"), 2);
        assert_eq!(rows("a\\\"\nb\"\n"), 1);
    }

    #[test]
    fn blank_lines_and_a_last_line_without_an_end_are_records() {
        assert_eq!(rows("\n\n", LineEnd::Newline), 2);
        assert_eq!(rows("a\n\nb", LineEnd::Newline), 3);
        assert_eq!(rows("", LineEnd::Newline), 0);
        assert_eq!(rows("a\r\rb\r", LineEnd::Return), 3);
    }

    #[test]
    fn an_open_quote_at_the_end_is_refused_with_its_line() {
        let cutter = Cutter::new(&CsvFormat::new(), LineEnd::Newline, CutLimits::default(), 0, 1);
        let mut input = &b"a\n\"b\nc\"\n\"d\ne\n"[..];
        let error = cut(&mut input, cutter, &mut |_| Ok(())).unwrap_err();
        assert_eq!((error.kind(), error.place().line), (ErrorKind::Source, Some(4)));
    }

    #[test]
    fn a_record_that_is_too_long_is_refused_before_its_end_is_found() {
        for text in ["1\n\"a\n234567890", "1\n\"a\n2345678\"\n3\n", "1\n234567890\n"] {
            let limits = CutLimits::new(0, 0);
            let mut cutter = Cutter::new(&CsvFormat::new(), LineEnd::Newline, limits, 0, 1);
            cutter.longest = 9;
            let mut rows = 0;
            let error = cut(&mut text.as_bytes(), cutter, &mut |bounds| {
                rows += bounds.rows;
                Ok(())
            })
            .unwrap_err();
            assert!(error.message().contains("longer"), "{error}");
            assert_eq!((rows, error.place().line), (1, Some(2)), "{text:?}");
        }
    }

    #[test]
    fn a_stray_newline_ends_a_record_too() {
        assert_eq!(rows("a\r\nb\nc\r\n", LineEnd::ReturnNewline), 3);
        assert_eq!(rows("a\rb\nc\r", LineEnd::Return), 3);
    }

    #[test]
    fn the_size_of_the_chunks_changes_nothing() {
        struct Trickle<'a>(&'a [u8], usize);
        impl Read for Trickle<'_> {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                let size = self.0.len().min(self.1);
                out[..size].copy_from_slice(&self.0[..size]);
                self.0 = &self.0[size..];
                Ok(size)
            }
        }
        let text = "\"a\\\"\n\",1\n\nb,\"\\\\\"\n\"c\\\\\\\"\n\"\n";
        let format = CsvFormat::new().escape(b'\\');
        let whole = plan(text, &format, LineEnd::Newline, CutLimits::new(2, 100));
        for size in 1..8 {
            let mut batches = Vec::new();
            let cutter = Cutter::new(&format, LineEnd::Newline, CutLimits::new(2, 100), 0, 1);
            cut(&mut Trickle(text.as_bytes(), size), cutter, &mut |bounds| {
                batches.push(bounds);
                Ok(())
            })
            .unwrap();
            assert_eq!(batches, whole);
        }
    }
}
