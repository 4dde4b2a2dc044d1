//! The files of a source: their plan, their fingerprint, the lines of a batch and the origin of a
//! row.

use super::cut::cut;
use super::fault::Fault;
use super::object::find;
use super::wanted::Wanted;
use crate::error::{Error, ErrorKind, Result};
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::input::{Files, Parts, all_read, no_such_row, skip_mark};
use std::io::BufReader;

/// Files with an object on each line.
#[derive(Debug)]
pub(super) struct NdjsonFile {
    parts: Parts,
}

/// A line of a batch.
pub(super) struct Line<'a> {
    /// Its number in the batch, from 0.
    pub(super) index: u32,
    /// Where it begins in the batch.
    offset: usize,
    /// Its bytes, without the line end.
    bytes: &'a [u8],
    /// The same as a text, where the whole batch is one.
    text: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// A line that stands elsewhere, without its end.
    pub(super) fn alone(index: u32, bytes: &'a [u8]) -> Self {
        Self { index, offset: 0, bytes, text: std::str::from_utf8(bytes).ok() }
    }

    /// Finds the wanted values of the object on it.
    pub(super) fn values(
        &self,
        wanted: &Wanted,
        found: &mut [Option<&'a str>],
    ) -> Result<(), Fault> {
        let text = match self.text {
            Some(text) => text,
            None => std::str::from_utf8(self.bytes).map_err(|_| Fault::Encoding)?,
        };
        find(text, wanted, found)
    }
}

impl NdjsonFile {
    /// Opens the files.
    ///
    /// # Errors
    /// `Source` if one cannot be opened, or is no UTF-8 file by its first bytes.
    pub(super) fn open(files: &Files) -> Result<Self> {
        let parts = Parts::open(files)?;
        for (part, input) in parts.inputs().iter().enumerate() {
            let mark = input.stream(0).and_then(|stream| skip_mark(&mut BufReader::new(stream)));
            parts.locate(part, mark)?;
        }
        Ok(Self { parts })
    }

    pub(super) fn describe(&self) -> String {
        self.parts.describe()
    }

    /// What the file has become since it was planned.
    ///
    /// # Errors
    /// `Source` if it cannot be read.
    pub(super) fn compare(&self, planned: &[Bounds]) -> Result<Option<String>> {
        self.parts.compare(planned)
    }

    /// The size, the first and the last MiB.
    pub(super) fn fingerprint(&self) -> Result<Fingerprint> {
        self.parts.fingerprint("ndjson", "")
    }

    /// Cuts the files into batches.
    pub(super) fn plan(
        &self,
        limits: CutLimits,
        each: &mut dyn FnMut(Bounds) -> Result<()>,
    ) -> Result<()> {
        let cut = |part: usize, each: &mut dyn FnMut(Bounds) -> Result<()>| {
            let gone = || Error::new(ErrorKind::Internal, "a part is missing");
            let input = self.parts.inputs().get(part).ok_or_else(gone)?;
            let mut stream = BufReader::new(input.stream(0)?);
            let start = skip_mark(&mut stream)?;
            cut(&mut stream, limits, start, each)
        };
        self.parts.plan(cut, each)
    }

    /// Lets `each` look at every line of a batch, in order, until it says `false`.
    ///
    /// # Errors
    /// `Source` if the file cannot be read or is not what was planned; what `each` returns.
    pub(super) fn lines(
        &self,
        bounds: &Bounds,
        mut each: impl for<'a> FnMut(Line<'a>) -> Result<bool>,
    ) -> Result<()> {
        self.parts.batch(bounds, 0, |chunk| {
            let whole = std::str::from_utf8(chunk.bytes).ok();
            let (mut offset, mut index) = (0, 0);
            while offset < chunk.bytes.len() {
                let rest = &chunk.bytes[offset..];
                let size = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                let bytes = rest[..size].strip_suffix(b"\n").unwrap_or(rest);
                let text = whole.and_then(|text| text.get(offset..offset + bytes.len()));
                if !each(Line { index, offset, bytes, text })? {
                    return Ok(());
                }
                offset += size;
                index += 1;
            }
            self.parts.locate_batch(bounds, all_read(bounds, u64::from(index)))
        })
    }

    /// Finds the origins of the rows `indexes` of a batch, which ascend.
    ///
    /// # Errors
    /// `Source` as [`NdjsonFile::lines`], or if the batch has no such row.
    pub(super) fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        let mut origins = Vec::with_capacity(indexes.len());
        self.lines(bounds, |line| {
            // The same index may be asked for twice.
            while indexes.get(origins.len()) == Some(&line.index) {
                origins.push(self.origin_of(&line, bounds));
            }
            Ok(origins.len() < indexes.len())
        })?;
        if origins.len() == indexes.len() {
            return Ok(origins);
        }
        self.parts.locate_batch(bounds, Err(no_such_row()))
    }

    /// Finds the origin of row `index` of a batch.
    ///
    /// # Errors
    /// `Source` as [`NdjsonFile::origins`].
    pub(super) fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        self.origins(bounds, &[index])?
            .pop()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "an origin is missing"))
    }

    /// The origin of a line of a batch.
    pub(super) fn origin_of(&self, line: &Line<'_>, bounds: &Bounds) -> Origin {
        Origin {
            row: bounds.first_row + u64::from(line.index),
            file: self.parts.file_of(Parts::part_of(bounds)),
            line: Some(bounds.first_line + u64::from(line.index)),
            offset: Some(Parts::start_of(bounds) + line.offset as u64),
            raw: line.bytes.strip_suffix(b"\r").unwrap_or(line.bytes).to_vec(),
        }
    }
}
