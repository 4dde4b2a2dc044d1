//! Rows for declared columns.

use super::file::{Line, NdjsonFile};
use super::value::Reader;
use super::wanted::{Wanted, path};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::Ident;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul::NulPolicy;
use crate::mapping::rows::RowWriter;
use crate::mapping::text::Input;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::{Feed, Layout};
use crate::source::input::Files;
use crate::source::prepared::{Prepared, Stage};
use std::fmt::Write as _;

/// A column that is filled from a value of the objects in a file.
#[derive(Clone, Debug)]
pub struct NdjsonColumn {
    column: Column,
    from: Option<String>,
    reader: Reader,
}

impl NdjsonColumn {
    /// The column `name` of the target, filled from the value of the key of the same name.
    pub fn new(name: Ident, column_type: ColumnType) -> Self {
        Self { column: Column::new(name, column_type), from: None, reader: super::value::AS_IT_IS }
    }

    /// Takes it from the value of this key, or of a JSON pointer such as `/address/city`, which
    /// begins with a slash.
    ///
    /// Default: the key that is called as the column is.
    #[must_use]
    pub fn from(mut self, key: impl Into<String>) -> Self {
        self.from = Some(key.into());
        self
    }

    /// Removes white space around a string, before it is compared with the texts of NULL.
    ///
    /// Default: no.
    #[must_use]
    pub fn trim(mut self, trim: bool) -> Self {
        self.reader.trim = trim;
        self
    }

    /// Says what becomes of the character NUL in strings, where it is written `\u0000`; not in
    /// those within `json` and `jsonb`.
    ///
    /// Default: the row is rejected, as the database would.
    #[must_use]
    pub fn nul(mut self, policy: NulPolicy) -> Self {
        self.reader.nul = policy;
        self
    }

    /// Sets strings that mean NULL, beside `null` and a key that is missing.
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

    fn path(&self) -> Result<Vec<String>> {
        match &self.from {
            Some(from) => path(from),
            None => Ok(vec![self.column.name.as_str().to_owned()]),
        }
    }
}

/// Files with a JSON object on each line, whose values become the columns that a job declares.
///
/// Each value becomes one of the column's type as PostgreSQL's own input would make it of the
/// text: numbers with all their digits, strings as what they stand for, `null` and a missing key
/// as NULL. A column of type `json` or `jsonb` takes whatever stands there. A line that is not one
/// object, or has a value that is none of its column, becomes a reject; the rows around it are
/// read.
///
/// ```no_run
/// use rowmill::{ColumnType, Ident, NdjsonColumn, NdjsonColumns};
/// let columns = vec![
///     NdjsonColumn::new(Ident::new("id")?, ColumnType::Int8).not_null(),
///     NdjsonColumn::new(Ident::new("city")?, ColumnType::Text).from("/address/city"),
///     NdjsonColumn::new(Ident::new("tags")?, ColumnType::Jsonb),
/// ];
/// let source = NdjsonColumns::open("people.ndjson", columns)?;
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug)]
pub struct NdjsonColumns {
    file: NdjsonFile,
    columns: Vec<Column>,
    readers: Vec<Reader>,
    paths: Vec<Vec<String>>,
    wanted: Wanted,
}

impl NdjsonColumns {
    /// Opens files, or the one at a path.
    ///
    /// # Errors
    /// `Config` if there is no column, or a column is taken from a pointer that is none; `Source`
    /// if a file cannot be opened or is not UTF-8.
    pub fn open(files: impl Into<Files>, columns: Vec<NdjsonColumn>) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a source needs at least one column"));
        }
        let mut wanted = Wanted::default();
        let mut paths = Vec::with_capacity(columns.len());
        for (place, column) in columns.iter().enumerate() {
            let path = column.path().locate(|place| {
                place.column = Some(column.column.name.as_str().to_owned());
            })?;
            wanted.add(&path, place);
            paths.push(path);
        }
        let file = NdjsonFile::open(&files.into())?;
        let readers = columns.iter().map(|column| column.reader.clone()).collect();
        let columns = columns.into_iter().map(|column| column.column).collect();
        Ok(Self { file, columns, readers, paths, wanted })
    }

    fn packer<'a>(&'a self, layout: &'a Layout) -> Result<Packer<'a>> {
        if layout.columns.len() != self.readers.len() {
            return Err(Error::new(ErrorKind::Internal, "the layout is not that of the source"));
        }
        Ok(Packer::new(&self.readers, layout))
    }

    /// Packs the object of a line, or refuses it; an error is no fault of the line.
    fn take<'a>(
        &self,
        line: &Line<'a>,
        bounds: &Bounds,
        packer: &Packer<'_>,
        found: &mut [Option<&'a str>],
        out: &mut Prepared,
    ) -> Result<()> {
        let refused = match line.values(&self.wanted, found) {
            Err(fault) => Err((Stage::Parse, fault.error())),
            Ok(()) => out
                .push(line.index, packer.layout, |row| packer.all(found, row))
                .map_err(|error| (Stage::Convert, error)),
        };
        let Err((stage, error)) = refused else { return Ok(()) };
        if !error.is_data() {
            return Err(error);
        }
        out.refuse(line.index, self.file.origin_of(line, bounds), stage, error);
        // Of a line that is no object nothing is known: a key that was found before the fault could
        // stand there twice.
        if stage == Stage::Convert && !packer.layout.key.is_empty() {
            out.name_key(line.index, |row| packer.key(found, row));
        }
        Ok(())
    }
}

/// How the values of an object become a row of a layout.
struct Packer<'a> {
    layout: &'a Layout,
    /// For each column its reader, and its type made ready.
    columns: Vec<(&'a Reader, Input)>,
}

impl<'a> Packer<'a> {
    fn new(readers: &'a [Reader], layout: &'a Layout) -> Self {
        let inputs = layout.columns.iter().map(|column| Input::of(&column.column_type));
        Self { layout, columns: readers.iter().zip(inputs).collect() }
    }

    /// Writes the fields of all columns.
    fn all(&self, found: &[Option<&str>], row: &mut RowWriter<'_>) -> Result<()> {
        (0..self.columns.len()).try_for_each(|place| self.field(place, found, row))
    }

    /// Writes the fields of the key.
    fn key(&self, found: &[Option<&str>], row: &mut RowWriter<'_>) -> Result<()> {
        self.layout.key.iter().try_for_each(|place| self.field(*place, found, row))
    }

    fn field(&self, place: usize, found: &[Option<&str>], row: &mut RowWriter<'_>) -> Result<()> {
        let (reader, input) = &self.columns[place];
        let packed = reader.text(found[place], input).and_then(|text| match text {
            Some(text) => row.field_with(|out| input.read(&text, out)),
            None => {
                row.null();
                Ok(())
            }
        });
        packed.locate(|at| at.column = Some(self.layout.columns[place].name.as_str().to_owned()))
    }
}

impl Feed for NdjsonColumns {
    fn describe(&self) -> String {
        self.file.describe()
    }

    fn definition(&self) -> String {
        let mut text = self.describe();
        for (path, Reader { trim, nul, nulls }) in self.paths.iter().zip(&self.readers) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\npath {path:?} trim {trim} null {nulls:?} nul {nul:?}");
        }
        text
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.file.fingerprint()
    }

    fn compare(&self, planned: &[Bounds]) -> Result<Option<String>> {
        self.file.compare(planned)
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        self.file.plan(limits, each)
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        let packer = self.packer(layout)?;
        self.file.lines(bounds, |line| {
            let mut found = vec![None; self.readers.len()];
            self.take(&line, bounds, &packer, &mut found, out)?;
            Ok(true)
        })?;
        out.read += bounds.rows;
        Ok(())
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        self.file.origin(bounds, index)
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        self.file.origins(bounds, indexes)
    }

    fn prepare_records(
        &self,
        records: &[&[u8]],
        layout: &Layout,
        out: &mut Prepared,
    ) -> Result<()> {
        let packer = self.packer(layout)?;
        for (index, record) in (0..).zip(records) {
            let mut found = vec![None; self.readers.len()];
            let bounds = Bounds::of_rows(0, 1, 1);
            self.take(&Line::alone(index, record), &bounds, &packer, &mut found, out)?;
        }
        out.read += records.len() as u64;
        Ok(())
    }
}
