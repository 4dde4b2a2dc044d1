//! Finds the ends of records in a stream and closes batches, in constant memory.
//!
//! Only quotes, escapes inside them and line ends matter here: `CopyReadLineText`. Where a field
//! ends, and whether a record has a fault, is not asked before the batch is read.

use super::format::CsvFormat;
use super::line_end::LineEnd;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::source::bounds::{Bounds, CutLimits};
use crate::source::input::{Batches, MAX_RECORD_BYTES, unreadable};
use std::io::Read;

const BUFFER_BYTES: usize = 256 << 10;

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
            Err(cause) => return Err(unreadable(cause)),
        }
    }
}

/// Where the cut stands in the stream.
pub(super) struct Cutter {
    needles: Needles,
    quote: u8,
    escape: Option<u8>,
    counted: u8,
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
    batches: Batches,
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
        Self {
            needles: Needles::new(quote, escape, line_end),
            quote,
            escape,
            counted: line_end.counted(),
            longest: MAX_RECORD_BYTES,
            offset: start,
            line,
            quoted: false,
            quote_line: line,
            escaped: u64::MAX,
            record_start: start,
            record_line: line,
            batches: Batches::new(limits, start, line),
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
            if self.record_ends(self.offset + at as u64)? {
                self.batches.hash(&chunk[hashed..at]);
                hashed = at;
                self.batches.close(self.line, each)?;
            }
        }
        self.batches.hash(&chunk[hashed..]);
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

    /// Takes the end of a record; says whether the batch is full.
    fn record_ends(&mut self, end: u64) -> Result<bool> {
        self.check_length(end)?;
        self.record_start = end;
        self.record_line = self.line;
        Ok(self.batches.record(end))
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
        self.batches.close(self.line, each)
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
mod tests;
