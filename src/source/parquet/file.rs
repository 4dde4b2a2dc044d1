//! The files of a source: their plan, their fingerprint, the rows of a batch.

use super::cursor::{Batch, Cursors, Stretch};
use super::footer::{Footer, Footers};
use super::leaf::{Leaf, check_compression};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::column_type::ColumnType;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::input::{Compression, Files, Parts, changed};
use crate::spent::{self, Step};

/// Parquet files, of which some columns are wanted.
#[derive(Debug)]
pub(super) struct ParquetFile {
    parts: Parts,
    wanted: Vec<Wanted>,
    footers: Footers,
    cursors: Cursors,
}

/// A column that is wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The names that lead to it.
    pub(super) path: Vec<String>,
    /// The column of the target, for messages.
    pub(super) name: String,
    /// Whether a file may lack it.
    pub(super) optional: bool,
}

impl ParquetFile {
    /// Opens the files and looks for the wanted columns in each.
    ///
    /// # Errors
    /// `Source` if one cannot be opened, is no Parquet, or lacks a column; `Unsupported` if a
    /// column is nested, or compressed as it cannot be read.
    pub(super) fn open(files: &Files, wanted: Vec<Wanted>) -> Result<Self> {
        // What is compressed is within the file; around it there is nothing to be undone.
        let parts = Parts::open(&files.clone().compression(Compression::None))?;
        let footers = Footers::default();
        for (part, input) in parts.inputs().iter().enumerate() {
            let found = footers.read(part, input).and_then(|footer| find(&footer, &wanted));
            parts.locate(part, found.map(drop))?;
        }
        Ok(Self { parts, wanted, footers, cursors: Cursors::default() })
    }

    pub(super) fn describe(&self) -> String {
        self.parts.describe()
    }

    /// Of one file its rows, its row groups and who wrote it, its size and its first and last MiB;
    /// of several the size and the content.
    ///
    /// # Errors
    /// `Source` if one cannot be read.
    pub(super) fn fingerprint(&self) -> Result<Fingerprint> {
        let [only] = self.parts.inputs() else { return self.parts.fingerprint("parquet", "") };
        if !self.parts.is_one() {
            return self.parts.fingerprint("parquet", "");
        }
        let footer = self.parts.locate(0, self.footers.read(0, only))?;
        let (rows, groups) = (footer.rows(), footer.metadata.num_row_groups());
        let by = footer.written_by();
        let kind = format!("parquet of {rows} rows in {groups} row groups by {by:?},");
        // The footer may be larger than what is sampled of the file.
        self.parts.fingerprint(&kind, &format!("{:08x}", footer.checksum))
    }

    /// Cuts the files into batches, each within one row group.
    pub(super) fn plan(
        &self,
        limits: CutLimits,
        each: &mut dyn FnMut(Bounds) -> Result<()>,
    ) -> Result<()> {
        let cut = |part: usize, each: &mut dyn FnMut(Bounds) -> Result<()>| {
            let gone = || Error::new(ErrorKind::Internal, "a part is missing");
            let input = self.parts.inputs().get(part).ok_or_else(gone)?;
            let footer = self.footers.read(part, input)?;
            let leaves = find(&footer, &self.wanted)?;
            cut(&footer, &leaves, limits, each)
        };
        self.parts.plan(cut, each)
    }

    /// Reads the rows of a batch.
    ///
    /// # Errors
    /// `Source` if the file is not what was planned, is damaged, or cannot be read.
    pub(super) fn batch(&self, bounds: &Bounds) -> Result<Batch> {
        let part = Parts::part_of(bounds);
        let read = || -> Result<Batch> {
            let input = self.parts.inputs().get(part).ok_or_else(changed)?;
            let start = bounds.first_line.saturating_sub(1);
            let rows = start..start.saturating_add(bounds.rows);
            let stretch = Stretch { part, rows, checksum: bounds.checksum };
            let open = || {
                let footer = self.footers.read(part, input)?;
                let leaves = find(&footer, &self.wanted)?;
                Ok((footer, leaves))
            };
            self.cursors.read(input, &stretch, open)
        };
        self.parts.locate_batch(bounds, spent::on(Step::Read, read))
    }

    /// What the wanted columns of the first file are in PostgreSQL's terms.
    ///
    /// # Errors
    /// As [`ParquetFile::open`].
    pub(super) fn types(&self) -> Result<Vec<ColumnType>> {
        let Some(first) = self.parts.inputs().first() else {
            return Ok(vec![ColumnType::Text; self.wanted.len()]);
        };
        let found = self.footers.read(0, first).and_then(|footer| find(&footer, &self.wanted));
        let leaves = self.parts.locate(0, found)?;
        let column_type =
            |leaf: &Option<Leaf>| leaf.as_ref().map_or(ColumnType::Text, Leaf::column_type);
        Ok(leaves.iter().map(column_type).collect())
    }

    /// The origin of row `index` of a batch, of which `raw` is the record.
    pub(super) fn origin_of(&self, bounds: &Bounds, index: u32, raw: Vec<u8>) -> Origin {
        let file = self.parts.file_of(Parts::part_of(bounds));
        // Of several files, the place in the one that is named.
        let line = file.is_some().then(|| bounds.first_line + u64::from(index));
        Origin { row: bounds.first_row + u64::from(index), file, line, offset: None, raw }
    }
}

/// Finds the wanted columns in a file.
fn find(footer: &Footer, wanted: &[Wanted]) -> Result<Vec<Option<Leaf>>> {
    let located = |wanted: &Wanted| {
        find_one(footer, wanted).locate(|place| place.column = Some(wanted.name.clone()))
    };
    wanted.iter().map(located).collect()
}

fn find_one(footer: &Footer, wanted: &Wanted) -> Result<Option<Leaf>> {
    let schema = footer.metadata.file_metadata().schema_descr();
    let first = wanted.path.first().map(String::as_str);
    let fields = schema.root_schema().get_fields();
    if wanted.optional && !fields.iter().any(|field| Some(field.name()) == first) {
        return Ok(None);
    }
    let leaf = Leaf::find(schema, &wanted.path)?;
    for group in footer.metadata.row_groups() {
        if let Some(chunk) = group.columns().get(leaf.place) {
            check_compression(chunk.compression())?;
        }
    }
    Ok(Some(leaf))
}

/// Cuts the row groups of a file into batches of about as many rows each; they begin and end where
/// their bytes would, were the wanted columns alone in the file and not compressed.
fn cut(
    footer: &Footer,
    leaves: &[Option<Leaf>],
    limits: CutLimits,
    each: &mut dyn FnMut(Bounds) -> Result<()>,
) -> Result<()> {
    let mut start = 0;
    for (group, rows) in footer.metadata.row_groups().iter().zip(footer.groups()) {
        let count = rows.end - rows.start;
        if count == 0 {
            continue;
        }
        let chunks = leaves.iter().flatten().filter_map(|leaf| group.columns().get(leaf.place));
        let bytes: u64 = chunks.map(|chunk| chunk.uncompressed_size().max(0) as u64).sum();
        // Dictionaries and levels make a row smaller than it becomes: a byte a field at least.
        let row_bytes = bytes.div_ceil(count).max(leaves.len() as u64).max(1);
        let most = limits.rows.min(limits.bytes / row_bytes).clamp(1, u64::from(u32::MAX));
        let batches = count.div_ceil(most);
        for batch in 0..batches {
            // Even batches, in place of a last one that is nearly empty.
            let bound = |n: u64| (u128::from(count) * u128::from(n) / u128::from(batches)) as u64;
            let (first, behind) = (bound(batch), bound(batch + 1));
            let mut bounds = Bounds::of_rows(0, 1, behind - first);
            (bounds.start, bounds.end) = (start, start + (behind - first) * row_bytes);
            start = bounds.end;
            bounds.first_line = rows.start + first + 1;
            bounds.checksum = footer.checksum;
            each(bounds)?;
        }
    }
    Ok(())
}
