//! The inputs of a source, opened, one behind the other.

use super::batches::too_many;
use super::files::Files;
use super::{Bytes, fingerprint, place};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::source::bounds::{Bounds, Fingerprint};
use crate::spent::{self, Step};
use std::cell::RefCell;
use std::sync::Arc;

/// The most a thread keeps between two batches.
const KEPT_BYTES: usize = 16 << 20;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The inputs of a source.
#[derive(Debug)]
pub(in crate::source) struct Parts {
    inputs: Vec<Arc<dyn Bytes>>,
    description: String,
    is_one: bool,
}

/// A batch as it was read.
pub(in crate::source) struct Chunk<'a> {
    /// Where it begins in its part.
    pub(in crate::source) start: u64,
    /// What stands before it: as many bytes as were asked for, fewer at the beginning of the part.
    pub(in crate::source) before: &'a [u8],
    /// Its bytes.
    pub(in crate::source) bytes: &'a [u8],
}

impl Parts {
    /// Opens all files.
    ///
    /// # Errors
    /// Those of [`Files`].
    pub(in crate::source) fn open(files: &Files) -> Result<Self> {
        let inputs = files.open()?;
        Ok(Self { inputs, description: files.describe(), is_one: files.is_one() })
    }

    /// All inputs, in their order.
    pub(in crate::source) fn inputs(&self) -> &[Arc<dyn Bytes>] {
        &self.inputs
    }

    /// What is read, for messages.
    pub(in crate::source) fn describe(&self) -> String {
        self.description.clone()
    }

    /// The name of the file that has `part`, where there can be several.
    pub(in crate::source) fn file_of(&self, part: usize) -> Option<String> {
        let input = self.inputs.get(part).filter(|_| !self.is_one)?;
        Some(input.name().to_owned())
    }

    /// Adds the file of `part` to the place of an error.
    pub(in crate::source) fn locate<T>(&self, part: usize, result: Result<T>) -> Result<T> {
        let name = || self.inputs.get(part).map_or(&*self.description, |input| input.name());
        result.locate(|place| place.file = Some(name().to_owned()))
    }

    /// Adds the file and the number of a batch to the place of an error.
    pub(in crate::source) fn locate_batch<T>(
        &self,
        bounds: &Bounds,
        result: Result<T>,
    ) -> Result<T> {
        self.locate(Self::part_of(bounds), result)
            .locate(|place| place.batch = Some(u64::from(bounds.number)))
    }

    /// The part in which a batch lies.
    pub(in crate::source) fn part_of(bounds: &Bounds) -> usize {
        place::take(bounds).0
    }

    /// The byte of its part at which a batch begins.
    pub(in crate::source) fn start_of(bounds: &Bounds) -> u64 {
        place::take(bounds).1.start
    }

    /// Whether there is one input, whatever is in the folder.
    pub(in crate::source) fn is_one(&self) -> bool {
        self.is_one
    }

    /// Identifies the content of all inputs, read as `kind` with the options `format`.
    ///
    /// # Errors
    /// `Source` if one cannot be read.
    pub(in crate::source) fn fingerprint(&self, kind: &str, format: &str) -> Result<Fingerprint> {
        match &self.inputs[..] {
            [only] if self.is_one => fingerprint::of_one(only.as_ref(), kind, format),
            inputs => fingerprint::of_several(inputs, kind, format),
        }
    }

    /// Lets `cut` cut one part after the other, and hands `each` the batches as those of one
    /// source.
    ///
    /// # Errors
    /// What `cut` returns, with its file; what `each` returns, as it is.
    pub(in crate::source) fn plan(
        &self,
        cut: impl Fn(usize, &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()>,
        each: &mut dyn FnMut(Bounds) -> Result<()>,
    ) -> Result<()> {
        let (mut number, mut rows) = (0_u32, 0);
        for part in 0..self.inputs.len() {
            let mut failed = None;
            let done = cut(part, &mut |mut bounds| {
                place::put(part, &mut bounds)?;
                bounds.number = number;
                bounds.first_row = rows + 1;
                number = number.checked_add(1).ok_or_else(too_many)?;
                rows += bounds.rows;
                each(bounds).map_err(|error| {
                    // An error of the caller has a place of its own, and this file is no part of it.
                    failed = Some(error);
                    Error::new(ErrorKind::Internal, "the plan was stopped by its caller")
                })
            });
            match failed {
                Some(error) => return Err(error),
                None => self.locate(part, done)?,
            }
        }
        Ok(())
    }

    /// Reads a batch with up to `before` bytes before it and lets `look` look at it.
    ///
    /// # Errors
    /// `Source` if it cannot be read or is not what was planned; what `look` returns.
    pub(in crate::source) fn batch(
        &self,
        bounds: &Bounds,
        before: u64,
        look: impl FnOnce(Chunk<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut buffer = BUFFER.take();
        buffer.clear();
        let read = spent::on(Step::Read, || self.read(bounds, before, &mut buffer));
        let read = self.locate_batch(bounds, read);
        let result = read.and_then(|before| {
            let (before, bytes) = buffer.split_at(before);
            look(Chunk { start: Self::start_of(bounds), before, bytes })
        });
        if buffer.capacity() <= KEPT_BYTES {
            BUFFER.set(buffer);
        }
        result
    }

    /// Whether a batch is what it was when it was planned.
    pub(in crate::source) fn is_unchanged(&self, bounds: &Bounds) -> Result<bool> {
        let mut buffer = BUFFER.take();
        buffer.clear();
        let read = self.read(bounds, 0, &mut buffer);
        BUFFER.set(buffer);
        match read {
            Ok(_) => Ok(true),
            // What the system refuses to read is no other content.
            Err(error) if std::error::Error::source(&error).is_none() => Ok(false),
            Err(error) => self.locate(Self::part_of(bounds), Err(error)),
        }
    }

    /// Returns how many bytes before the batch were read.
    fn read(&self, bounds: &Bounds, before: u64, buffer: &mut Vec<u8>) -> Result<usize> {
        let (part, range) = place::take(bounds);
        let before = before.min(range.start);
        let from = range.start - before..range.end;
        let size = from.end - from.start;
        self.inputs.get(part).ok_or_else(changed)?.read(from, buffer)?;
        let batch = buffer.get(before as usize..).unwrap_or_default();
        if buffer.len() as u64 != size || crc32fast::hash(batch) != bounds.checksum {
            return Err(changed());
        }
        Ok(before as usize)
    }
}

/// The error of an input that is not the one that was planned.
pub(in crate::source) fn changed() -> Error {
    Error::new(ErrorKind::Source, "the file changed since it was planned")
        .with_hint("put back the file the job was planned on, or start it under another name")
}

/// Makes sure that a batch has as many records as were planned.
///
/// # Errors
/// `Source` if it has not.
pub(in crate::source) fn all_read(bounds: &Bounds, read: u64) -> Result<()> {
    if read == bounds.rows {
        return Ok(());
    }
    let message = format!("{read} records were read where {} were planned", bounds.rows);
    Err(Error::new(ErrorKind::Source, message)
        .with_hint("start the job on the file and with the options it was planned for"))
}

/// The error of a batch that lacks a row which was asked for.
pub(in crate::source) fn no_such_row() -> Error {
    Error::new(ErrorKind::Source, "the batch has no such row")
}
