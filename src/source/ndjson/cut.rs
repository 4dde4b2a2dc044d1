//! Finds the ends of lines in a stream and closes batches, in constant memory.

use crate::error::{Error, ErrorKind, Locate, Result};
use crate::source::bounds::{Bounds, CutLimits};
use crate::source::input::{Batches, MAX_RECORD_BYTES, unreadable};
use std::io::Read;

const BUFFER_BYTES: usize = 256 << 10;

/// Cuts what `input` yields, which begins at byte `start` of the file and on its first line.
///
/// # Errors
/// `Source` if the input cannot be read, or if a line is longer than 1 GiB; what `each` returns.
pub(super) fn cut(
    input: &mut impl Read,
    limits: CutLimits,
    start: u64,
    each: &mut dyn FnMut(Bounds) -> Result<()>,
) -> Result<()> {
    let mut cutter = Cutter::new(limits, start);
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
struct Cutter {
    batches: Batches,
    longest: u64,
    /// The byte of the file at which the chunk begins.
    offset: u64,
    /// The line of the file, from 1, and the byte at which it begins.
    line: u64,
    line_start: u64,
}

impl Cutter {
    fn new(limits: CutLimits, start: u64) -> Self {
        let batches = Batches::new(limits, start, 1);
        Self { batches, longest: MAX_RECORD_BYTES, offset: start, line: 1, line_start: start }
    }

    fn chunk(&mut self, chunk: &[u8], each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        let mut hashed = 0;
        for found in memchr::memchr_iter(b'\n', chunk) {
            let at = found + 1;
            if self.line_ends(self.offset + at as u64)? {
                self.batches.hash(&chunk[hashed..at]);
                hashed = at;
                self.batches.close(self.line, each)?;
            }
        }
        self.batches.hash(&chunk[hashed..]);
        self.offset += chunk.len() as u64;
        self.check_length(self.offset)
    }

    /// Takes the end of a line; says whether the batch is full.
    fn line_ends(&mut self, end: u64) -> Result<bool> {
        self.check_length(end)?;
        self.line += 1;
        self.line_start = end;
        Ok(self.batches.record(end))
    }

    fn finish(mut self, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        if self.offset > self.line_start {
            self.line_ends(self.offset)?;
        }
        self.batches.close(self.line, each)
    }

    fn check_length(&self, end: u64) -> Result<()> {
        if end - self.line_start <= self.longest {
            return Ok(());
        }
        let message = "a line is longer than 1 GiB, the limit of PostgreSQL";
        let line = self.line;
        Err(Error::new(ErrorKind::Source, message).with_hint("write one object on each line"))
            .locate(|place| place.line = Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(text: &str, rows: u64) -> Vec<(u64, u64, u64, u64)> {
        let mut found = Vec::new();
        cut(&mut text.as_bytes(), CutLimits::new(rows, u64::MAX), 0, &mut |bounds| {
            found.push((bounds.start, bounds.end, bounds.rows, bounds.first_line));
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn every_line_is_a_record() {
        assert_eq!(batches("{}\n\n{}\r\n{}", 2), [(0, 4, 2, 1), (4, 10, 2, 3)]);
        assert_eq!(batches("{}\n", 9), [(0, 3, 1, 1)]);
        assert_eq!(batches("", 9), []);
    }

    #[test]
    fn a_line_without_an_end_is_refused_and_not_kept() {
        let mut cutter = Cutter::new(CutLimits::default(), 0);
        cutter.longest = 1_000;
        let chunk = [b'a'; 600];
        cutter.chunk(&chunk, &mut |_| Ok(())).unwrap();
        let error = cutter.chunk(&chunk, &mut |_| Ok(())).unwrap_err();
        assert_eq!((error.kind(), error.place().line), (ErrorKind::Source, Some(1)));
    }
}
