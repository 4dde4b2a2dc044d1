//! The bytes of an input as the decoder of pages asks for them, and what it may not do.

use crate::error::{Error, ErrorKind, Result};
use crate::source::input::Bytes as Input;
use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The head of a page is read in pieces of this size; most fit one.
const PIECE_BYTES: u64 = 4 << 10;

/// An input of so many bytes.
#[derive(Debug)]
pub(super) struct Chunks {
    input: Arc<dyn Input>,
    size: u64,
}

impl Chunks {
    pub(super) fn new(input: Arc<dyn Input>, size: u64) -> Self {
        Self { input, size }
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Chunks {
    type T = Stream;

    fn get_read(&self, start: u64) -> Result<Stream, ParquetError> {
        let input = Arc::clone(&self.input);
        Ok(Stream { input, next: start, end: self.size, piece: Vec::new(), taken: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = Vec::new();
        let end = start.saturating_add(length as u64);
        self.input.read(start..end, &mut bytes).map_err(outside)?;
        if bytes.len() != length {
            return Err(ParquetError::EOF("the file ends within a page".to_owned()));
        }
        Ok(bytes.into())
    }
}

/// The bytes from some place on.
#[derive(Debug)]
pub(super) struct Stream {
    input: Arc<dyn Input>,
    next: u64,
    end: u64,
    piece: Vec<u8>,
    taken: usize,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() {
            self.piece.clear();
            self.taken = 0;
            let end = self.next.saturating_add(PIECE_BYTES).min(self.end);
            if self.next < end {
                self.input.read(self.next..end, &mut self.piece).map_err(io::Error::other)?;
                self.next += self.piece.len() as u64;
            }
        }
        let mut rest = &self.piece[self.taken..];
        let read = rest.read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}

fn outside(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// Lets the crate work on bytes that may be anything: a panic in it is an error of the file.
///
/// # Errors
/// `Source` if the bytes are no Parquet, or cannot be read.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(damaged),
        Err(_) => Err(broken("its decoder gave up")),
    }
}

/// The error of a file whose bytes are not what they should be.
#[cold]
pub(super) fn broken(why: &str) -> Error {
    Error::new(ErrorKind::Source, format!("the Parquet file is damaged: {why}"))
        .with_hint("write it again, or read a copy of it")
}

#[cold]
fn damaged(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match unwrapped(inner) {
            Ok(own) => own,
            Err(other) => broken(&first_line(&other.to_string())),
        },
        ParquetError::General(why) | ParquetError::EOF(why) => broken(&first_line(&why)),
        ParquetError::NYI(why) => Error::new(
            ErrorKind::Unsupported,
            format!("the Parquet file has what is not read: {}", first_line(&why)),
        ),
        other => broken(&first_line(&other.to_string())),
    }
}

/// Our own error, where reading the bytes failed.
fn unwrapped(
    inner: Box<dyn std::error::Error + Send + Sync>,
) -> Result<Error, Box<dyn std::error::Error + Send + Sync>> {
    match inner.downcast::<Error>() {
        Ok(own) => Ok(*own),
        Err(inner) => match inner.downcast::<io::Error>() {
            Ok(failed) => match failed.downcast::<Error>() {
                Ok(own) => Ok(own),
                Err(failed) => Err(Box::new(failed)),
            },
            Err(inner) => Err(inner),
        },
    }
}

/// What the crate says is one line, and names no value of a row.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
