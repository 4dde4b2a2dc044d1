//! How the records of a file become packed rows.

use super::file::CsvHead;
use super::format::is_null;
use super::record::{Field, Records};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::nul::NulPolicy;
use crate::mapping::rows::RowWriter;
use crate::mapping::text::Input;
use crate::source::feed::Layout;

/// How a field becomes the text of a column.
#[derive(Debug)]
pub(super) struct Reader {
    /// Its field in the first file.
    pub(super) field: usize,
    /// The name of the field, where there is a header.
    pub(super) name: Option<String>,
    pub(super) trim: bool,
    pub(super) nul: NulPolicy,
    pub(super) nulls: Vec<String>,
}

/// How the records of a batch become rows of a layout.
pub(super) struct Packer<'a> {
    pub(super) layout: &'a Layout,
    pub(super) head: &'a CsvHead,
    /// For each column its reader, its field in the file, and its type made ready.
    columns: Vec<(&'a Reader, usize, Input)>,
}

impl<'a> Packer<'a> {
    pub(super) fn new(readers: &'a [Reader], layout: &'a Layout, head: &'a CsvHead) -> Self {
        let inputs = layout.columns.iter().map(|column| Input::of(&column.column_type));
        let columns = readers
            .iter()
            .zip(inputs)
            .map(|(reader, input)| (reader, head.field(reader.field), input))
            .collect();
        Self { layout, head, columns }
    }

    /// Writes all fields of a record.
    #[inline]
    pub(super) fn record(&self, records: &Records<'_>, row: &mut RowWriter<'_>) -> Result<()> {
        for (place, (reader, field, input)) in self.columns.iter().enumerate() {
            reader.pack(records, *field, input, row).map_err(|error| self.at(place, error))?;
        }
        Ok(())
    }

    /// Writes the fields of the key.
    pub(super) fn key(&self, records: &Records<'_>, row: &mut RowWriter<'_>) -> Result<()> {
        self.layout.key.iter().try_for_each(|&place| {
            let (reader, field, input) = &self.columns[place];
            reader.pack(records, *field, input, row).map_err(|error| self.at(place, error))
        })
    }

    /// An error with its column.
    #[cold]
    fn at(&self, column: usize, error: Error) -> Error {
        let name = &self.layout.columns[column].name;
        error.locate(|place| place.column = Some(name.as_str().to_owned()))
    }
}

impl Reader {
    /// Writes the field as a value of the type of `input`.
    #[inline]
    fn pack(
        &self,
        records: &Records<'_>,
        field: usize,
        input: &Input,
        row: &mut RowWriter<'_>,
    ) -> Result<()> {
        let field = records.field(field).ok_or_else(lacks_field)?;
        match self.text(field) {
            None => row.null(),
            Some(text) if self.nul == NulPolicy::Reject => {
                row.field_with(|out| input.read(text, out))?;
            }
            Some(text) => row.field_with(|out| input.read(&self.nul.apply(text), out))?,
        }
        Ok(())
    }

    /// The text of the value; `None` for NULL.
    #[inline]
    fn text<'a>(&self, field: Field<'a>) -> Option<&'a str> {
        let text = if self.trim { field.text.trim() } else { field.text };
        (field.quoted || !is_null(text, &self.nulls)).then_some(text)
    }
}

#[cold]
fn lacks_field() -> Error {
    Error::new(ErrorKind::Decode, "the record lacks the field")
}
