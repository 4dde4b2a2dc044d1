//! The files of a source: their plan, their fingerprint, the records of a batch and the origin of a
//! row.

use super::cut::{Cutter, cut};
use super::format::CsvFormat;
use super::head::Head;
use super::order::Order;
use super::record::Records;
use crate::error::{Error, ErrorKind, Result};
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::Frame;
use crate::source::input::{Files, Parts, no_such_row};
use std::io::BufReader;

/// What stands before a batch and says whether its first record stands behind a stray newline.
const BEFORE_BYTES: u64 = 2;

/// CSV files whose heads have been read, as one file: what follows speaks of the fields as the
/// first of them names them.
#[derive(Debug)]
pub(super) struct CsvFile {
    parts: Parts,
    format: CsvFormat,
    heads: Vec<CsvHead>,
    width: usize,
    keeps_nul: bool,
}

/// The head of one of the files.
#[derive(Debug)]
pub(super) struct CsvHead {
    head: Head,
    order: Order,
}

impl CsvHead {
    /// The field of this file that is called as `field` of the first file is.
    pub(super) fn field(&self, field: usize) -> usize {
        self.order.here(field)
    }

    /// The field of the first file that is called as `field` of this file is.
    pub(super) fn first_field(&self, field: usize) -> usize {
        self.order.there(field)
    }
}

impl CsvFile {
    /// Opens the files and reads their heads.
    ///
    /// # Errors
    /// `Config` if the format is none; `Source` if a file cannot be opened, is no regular file,
    /// has no header where one is expected, or has other fields than the first.
    pub(super) fn open(files: &Files, format: CsvFormat) -> Result<Self> {
        format.check()?;
        let parts = Parts::open(files)?;
        let mut heads: Vec<CsvHead> = Vec::with_capacity(parts.inputs().len());
        for (part, input) in parts.inputs().iter().enumerate() {
            let first = heads.first().map(|first: &CsvHead| &first.head);
            let head = input
                .stream(0)
                .and_then(|stream| Head::read(BufReader::new(stream), &format))
                .and_then(|head| {
                    let order = Order::of(first, &head, || parts.inputs()[0].name().to_owned())?;
                    Ok(CsvHead { head, order })
                });
            heads.push(parts.locate(part, head)?);
        }
        let width = heads.first().map_or(0, |first| first.head.fields);
        Ok(Self { parts, format, heads, width, keeps_nul: false })
    }

    /// Refuses records that do not have `width` fields; by default the number of fields of the
    /// first line.
    pub(super) fn set_width(&mut self, width: usize) {
        self.width = width;
    }

    /// Leaves NUL in the fields, for columns that strip or replace it; by default a record with one
    /// is refused.
    pub(super) fn keep_nul(&mut self) {
        self.keeps_nul = true;
    }

    /// The head of the first file; `None` if there is no file.
    pub(super) fn head(&self) -> Option<&Head> {
        self.heads.first().map(|first| &first.head)
    }

    /// The names of the fields, where the files have headers.
    pub(super) fn names(&self) -> Option<&[String]> {
        self.head()?.names.as_deref()
    }

    /// The head of the file in which a batch lies.
    ///
    /// # Errors
    /// `Source` if there is no such file.
    pub(super) fn head_of(&self, bounds: &Bounds) -> Result<&CsvHead> {
        self.heads.get(Parts::part_of(bounds)).ok_or_else(crate::source::input::changed)
    }

    pub(super) fn format(&self) -> &CsvFormat {
        &self.format
    }

    pub(super) fn describe(&self) -> String {
        self.parts.describe()
    }

    /// Whether there is one file, whatever is in the folder.
    pub(super) fn is_one(&self) -> bool {
        self.parts.is_one()
    }

    /// Adds the first file to the place of an error.
    pub(super) fn locate<T>(&self, result: Result<T>) -> Result<T> {
        self.parts.locate(0, result)
    }

    /// The size, the first and the last MiB, and the options of the reader.
    pub(super) fn fingerprint(&self) -> Result<Fingerprint> {
        self.parts.fingerprint("csv", &self.format.describe())
    }

    /// Cuts the files into batches.
    pub(super) fn plan(
        &self,
        limits: CutLimits,
        each: &mut dyn FnMut(Bounds) -> Result<()>,
    ) -> Result<()> {
        self.parts.plan(|part, each| self.cut(part, limits, each), each)
    }

    fn cut(
        &self,
        part: usize,
        limits: CutLimits,
        each: &mut dyn FnMut(Bounds) -> Result<()>,
    ) -> Result<()> {
        let changed = || Error::new(ErrorKind::Source, "the file changed since it was opened");
        let (input, head) =
            self.parts.inputs().get(part).zip(self.heads.get(part)).ok_or_else(changed)?;
        if Head::read(BufReader::new(input.stream(0)?), &self.format)? != head.head {
            return Err(changed());
        }
        let Head { line_end, start, line, .. } = head.head;
        let mut stream = input.stream(start)?;
        cut(&mut stream, Cutter::new(&self.format, line_end, limits, start, line), each)
    }

    /// What the file has become since it was planned.
    ///
    /// # Errors
    /// `Source` if it cannot be read.
    pub(super) fn compare(&self, planned: &[Bounds]) -> Result<Option<String>> {
        self.parts.compare(planned)
    }

    /// Lets `each` look at every record of a batch, in order, until it says `false`.
    ///
    /// # Errors
    /// `Source` if the file cannot be read or is not what was planned; what `each` returns.
    pub(super) fn records(
        &self,
        bounds: &Bounds,
        mut each: impl FnMut(&mut Records<'_>) -> Result<bool>,
    ) -> Result<()> {
        self.parts.batch(bounds, BEFORE_BYTES, |chunk| {
            let Head { line_end, start, .. } = self.head_of(bounds)?.head;
            let is_first = chunk.start == start;
            let mut records = Records::new(chunk.bytes, &self.format, line_end)
                .keep_nul(self.keeps_nul)
                .width(self.width)
                .after_stray_newline(!is_first && line_end.is_stray(chunk.before));
            let mut read = 0;
            while records.advance() {
                read += 1;
                if !each(&mut records)? {
                    return Ok(());
                }
            }
            self.parts.locate_batch(bounds, crate::source::input::all_read(bounds, read))
        })
    }

    /// Lets `read` look at a record of this file that stands elsewhere, without its line end.
    ///
    /// # Errors
    /// What `read` returns.
    pub(super) fn record(
        &self,
        bytes: &[u8],
        read: impl FnOnce(&mut Records<'_>) -> Result<()>,
    ) -> Result<()> {
        let line_end = self.common_head()?.head.line_end;
        let line = [bytes, line_end.bytes()].concat();
        let mut records =
            Records::new(&line, &self.format, line_end).keep_nul(self.keeps_nul).width(self.width);
        records.advance();
        read(&mut records)
    }

    /// What stands before the first record, and the end of a line.
    pub(super) fn frame(&self) -> Result<Frame> {
        let Head { start, line_end, .. } = self.common_head()?.head;
        let mut before = Vec::new();
        let read = self.parts.inputs()[0].read(0..start, &mut before);
        self.parts.locate(0, read)?;
        Ok(Frame { before, behind: line_end.bytes().to_vec() })
    }

    /// The head that all files have; a record alone does not say from which of them it is.
    ///
    /// # Errors
    /// `Unsupported` if they differ; `Source` if there is no file.
    pub(super) fn common_head(&self) -> Result<&CsvHead> {
        let first = self.heads.first().ok_or_else(crate::source::input::changed)?;
        let is_common =
            |other: &CsvHead| other.order.is_same() && other.head.line_end == first.head.line_end;
        if self.heads.iter().all(is_common) {
            return Ok(first);
        }
        let message = "the files of this job have their fields in different orders, or other line \
            ends, and a record alone does not say from which of them it is";
        Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("mend the input, and run it as a new job"))
    }

    /// Finds the origins of the rows `indexes` of a batch, which ascend.
    ///
    /// # Errors
    /// `Source` as [`CsvFile::records`], or if the batch has no such row.
    pub(super) fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        let mut origins = Vec::with_capacity(indexes.len());
        self.records(bounds, |records| {
            // The same index may be asked for twice.
            while indexes.get(origins.len()) == Some(&records.index()) {
                origins.push(self.origin_of(records, bounds));
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
    /// `Source` as [`CsvFile::origins`].
    pub(super) fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        self.origins(bounds, &[index])?
            .pop()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "an origin is missing"))
    }

    /// The origin of the record to which `records` went last.
    pub(super) fn origin_of(&self, records: &mut Records<'_>, bounds: &Bounds) -> Origin {
        Origin {
            row: bounds.first_row + u64::from(records.index()),
            file: self.parts.file_of(Parts::part_of(bounds)),
            line: Some(bounds.first_line + records.lines_before()),
            offset: Some(Parts::start_of(bounds) + records.offset() as u64),
            raw: records.raw().to_vec(),
        }
    }
}
