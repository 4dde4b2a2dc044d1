//! Rows for declared columns.

use super::cursor::Batch;
use super::file::{ParquetFile, Wanted};
use super::pack::{Reader, Way};
use super::record::{Field, Record, record};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::Ident;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul::NulPolicy;
use crate::mapping::rows::RowWriter;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::{Feed, Layout};
use crate::source::input::{Files, no_such_row};
use crate::source::ndjson::pointer;
use crate::source::prepared::{Prepared, Stage};
use crate::spent::{self, Step};
use std::fmt::Write as _;

/// A column that is filled from a column of a Parquet file.
#[derive(Clone, Debug)]
pub struct ParquetColumn {
    column: Column,
    from: Option<String>,
    reader: Reader,
}

impl ParquetColumn {
    /// The column `name` of the target, filled from the column of the same name.
    pub fn new(name: Ident, column_type: ColumnType) -> Self {
        Self {
            column: Column::new(name, column_type),
            from: None,
            reader: super::pack::AS_IT_IS.clone(),
        }
    }

    /// Takes it from this column of the file, or from a field of a struct by a pointer such as
    /// `/address/city`, which begins with a slash.
    ///
    /// Default: the column that is called as this one is.
    #[must_use]
    pub fn from(mut self, name: impl Into<String>) -> Self {
        self.from = Some(name.into());
        self
    }

    /// Removes white space around a text, before it is compared with the texts of NULL.
    ///
    /// Default: no.
    #[must_use]
    pub fn trim(mut self, trim: bool) -> Self {
        self.reader.trim = trim;
        self
    }

    /// Says what becomes of the character NUL in texts.
    ///
    /// Default: the row is rejected, as the database would.
    #[must_use]
    pub fn nul(mut self, policy: NulPolicy) -> Self {
        self.reader.nul = policy;
        self
    }

    /// Sets texts that mean NULL, beside the NULL of the file.
    ///
    /// Default: none.
    #[must_use]
    pub fn nulls<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.reader.nulls = texts.into_iter().map(Into::into).collect();
        self
    }

    /// Says that it has no NULL.
    ///
    /// Default: it can be NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.column = self.column.not_null();
        self
    }

    fn source(&self) -> &str {
        self.from.as_deref().unwrap_or(self.column.name.as_str())
    }

    fn wanted(&self) -> Result<Wanted> {
        let path = match &self.from {
            Some(from) => pointer(from)?,
            None => vec![self.column.name.as_str().to_owned()],
        };
        Ok(Wanted { path, name: self.column.name.as_str().to_owned(), optional: false })
    }
}

/// Parquet files, whose columns become the columns that a job declares.
///
/// A value of the type that the column of the file has in PostgreSQL's terms is taken as it is;
/// another one becomes a value of the declared type as its text would. One that is none, or is
/// outside of what PostgreSQL can hold, makes its row a reject; the rows around it are read. Lists
/// of plain values become arrays. Other nested columns are refused by name, but a field of a struct
/// can be taken by a pointer.
///
/// ```no_run
/// use rowmill::{ColumnType, Ident, ParquetColumn, ParquetColumns};
/// let columns = vec![
///     ParquetColumn::new(Ident::new("id")?, ColumnType::Int8).not_null(),
///     ParquetColumn::new(Ident::new("city")?, ColumnType::Text).from("/address/city"),
/// ];
/// let source = ParquetColumns::open("people.parquet", columns)?;
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug)]
pub struct ParquetColumns {
    file: ParquetFile,
    columns: Vec<Column>,
    readers: Vec<Reader>,
    sources: Vec<String>,
}

impl ParquetColumns {
    /// Opens files, or the one at a path.
    ///
    /// # Errors
    /// `Config` if there is no column, or a column is taken from a pointer that is none; `Source`
    /// if a file cannot be opened, is no Parquet, or lacks a column; `Unsupported` if a column is
    /// nested, or if a file is encrypted or compressed as it cannot be read.
    pub fn open(files: impl Into<Files>, columns: Vec<ParquetColumn>) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a source needs at least one column"));
        }
        let wanted = |column: &ParquetColumn| {
            let name = || column.column.name.as_str().to_owned();
            column.wanted().locate(|place| place.column = Some(name()))
        };
        let wanted = columns.iter().map(wanted).collect::<Result<_>>()?;
        let file = ParquetFile::open(&files.into(), wanted)?;
        let sources = columns.iter().map(|column| column.source().to_owned()).collect();
        let readers = columns.iter().map(|column| column.reader.clone()).collect();
        let columns = columns.into_iter().map(|column| column.column).collect();
        Ok(Self { file, columns, readers, sources })
    }

    /// How each column of `layout` is filled from a column of that type of a file.
    fn fields<'a>(
        &'a self,
        layout: &'a Layout,
        types: impl Iterator<Item = ColumnType>,
    ) -> Result<Vec<Field<'a>>> {
        if layout.columns.len() != self.readers.len() {
            return Err(Error::new(ErrorKind::Internal, "the layout is not that of the source"));
        }
        let columns = layout.columns.iter().zip(&self.readers).zip(&self.sources).zip(types);
        Ok(columns
            .map(|(((column, reader), from), ty)| {
                let way = Way::of(&ty, &column.column_type);
                Field { from, column, reader, way }
            })
            .collect())
    }

    fn fields_of<'a>(&'a self, layout: &'a Layout, batch: &Batch) -> Result<Vec<Field<'a>>> {
        self.fields(layout, batch.leaves.iter().flatten().map(super::leaf::Leaf::column_type))
    }

    /// Packs a row, or refuses it; an error is no fault of the row.
    fn take(
        &self,
        index: u32,
        bounds: &Bounds,
        row: &Row<'_, impl Fn(usize, &mut Vec<u8>) -> Result<bool>>,
        raw: impl FnOnce() -> Vec<u8>,
        out: &mut Prepared,
    ) -> Result<()> {
        let Err(error) = out.push(index, row.layout, |to| row.all(to)) else { return Ok(()) };
        if !error.is_data() {
            return Err(error);
        }
        let origin = self.file.origin_of(bounds, index, raw());
        out.refuse(index, origin, Stage::Convert, error);
        if !row.layout.key.is_empty() {
            out.name_key(index, |to| row.key(to));
        }
        Ok(())
    }
}

/// A row on its way to the target; `pack` appends the value of a field, and says whether there is
/// one.
struct Row<'a, F> {
    layout: &'a Layout,
    pack: F,
}

impl<F: Fn(usize, &mut Vec<u8>) -> Result<bool>> Row<'_, F> {
    fn all(&self, to: &mut RowWriter<'_>) -> Result<()> {
        (0..self.layout.columns.len()).try_for_each(|at| self.field(at, to))
    }

    fn key(&self, to: &mut RowWriter<'_>) -> Result<()> {
        self.layout.key.iter().try_for_each(|at| self.field(*at, to))
    }

    fn field(&self, at: usize, to: &mut RowWriter<'_>) -> Result<()> {
        let packed = to.optional_with(|out| (self.pack)(at, out));
        packed.locate(|place| {
            place.column = Some(self.layout.columns[at].name.as_str().to_owned());
        })
    }
}

impl Feed for ParquetColumns {
    fn describe(&self) -> String {
        self.file.describe()
    }

    fn definition(&self) -> String {
        let mut text = self.describe();
        for (from, Reader { trim, nul, nulls }) in self.sources.iter().zip(&self.readers) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\ncolumn {from:?} trim {trim} null {nulls:?} nul {nul:?}");
        }
        text
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.file.fingerprint()
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        self.file.plan(limits, each)
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        let batch = self.file.batch(bounds)?;
        let fields = self.fields_of(layout, &batch)?;
        for (index, at) in (0_u32..).zip(0..batch.rows as usize) {
            let value = |column: usize| batch.value(column, at);
            let pack = |column: usize, out: &mut Vec<u8>| {
                let field = &fields[column];
                field.way.pack(value(column), field.reader, out)
            };
            let row = Row { layout, pack };
            spent::sampled(Step::Encode, index, bounds.rows, || {
                self.take(index, bounds, &row, || record(&fields, value), out)
            })?;
        }
        out.read += bounds.rows;
        Ok(())
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        let found = self.origins(bounds, &[index])?.pop();
        found.ok_or_else(|| Error::new(ErrorKind::Internal, "an origin is missing"))
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        let batch = self.file.batch(bounds)?;
        let layout = Layout::new(self.columns.clone(), Vec::new());
        let fields = self.fields_of(&layout, &batch)?;
        let origin = |&index: &u32| {
            if u64::from(index) >= batch.rows {
                return Err(no_such_row());
            }
            let raw = record(&fields, |column| batch.value(column, index as usize));
            Ok(self.file.origin_of(bounds, index, raw))
        };
        indexes.iter().map(origin).collect()
    }

    fn prepare_records(
        &self,
        records: &[&[u8]],
        layout: &Layout,
        out: &mut Prepared,
    ) -> Result<()> {
        let fields = self.fields(layout, self.file.types()?.into_iter())?;
        for (index, bytes) in (0_u32..).zip(records) {
            let bounds = Bounds::of_rows(0, 1, 1);
            match Record::of(bytes) {
                Err(error) => {
                    let origin = self.file.origin_of(&bounds, index, bytes.to_vec());
                    out.refuse(index, origin, Stage::Parse, error);
                }
                Ok(found) => {
                    let pack = |at: usize, out: &mut Vec<u8>| found.pack(&fields[at], out);
                    let row = Row { layout, pack };
                    self.take(index, &bounds, &row, || bytes.to_vec(), out)?;
                }
            }
        }
        out.read += records.len() as u64;
        Ok(())
    }
}
