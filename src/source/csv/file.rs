//! A file: its plan, its fingerprint, the records of a batch and the origin of a row.

use super::cut::{Cutter, cut};
use super::format::CsvFormat;
use super::head::{Head, unreadable};
use super::record::Records;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::spent::{self, Step};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const SAMPLE_BYTES: u64 = 1 << 20;

/// The most a thread keeps between two batches.
const KEPT_BYTES: usize = 16 << 20;

/// What stands before a batch and says whether its first record stands behind a stray newline.
const BEFORE_BYTES: u64 = 2;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A CSV file whose head has been read. It is opened again for every batch, so that many threads
/// can read it at once.
#[derive(Debug)]
pub(super) struct CsvFile {
    path: PathBuf,
    format: CsvFormat,
    head: Head,
    width: usize,
    keeps_nul: bool,
}

impl CsvFile {
    /// Opens a file and reads its head.
    ///
    /// # Errors
    /// `Config` if the format is none; `Source` if the file cannot be opened, is no regular file,
    /// or has no header where one is expected.
    pub(super) fn open(path: &Path, format: CsvFormat) -> Result<Self> {
        format.check()?;
        let head = open(path)
            .and_then(|file| Head::read(BufReader::new(file), &format))
            .locate(|place| place.file = Some(path.display().to_string()))?;
        let width = head.fields;
        Ok(Self { path: path.to_owned(), format, head, width, keeps_nul: false })
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

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    pub(super) fn format(&self) -> &CsvFormat {
        &self.format
    }

    pub(super) fn describe(&self) -> String {
        self.path.display().to_string()
    }

    /// Adds the file to the place of an error.
    pub(super) fn locate<T>(&self, result: Result<T>) -> Result<T> {
        result.locate(|place| place.file = Some(self.describe()))
    }

    /// The size, the first and the last MiB, and the options of the reader.
    pub(super) fn fingerprint(&self) -> Result<Fingerprint> {
        self.locate(open(&self.path).and_then(|file| self.sample(file)))
    }

    fn sample(&self, mut file: File) -> Result<Fingerprint> {
        let size = file.metadata().map_err(unreadable)?.len();
        let mut hash = Sha256::new();
        let mut bytes = Vec::new();
        for start in [0, size.saturating_sub(SAMPLE_BYTES)] {
            bytes.clear();
            file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
            (&mut file).take(SAMPLE_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
            hash.update(&bytes);
        }
        hash.update(self.format.describe());
        let mut text = format!("csv {size} bytes sha256 ");
        for byte in hash.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Fingerprint(text))
    }

    /// Cuts the file into batches.
    pub(super) fn plan(
        &self,
        limits: CutLimits,
        each: &mut dyn FnMut(Bounds) -> Result<()>,
    ) -> Result<()> {
        let mut failed = None;
        let cut = self.cut(limits, &mut |bounds| {
            each(bounds).map_err(|error| {
                // An error of the caller has a place of its own, and this file is no part of it.
                failed = Some(error);
                Error::new(ErrorKind::Internal, "the plan was stopped by its caller")
            })
        });
        match failed {
            Some(error) => Err(error),
            None => self.locate(cut),
        }
    }

    fn cut(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        let mut file = open(&self.path)?;
        if Head::read(BufReader::new(&file), &self.format)? != self.head {
            return Err(Error::new(ErrorKind::Source, "the file changed since it was opened"));
        }
        let Head { line_end, start, line, .. } = self.head;
        file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        cut(&mut file, Cutter::new(&self.format, line_end, limits, start, line), each)
    }

    /// Lets `each` look at every record of a batch, in order, until it says `false`.
    ///
    /// # Errors
    /// `Source` if the file cannot be read or is not what was planned; what `each` returns.
    pub(super) fn records(
        &self,
        bounds: &Bounds,
        each: impl FnMut(&mut Records<'_>) -> Result<bool>,
    ) -> Result<()> {
        let mut buffer = BUFFER.take();
        let result = spent::on(Step::Read, || self.read(bounds, &mut buffer))
            .locate(|place| {
                place.file = Some(self.describe());
                place.batch = Some(u64::from(bounds.number));
            })
            .and_then(|before| self.walk(bounds, &buffer, before, each));
        if buffer.capacity() <= KEPT_BYTES {
            BUFFER.set(buffer);
        }
        result
    }

    /// Reads a batch and the few bytes before it; returns how many these are.
    fn read(&self, bounds: &Bounds, buffer: &mut Vec<u8>) -> Result<usize> {
        let before = BEFORE_BYTES.min(bounds.start);
        let size = bounds.end.checked_sub(bounds.start).ok_or_else(changed)? + before;
        let mut file = open(&self.path)?;
        file.seek(SeekFrom::Start(bounds.start - before)).map_err(unreadable)?;
        // Exact, so that a batch a little longer than all before does not double what is kept; but
        // a plan of another file must not ask for more memory than there are bytes.
        let rest = file.metadata().map_err(unreadable)?.len().saturating_sub(bounds.start - before);
        buffer.clear();
        buffer.reserve_exact(size.min(rest) as usize);
        file.take(size).read_to_end(buffer).map_err(unreadable)?;
        let before = before as usize;
        let batch = buffer.get(before..).unwrap_or_default();
        if buffer.len() as u64 != size || crc32fast::hash(batch) != bounds.checksum {
            return Err(changed());
        }
        Ok(before)
    }

    fn walk(
        &self,
        bounds: &Bounds,
        buffer: &[u8],
        before: usize,
        mut each: impl FnMut(&mut Records<'_>) -> Result<bool>,
    ) -> Result<()> {
        let (before, batch) = buffer.split_at(before);
        let line_end = self.head.line_end;
        let is_first = bounds.start == self.head.start;
        let mut records = Records::new(batch, &self.format, line_end)
            .keep_nul(self.keeps_nul)
            .width(self.width)
            .after_stray_newline(!is_first && line_end.is_stray(before));
        let mut read = 0;
        while records.advance() {
            read += 1;
            if !each(&mut records)? {
                return Ok(());
            }
        }
        if read == bounds.rows {
            return Ok(());
        }
        let message = format!("{read} records were read where {} were planned", bounds.rows);
        let place = Error::new(ErrorKind::Source, message)
            .with_hint("start the job on the file and with the options it was planned for");
        self.locate(Err(place)).locate(|place| place.batch = Some(u64::from(bounds.number)))
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
                origins.push(origin(records, bounds));
            }
            Ok(origins.len() < indexes.len())
        })?;
        if origins.len() == indexes.len() {
            return Ok(origins);
        }
        let error = Error::new(ErrorKind::Source, "the batch has no such row");
        self.locate(Err(error)).locate(|place| place.batch = Some(u64::from(bounds.number)))
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
}

/// The origin of the record to which `records` went last.
pub(super) fn origin(records: &mut Records<'_>, bounds: &Bounds) -> Origin {
    Origin {
        row: bounds.first_row + u64::from(records.index()),
        line: Some(bounds.first_line + records.lines_before()),
        offset: Some(bounds.start + records.offset() as u64),
        raw: records.raw().to_vec(),
    }
}

fn open(path: &Path) -> Result<File> {
    let refused = |message: String| Error::new(ErrorKind::Source, message);
    let file = File::open(path)
        .map_err(|cause| refused(format!("cannot open the file: {cause}")).with_source(cause))?;
    let is_file = file.metadata().map_err(unreadable)?.is_file();
    if is_file {
        return Ok(file);
    }
    Err(refused("not a regular file".to_owned())
        .with_hint("write it to a file first: a batch must be able to be read again"))
}

fn changed() -> Error {
    Error::new(ErrorKind::Source, "the file changed since it was planned")
        .with_hint("put back the file the job was planned on, or start it under another name")
}
