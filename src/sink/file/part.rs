//! The rows of a batch, on the disk before its ledger row says so.

use super::disk;
use super::target::FileFormat;
use crate::error::{Locate, Result};
use crate::mapping::column::Column;
use crate::mapping::rows::Rows;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Text is handed to the file, and to its hash, in pieces of this size.
const PIECE_BYTES: usize = 256 << 10;

/// What is known of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// A part under a temporary name, whole and on the disk; dropping it removes it, unless it got its
/// name.
#[derive(Debug)]
pub(super) struct NewPart {
    pub(super) temporary: PathBuf,
    pub(super) path: PathBuf,
    pub(super) extent: Extent,
    placed: bool,
}

impl NewPart {
    /// Writes rows into a part that will be called `path`.
    pub(super) fn write(
        path: PathBuf,
        format: &FileFormat,
        head: &str,
        columns: &[Column],
        rows: &Rows,
    ) -> Result<Self> {
        let mut out = Out::create(temporary_of(&path))?;
        out.text.push_str(head);
        let mut shown = String::new();
        for index in 0..rows.len() {
            format
                .row(columns, rows.row(index), &mut shown, &mut out.text)
                .locate(|place| place.row = Some(index as u64 + 1))?;
            out.flush_beyond(PIECE_BYTES)?;
        }
        let mut part = out.end(path)?;
        part.extent.rows = rows.len() as u64;
        Ok(part)
    }

    pub(super) fn is_placed(&self) -> bool {
        self.placed
    }

    /// Gives it its name, once; the folder is on the disk afterwards.
    pub(super) fn place(&mut self) -> Result<()> {
        if !self.placed {
            disk::rename(&self.temporary, &self.path)?;
            self.placed = true;
        }
        Ok(())
    }
}

impl Drop for NewPart {
    fn drop(&mut self) {
        if !self.placed {
            // What stays is overwritten by the next attempt, and goes with its folder in the end.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// The name of a file that is being written, which no other process uses.
pub(super) fn temporary_of(path: &Path) -> PathBuf {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    let process = PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{process:016x}.new"));
    name.into()
}

/// A file that is being written and hashed.
pub(super) struct Out {
    temporary: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
    pub(super) text: String,
}

impl Out {
    pub(super) fn create(temporary: PathBuf) -> Result<Self> {
        let file = disk::create_new(&temporary)?;
        Ok(Self { temporary, file, hash: Sha256::new(), bytes: 0, text: String::new() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| disk::failed(&self.temporary, error))
    }

    fn flush_beyond(&mut self, size: usize) -> Result<()> {
        if self.text.len() >= size {
            let text = std::mem::take(&mut self.text);
            self.write(text.as_bytes())?;
            self.text = text;
            self.text.clear();
        }
        Ok(())
    }

    /// Brings it to the disk; it will be called `path`.
    pub(super) fn end(mut self, path: PathBuf) -> Result<NewPart> {
        self.flush_beyond(1)?;
        self.file.sync_all().map_err(|error| disk::failed(&self.temporary, error))?;
        let extent = Extent { rows: 0, bytes: self.bytes, sha256: hex(self.hash) };
        Ok(NewPart { temporary: self.temporary, path, extent, placed: false })
    }
}

/// A hash as it is written.
pub(super) fn hex(hash: Sha256) -> String {
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
