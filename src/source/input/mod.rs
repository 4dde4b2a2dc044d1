//! The bytes of an input, whatever they come from: CSV and NDJSON read them in the same way.
//!
//! - `files`:       what is read: one file, several, all that match a pattern, a stream
//! - `parts`:       the inputs of a source, opened, one behind the other
//! - `place`:       the part and the byte in it, in one number
//! - `compare`:     what an input has become since it was planned
//! - `fingerprint`: the content of all parts in a few words, and how two of them differ
//! - `raw`:         the bytes as they are stored: a file, or a stream that was spooled
//! - `plain`:       an input that is read as it is stored
//! - `batches`:     closes batches by their rows and bytes
//! - `compression`: how the bytes are compressed, as they say themselves or the user does
//! - `compressed`:  an input that is decompressed while it is read; `decoder` and `cursors` for it
//! - `spool`:       a stream that is kept in a temporary file, so that it can be read again
//!
//! Every input can be read again from any byte, from many threads, and is the same each time; what
//! changed is noticed by its fingerprint and by the checksum of each batch.

mod batches;
mod compare;
#[cfg(feature = "compression")]
mod compressed;
mod compression;
#[cfg(feature = "compression")]
mod cursors;
#[cfg(feature = "compression")]
mod decoder;
mod files;
mod fingerprint;
mod parts;
mod place;
mod plain;
mod raw;
#[cfg(feature = "files")]
mod spool;

pub(super) use batches::{Batches, MAX_RECORD_BYTES};
pub use compression::Compression;
pub use files::Files;
pub use fingerprint::difference;
pub(super) use parts::{Parts, all_read, changed, no_such_row};
#[cfg(feature = "files")]
pub use spool::{DEFAULT_SPOOL_BYTES, Spool};

use crate::error::{Error, ErrorKind, Result};
use sha2::Sha256;
use std::fmt::Debug;
use std::io::{BufRead, Read};
use std::ops::Range;

/// The bytes of one input.
pub(super) trait Bytes: Debug + Send + Sync {
    /// What messages call it.
    fn name(&self) -> &str;

    /// All bytes from `start` on.
    ///
    /// # Errors
    /// `Source` if it cannot be opened or read.
    fn stream(&self, start: u64) -> Result<Box<dyn Read + Send>>;

    /// Appends the bytes of `range` to `buffer`: fewer where the input ends before.
    ///
    /// # Errors
    /// `Source` if it cannot be read.
    fn read(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<()>;

    /// How many bytes it has, where that can be told without reading them.
    ///
    /// # Errors
    /// `Source` if it cannot be opened.
    fn size(&self) -> Result<Option<u64>>;

    /// Adds to `hash` what tells the content, and returns the size: both of what is stored.
    ///
    /// # Errors
    /// `Source` if it cannot be read.
    fn sample(&self, hash: &mut Sha256) -> Result<u64>;
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Skips the byte order mark and returns its size.
///
/// # Errors
/// `Source` if the input is UTF-16 or cannot be read.
pub(super) fn skip_mark(input: &mut impl BufRead) -> Result<u64> {
    let start = input.fill_buf().map_err(unreadable)?;
    if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
        let error = Error::new(ErrorKind::Source, "the file is UTF-16: expected UTF-8");
        return Err(error.with_hint("save it as UTF-8"));
    }
    let size = if start.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    input.consume(size);
    Ok(size as u64)
}

/// The error for an input that cannot be read.
pub(super) fn unreadable(cause: std::io::Error) -> Error {
    Error::new(ErrorKind::Source, format!("cannot read the file: {cause}")).with_source(cause)
}
