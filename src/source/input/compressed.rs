//! An input that is decompressed while it is read.
//!
//! A batch is a range of what comes out, which cannot be cut by ranges of what is stored. So the
//! workers share decompressors that go forward: a batch is decompressed by whoever asks for it,
//! one at a time, and parsed by many. A batch that lies behind opens another one, from the nearest
//! beginning of a member before it.

use super::cursors::Cursors;
use super::decoder::{Codec, Decoder};
use super::raw::Raw;
use super::{Bytes, unreadable};
use crate::error::Result;
use parking_lot::Mutex;
use sha2::Sha256;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

/// A file of gzip members or zstd frames, as the one stream that they are.
#[derive(Debug)]
pub(super) struct Compressed {
    name: String,
    raw: Raw,
    codec: Codec,
    cursors: Arc<Mutex<Cursors>>,
}

impl Compressed {
    /// A file of gzip members.
    pub(super) fn gzip(raw: Raw) -> Self {
        Self::new(raw, Codec::Gzip)
    }

    /// A file of zstd frames.
    pub(super) fn zstd(raw: Raw) -> Self {
        Self::new(raw, Codec::Zstd)
    }

    fn new(raw: Raw, codec: Codec) -> Self {
        Self { name: raw.name(), raw, codec, cursors: Arc::default() }
    }
}

impl Bytes for Compressed {
    fn name(&self) -> &str {
        &self.name
    }

    fn stream(&self, start: u64) -> Result<Box<dyn Read + Send>> {
        let mut decoder = Decoder::open(self.codec, &self.raw)?;
        io::copy(&mut (&mut decoder).take(start), &mut io::sink()).map_err(unreadable)?;
        Ok(Box::new(Observed { decoder, cursors: Arc::clone(&self.cursors) }))
    }

    fn read(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<()> {
        self.cursors.lock().read(self.codec, &self.raw, range, buffer)
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn sample(&self, hash: &mut Sha256) -> Result<u64> {
        self.raw.sample(hash)
    }
}

/// A stream from which those who read batches later learn where members begin.
struct Observed {
    decoder: Decoder,
    cursors: Arc<Mutex<Cursors>>,
}

impl Read for Observed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer);
        self.cursors.lock().learn(&mut self.decoder);
        read
    }
}
