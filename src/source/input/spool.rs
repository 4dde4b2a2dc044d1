//! A stream that is kept in a temporary file, so that it can be read again.

use super::unreadable;
use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

/// The most bytes that a stream is spooled for, unless something else is said: 10 GiB.
pub const DEFAULT_SPOOL_BYTES: u64 = 10 << 30;

const BUFFER_BYTES: usize = 256 << 10;

/// A stream, standard input for one, that was read to its end into a temporary file.
///
/// A batch must be able to be read again, and a stream cannot be. The file has no name, so that
/// nothing of it is left behind, whatever becomes of the process. A restart needs the same stream
/// again, and knows it by all of its bytes.
#[derive(Debug)]
pub struct Spool {
    name: String,
    file: Mutex<File>,
    size: u64,
    digest: [u8; 32],
}

impl Spool {
    /// Reads `input` to its end into a file in `folder`, or where the system keeps temporary
    /// files; messages call it `name`.
    ///
    /// # Errors
    /// `Source` if there are more than `most` bytes, if the input cannot be read, or if the file
    /// cannot be made or written.
    pub fn of(
        name: impl Into<String>,
        mut input: impl Read,
        folder: Option<&Path>,
        most: u64,
    ) -> Result<Self> {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
        let unwritable = |cause: io::Error| {
            let message = format!("cannot spool into {}: {cause}", folder.display());
            Error::new(ErrorKind::Source, message)
                .with_hint("name another folder, or write the stream to a file and read that")
                .with_source(cause)
        };
        let mut file = tempfile::tempfile_in(&folder).map_err(unwritable)?;
        let mut hash = Sha256::new();
        let mut size = 0_u64;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(unreadable(cause)),
            };
            size += read as u64;
            if size > most {
                return Err(too_large(most));
            }
            hash.update(&buffer[..read]);
            file.write_all(&buffer[..read]).map_err(unwritable)?;
        }
        Ok(Self { name: name.into(), file: Mutex::new(file), size, digest: hash.finalize().into() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    pub(super) fn reader(spool: &Arc<Self>) -> SpoolReader {
        SpoolReader { spool: Arc::clone(spool), at: 0 }
    }
}

#[cold]
fn too_large(most: u64) -> Error {
    Error::new(ErrorKind::Source, format!("the stream has more than {most} bytes"))
        .with_hint("raise max_spool_bytes, or write the stream to a file and read that")
}

/// Reads a spooled stream from a place of its own.
#[derive(Debug)]
pub(super) struct SpoolReader {
    spool: Arc<Spool>,
    at: u64,
}

impl SpoolReader {
    pub(super) fn size(&self) -> u64 {
        self.spool.size
    }
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.spool.file.lock();
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.spool.size.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_can_be_read_again_from_several_places() {
        let spool = Spool::of("stream", &b"0123456789"[..], None, 10).unwrap();
        let spool = Arc::new(spool);
        let (mut one, mut other) = (Spool::reader(&spool), Spool::reader(&spool));
        one.seek(SeekFrom::End(-3)).unwrap();
        let mut text = String::new();
        other.read_to_string(&mut text).unwrap();
        one.read_to_string(&mut text).unwrap();
        assert_eq!(text, "0123456789789");
        assert_eq!(spool.size(), 10);
    }

    #[test]
    fn a_stream_that_is_too_long_is_refused_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let error =
            Spool::of("stream", io::repeat(b'a'), Some(folder.path()), 1 << 20).unwrap_err();
        assert!(error.message().contains("more than 1048576 bytes"), "{error}");
        let kept = Spool::of("stream", &b"abc"[..], Some(folder.path()), 3).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(kept);
        let nowhere = folder.path().join("none");
        let error = Spool::of("stream", &b"abc"[..], Some(&nowhere), 3).unwrap_err();
        assert!(error.message().contains("cannot spool into"), "{error}");
    }
}
