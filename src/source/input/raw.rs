//! The bytes of an input as they are stored.

#[cfg(feature = "files")]
use super::spool::{Spool, SpoolReader};
use super::unreadable;
use crate::error::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
#[cfg(feature = "files")]
use std::sync::Arc;

const SAMPLE_BYTES: u64 = 1 << 20;

/// Where the bytes of an input are stored.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    /// In a file.
    File(PathBuf),
    /// They came from a stream that was spooled.
    #[cfg(feature = "files")]
    Spool(Arc<Spool>),
}

impl Raw {
    /// What messages call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            #[cfg(feature = "files")]
            Self::Spool(spool) => spool.name().to_owned(),
        }
    }

    /// Opens it, at its first byte.
    ///
    /// # Errors
    /// `Source` if it cannot be opened or is no regular file.
    pub(super) fn open(&self) -> Result<Handle> {
        match self {
            Self::File(path) => open(path).map(Handle::File),
            #[cfg(feature = "files")]
            Self::Spool(spool) => Ok(Handle::Spool(Spool::reader(spool))),
        }
    }

    /// Adds to `hash` what tells the content, and returns the size: of a file the first and the
    /// last MiB, of a stream everything.
    ///
    /// # Errors
    /// As [`Raw::open`].
    pub(super) fn sample(&self, hash: &mut Sha256) -> Result<u64> {
        #[cfg(feature = "files")]
        if let Self::Spool(spool) = self {
            hash.update(spool.digest());
            return Ok(spool.size());
        }
        let mut handle = self.open()?;
        let size = handle.size()?;
        let mut bytes = Vec::new();
        for start in [0, size.saturating_sub(SAMPLE_BYTES)] {
            bytes.clear();
            handle.seek(SeekFrom::Start(start)).map_err(unreadable)?;
            (&mut handle).take(SAMPLE_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
            hash.update(&bytes);
        }
        Ok(size)
    }
}

/// An input that was opened.
#[derive(Debug)]
pub(super) enum Handle {
    /// A file.
    File(File),
    /// A stream that was spooled.
    #[cfg(feature = "files")]
    Spool(SpoolReader),
}

impl Handle {
    /// How many bytes it has.
    ///
    /// # Errors
    /// `Source` if that cannot be told.
    pub(super) fn size(&self) -> Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata().map_err(unreadable)?.len()),
            #[cfg(feature = "files")]
            Self::Spool(reader) => Ok(reader.size()),
        }
    }
}

impl Read for Handle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            #[cfg(feature = "files")]
            Self::Spool(reader) => reader.read(buffer),
        }
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_to_end(buffer),
            #[cfg(feature = "files")]
            Self::Spool(reader) => reader.read_to_end(buffer),
        }
    }
}

impl Seek for Handle {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            #[cfg(feature = "files")]
            Self::Spool(reader) => reader.seek(to),
        }
    }
}

fn open(path: &PathBuf) -> Result<File> {
    let refused = |message: String| Error::new(ErrorKind::Source, message);
    // A pipe would be waited for until somebody writes to it: it is not even opened.
    let metadata = std::fs::metadata(path);
    if metadata.is_ok_and(|metadata| !metadata.is_file()) {
        return Err(refused("not a regular file".to_owned())
            .with_hint("write it to a file first: a batch must be able to be read again"));
    }
    File::open(path)
        .map_err(|cause| refused(format!("cannot open the file: {cause}")).with_source(cause))
}
