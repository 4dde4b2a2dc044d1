//! Rows for declared columns, packed straight from their texts.

use super::fault::Fault;
use super::file::{CsvFile, CsvHead};
use super::format::{CsvFormat, check_null};
use super::packer::{Packer, Reader};
use super::pick::pick;
use super::record::Records;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul::NulPolicy;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::{Feed, Frame, Layout};
use crate::source::input::Files;
use crate::source::prepared::{Prepared, Stage};
use std::fmt::Write as _;

/// A column that is filled from a field of a CSV file.
#[derive(Clone, Debug)]
pub struct CsvColumn {
    column: Column,
    from: Option<String>,
    trim: bool,
    nul: NulPolicy,
    nulls: Option<Vec<String>>,
}

impl CsvColumn {
    /// The column `name` of the target, filled from the field of the same name; without a header,
    /// from the field at its own place among the columns.
    pub fn new(name: Ident, column_type: ColumnType) -> Self {
        let column = Column::new(name, column_type);
        Self { column, from: None, trim: false, nul: NulPolicy::Reject, nulls: None }
    }

    /// Takes it from the field of this name; without a header, from the field at this position,
    /// counted from 1.
    ///
    /// Default: the name of the column.
    #[must_use]
    pub fn from(mut self, field: impl Into<String>) -> Self {
        self.from = Some(field.into());
        self
    }

    /// Removes white space around the text, before it is compared with the texts of NULL.
    ///
    /// Default: no. Quotes stay what they are: a quoted text is never NULL, also if nothing is left.
    #[must_use]
    pub fn trim(mut self, trim: bool) -> Self {
        self.trim = trim;
        self
    }

    /// Says what becomes of the character NUL in its texts.
    ///
    /// Default: the record is rejected, as the database would.
    #[must_use]
    pub fn nul(mut self, policy: NulPolicy) -> Self {
        self.nul = policy;
        self
    }

    /// Sets the texts that mean NULL in this column.
    ///
    /// Default: those of the [`CsvFormat`].
    #[must_use]
    pub fn nulls<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.nulls = Some(texts.into_iter().map(Into::into).collect());
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
}

/// CSV files whose fields become the columns that a job declares.
///
/// Each text becomes a value as PostgreSQL's own input would make it, of the type of the target's
/// column. A record without the shape of the file, or with a text that is no value of its type,
/// becomes a reject; the rows around it are read. Several [`Files`] have the same fields, in any
/// order.
///
/// ```no_run
/// use rowmill::{ColumnType, CsvColumn, CsvColumns, CsvFormat, Ident};
/// let columns = vec![
///     CsvColumn::new(Ident::new("id")?, ColumnType::Int8).not_null(),
///     CsvColumn::new(Ident::new("name")?, ColumnType::Text).from("full name").trim(true),
/// ];
/// let source = CsvColumns::open("people.csv", CsvFormat::new(), columns)?;
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug)]
pub struct CsvColumns {
    file: CsvFile,
    columns: Vec<Column>,
    readers: Vec<Reader>,
}

impl CsvColumns {
    /// Opens files, or the one at a path, and finds the columns in the header.
    ///
    /// Without a header, columns stand in the order of the fields, and a record must have one field
    /// for each; as soon as one column says its position with [`CsvColumn::from`], a record must
    /// have as many fields as the first line.
    ///
    /// # Errors
    /// `Config` if the format is none, if there is no column, or if the file lacks the field of a
    /// column or has it twice; `Source` if a file cannot be opened, has no header or another one.
    pub fn open(
        files: impl Into<Files>,
        format: CsvFormat,
        columns: Vec<CsvColumn>,
    ) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a source needs at least one column"));
        }
        for null in columns.iter().filter_map(|column| column.nulls.as_ref()).flatten() {
            check_null(null, &format)?;
        }
        let mut file = CsvFile::open(&files.into(), format)?;
        let in_order = columns.iter().all(|column| column.from.is_none());
        let fields = if file.format().has_header() || !in_order {
            file.locate(find(&file, &columns))?
        } else {
            file.set_width(columns.len());
            (0..columns.len()).collect()
        };
        if columns.iter().any(|column| column.nul != NulPolicy::Reject) {
            file.keep_nul();
        }
        let readers = columns
            .iter()
            .zip(fields)
            .map(|(column, field)| Reader {
                field,
                name: file.names().and_then(|names| names.get(field).cloned()),
                trim: column.trim,
                nul: column.nul,
                nulls: column.nulls.clone().unwrap_or_else(|| file.format().null_texts().to_vec()),
            })
            .collect();
        let columns = columns.into_iter().map(|column| column.column).collect();
        Ok(Self { file, columns, readers })
    }

    /// Packs the record to which `records` went, or refuses it; an error is no fault of the record.
    fn take(
        &self,
        records: &mut Records<'_>,
        bounds: &Bounds,
        packer: &Packer<'_>,
        out: &mut Prepared,
    ) -> Result<()> {
        self.take_as(records.index(), records, bounds, packer, out)
    }

    /// The same, as row `index`.
    fn take_as(
        &self,
        index: u32,
        records: &mut Records<'_>,
        bounds: &Bounds,
        packer: &Packer<'_>,
        out: &mut Prepared,
    ) -> Result<()> {
        let refused = match records.fault() {
            Some(fault) => Err((Stage::Parse, self.describe_fault(fault, packer.head))),
            None => out
                .push(index, packer.layout, |row| packer.record(records, row))
                .map_err(|error| (Stage::Convert, error)),
        };
        let Err((stage, error)) = refused else { return Ok(()) };
        if !error.is_data() {
            // A type that cannot be read, say, is no fault of the row.
            return Err(error);
        }
        out.refuse(index, self.file.origin_of(records, bounds), stage, error);
        // A wrong key costs nothing: the worst is that a row of the target is kept. So a broken record
        // names what stands where the key should be.
        if !packer.layout.key.is_empty() {
            out.name_key(index, |row| packer.key(records, row));
        }
        Ok(())
    }

    fn packer<'a>(&'a self, layout: &'a Layout, head: &'a CsvHead) -> Result<Packer<'a>> {
        if layout.columns.len() != self.readers.len() {
            return Err(Error::new(ErrorKind::Internal, "the layout is not that of the source"));
        }
        Ok(Packer::new(&self.readers, layout, head))
    }

    fn describe_fault(&self, fault: Fault, head: &CsvHead) -> Error {
        fault.error(|field| {
            let field = head.first_field(field);
            match (self.file.names(), self.column_of(field)) {
                (Some(names), _) => names[field].clone(),
                (None, Some(column)) => column.name.as_str().to_owned(),
                (None, None) => (field + 1).to_string(),
            }
        })
    }

    fn column_of(&self, field: usize) -> Option<&Column> {
        let place = self.readers.iter().position(|reader| reader.field == field)?;
        self.columns.get(place)
    }
}

fn find(file: &CsvFile, columns: &[CsvColumn]) -> Result<Vec<usize>> {
    let positions: Vec<String> = (1..=columns.len()).map(|place| place.to_string()).collect();
    let has_header = file.format().has_header();
    let wanted = columns.iter().zip(&positions).map(|(column, position)| match &column.from {
        Some(from) => from.as_str(),
        None if has_header => column.column.name.as_str(),
        None => position.as_str(),
    });
    match file.head() {
        Some(head) => pick(head, wanted),
        // There is no file, and no row that would have a field.
        None => Ok((0..columns.len()).collect()),
    }
}

impl Feed for CsvColumns {
    fn describe(&self) -> String {
        self.file.describe()
    }

    fn definition(&self) -> String {
        let mut text = self.describe();
        for Reader { field, name, trim, nul, nulls } in &self.readers {
            // Writing to a string cannot fail. Of several files, another may be the first when the
            // job is started again: that is told by the fingerprint.
            let _ = match name {
                Some(name) if !self.file.is_one() => write!(text, "\nfield {name:?}"),
                _ => write!(text, "\nfield {field}"),
            };
            let _ = write!(text, " trim {trim} null {nulls:?}");
            // Jobs that were begun before there was a choice are what they were.
            if *nul != NulPolicy::Reject {
                let _ = write!(text, " nul {nul:?}");
            }
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
        let packer = self.packer(layout, self.file.head_of(bounds)?)?;
        self.file.records(bounds, |records| {
            self.take(records, bounds, &packer, out)?;
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
        let packer = self.packer(layout, self.file.common_head()?)?;
        for (index, record) in (0..).zip(records) {
            let bounds = Bounds::of_rows(0, 1, 1);
            self.file
                .record(record, |records| self.take_as(index, records, &bounds, &packer, out))?;
        }
        out.read += records.len() as u64;
        Ok(())
    }

    fn frame(&self) -> Result<Frame> {
        self.file.frame()
    }
}

#[cfg(test)]
mod tests;
