//! The columns of a row group, read forward; those that others left are taken up again.
//!
//! A batch mostly ends within a page. Whoever needs the next one would decompress that page, and
//! the dictionaries, again; so columns that are not at their end are kept, and taken up by whoever
//! needs what lies before them.

use super::chunks::{Chunks, guarded};
use super::column::Column;
use super::footer::Footer;
use super::leaf::Leaf;
use super::values::{Value, Values};
use crate::error::{Error, ErrorKind, Result};
use crate::source::input::{Bytes, changed};
use parking_lot::Mutex;
use parquet::column::reader::get_column_reader;
use parquet::file::serialized_reader::SerializedPageReader;
use std::ops::Range;
use std::sync::Arc;

/// So many are kept; each has a page of every column in memory.
const MOST_KEPT: usize = 4;

/// The rows of a batch: those numbered `rows` of a file, from 0, within one row group.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub(super) part: usize,
    pub(super) rows: Range<u64>,
    /// The checksum of the file's footer, when the batch was planned.
    pub(super) checksum: u32,
}

/// The wanted columns of a row group.
pub(super) struct Cursor {
    part: usize,
    checksum: u32,
    /// Its rows.
    group: Range<u64>,
    number: usize,
    /// The next row.
    next: u64,
    leaves: Arc<Vec<Option<Leaf>>>,
    columns: Vec<Option<Column>>,
}

/// The rows of a batch, column by column.
pub(super) struct Batch {
    /// The columns as the file has them, in the order in which they are wanted.
    pub(super) leaves: Arc<Vec<Option<Leaf>>>,
    values: Vec<Option<Values>>,
    pub(super) rows: u64,
}

impl Batch {
    /// What a row has in a column.
    pub(super) fn value(&self, column: usize, row: usize) -> Value<'_> {
        match self.values.get(column) {
            Some(Some(values)) => values.value(row),
            _ => Value::Null,
        }
    }
}

impl Cursor {
    /// Opens the row group that has the first row of a stretch.
    ///
    /// # Errors
    /// `Source` if the file is not what was planned, or damaged.
    fn open(
        input: &Arc<dyn Bytes>,
        stretch: &Stretch,
        (footer, leaves): (Arc<Footer>, Vec<Option<Leaf>>),
    ) -> Result<Self> {
        let groups = footer.groups().enumerate();
        let found = groups.into_iter().find(|(_, rows)| rows.contains(&stretch.rows.start));
        let (number, group) = found.ok_or_else(changed)?;
        if footer.checksum != stretch.checksum || stretch.rows.end > group.end {
            return Err(changed());
        }
        let chunks = Arc::new(Chunks::new(Arc::clone(input), footer.size));
        let metadata = footer.metadata.row_group(number);
        let rows = (group.end - group.start) as usize;
        let column = |leaf: &Option<Leaf>| -> Result<Option<Column>> {
            let Some(leaf) = leaf else { return Ok(None) };
            let described = metadata.schema_descr().column(leaf.place);
            let reader = guarded(|| {
                let chunk = metadata.column(leaf.place);
                let pages = SerializedPageReader::new(Arc::clone(&chunks), chunk, rows, None)?;
                Ok(get_column_reader(described, Box::new(pages)))
            });
            reader.map(|reader| Some(Column::new(leaf.clone(), reader)))
        };
        let columns = leaves.iter().map(column).collect::<Result<_>>()?;
        Ok(Self {
            part: stretch.part,
            checksum: footer.checksum,
            next: group.start,
            group,
            number,
            leaves: Arc::new(leaves),
            columns,
        })
    }

    /// Whether the rows of a stretch still lie before it.
    fn leads_to(&self, stretch: &Stretch) -> bool {
        self.part == stretch.part
            && self.checksum == stretch.checksum
            && self.next <= stretch.rows.start
            && stretch.rows.end <= self.group.end
    }

    fn read(&mut self, rows: &Range<u64>) -> Result<Batch> {
        let ahead = rows.start.checked_sub(self.next);
        let ahead = ahead.ok_or_else(|| Error::new(ErrorKind::Internal, "a row lies behind"))?;
        let count = rows.end - rows.start;
        let mut values = Vec::with_capacity(self.columns.len());
        for column in &mut self.columns {
            values.push(match column {
                Some(column) => {
                    if ahead > 0 {
                        column.skip(ahead)?;
                    }
                    Some(column.read(count)?)
                }
                None => None,
            });
        }
        self.next = rows.end;
        Ok(Batch { leaves: Arc::clone(&self.leaves), values, rows: count })
    }
}

/// Cursors that somebody left before their end.
#[derive(Default)]
pub(super) struct Cursors(Mutex<Vec<Cursor>>);

impl Cursors {
    /// Reads the rows of a stretch; `describe` reads the footer and finds the wanted columns, where
    /// nobody has left a row group that can be read on.
    ///
    /// # Errors
    /// `Source` with the row group if the file is not what was planned, is damaged, or cannot be
    /// read.
    pub(super) fn read(
        &self,
        input: &Arc<dyn Bytes>,
        stretch: &Stretch,
        describe: impl FnOnce() -> Result<(Arc<Footer>, Vec<Option<Leaf>>)>,
    ) -> Result<Batch> {
        let mut cursor = match self.take(stretch) {
            Some(cursor) => cursor,
            None => Cursor::open(input, stretch, describe()?)?,
        };
        let batch = cursor.read(&stretch.rows).map_err(|error| in_group(cursor.number, error))?;
        if cursor.next < cursor.group.end {
            self.keep(cursor);
        }
        Ok(batch)
    }

    /// The nearest one before a stretch.
    fn take(&self, stretch: &Stretch) -> Option<Cursor> {
        let mut kept = self.0.lock();
        let leading = kept.iter().enumerate().filter(|(_, cursor)| cursor.leads_to(stretch));
        let (at, _) = leading.max_by_key(|(_, cursor)| cursor.next)?;
        Some(kept.swap_remove(at))
    }

    /// Batches go forward: what lies in row groups before this one is not needed any more, and else
    /// the one that is furthest behind is needed least.
    fn keep(&self, cursor: Cursor) {
        let mut kept = self.0.lock();
        let group = (cursor.part, cursor.group.start);
        kept.retain(|other| (other.part, other.group.start) >= group);
        kept.push(cursor);
        if kept.len() > MOST_KEPT {
            let behind = kept.iter().enumerate().min_by_key(|(_, other)| (other.part, other.next));
            let at = behind.map(|(at, _)| at);
            at.map(|at| kept.swap_remove(at));
        }
    }
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cursors({} kept)", self.0.lock().len())
    }
}

/// Says in which row group a page is that cannot be read.
#[cold]
fn in_group(number: usize, error: Error) -> Error {
    let message = format!("row group {number}: {}", error.message());
    let mut told = Error::new(error.kind(), message);
    if let Some(hint) = error.hint() {
        told = told.with_hint(hint.to_owned());
    }
    let place = error.place().clone();
    told.with_source(error).locate(|at| *at = place)
}
