//! An input that is read as it is stored.

use super::raw::Raw;
use super::{Bytes, unreadable};
use crate::error::Result;
use sha2::Sha256;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// A file, opened again for every batch, so that many threads can read it at once.
#[derive(Debug)]
pub(super) struct Plain {
    name: String,
    raw: Raw,
}

impl Plain {
    pub(super) fn new(raw: Raw) -> Self {
        Self { name: raw.name(), raw }
    }
}

impl Bytes for Plain {
    fn name(&self) -> &str {
        &self.name
    }

    fn stream(&self, start: u64) -> Result<Box<dyn Read + Send>> {
        let mut handle = self.raw.open()?;
        handle.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        Ok(Box::new(handle))
    }

    fn read(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<()> {
        let mut handle = self.raw.open()?;
        handle.seek(SeekFrom::Start(range.start)).map_err(unreadable)?;
        let size = range.end.saturating_sub(range.start);
        // Exact, so that a batch a little longer than all before does not double what is kept; but
        // a plan of another file must not ask for more memory than there are bytes.
        let rest = handle.size()?.saturating_sub(range.start);
        buffer.reserve_exact(size.min(rest) as usize);
        handle.take(size).read_to_end(buffer).map_err(unreadable)?;
        Ok(())
    }

    fn size(&self) -> Result<Option<u64>> {
        self.raw.open()?.size().map(Some)
    }

    fn sample(&self, hash: &mut Sha256) -> Result<u64> {
        self.raw.sample(hash)
    }
}
