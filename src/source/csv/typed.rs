//! Rows of a CSV file as values of an entity.

use super::file::{CsvFile, CsvHead};
use super::format::{CsvFormat, is_null};
use super::pick::by_name;
use super::record::Records;
use crate::error::Result;
use crate::mapping::column::Column;
use crate::mapping::entity::Entity;
use crate::mapping::text::Input;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::Frame;
use crate::source::input::Files;
use crate::source::packed_row::{PackedRow, converted};
use crate::source::prepared::Stage;
use crate::source::rows::{Refusal, Source};
use crate::spent::{self, Step};
use std::fmt;
use std::marker::PhantomData;

/// CSV files whose records are values of the entity `T`.
///
/// The header names the columns of the entity, in any order; fields that the entity does not have
/// are left out, and a column that the database makes may be absent. Without a header, the fields
/// are the columns of the entity in order, without those that the database makes.
pub struct Csv<T> {
    file: CsvFile,
    columns: Vec<Column>,
    /// For each column its type, made ready.
    inputs: Vec<Input>,
    /// For each column its field; `None` if it is absent.
    fields: Vec<Option<usize>>,
    entity: PhantomData<fn() -> T>,
}

impl<T: Entity> Csv<T> {
    /// Opens files, or the one at a path, in the default format: commas, double quotes, a header line.
    ///
    /// # Errors
    /// As [`Csv::with_format`].
    pub fn open(files: impl Into<Files>) -> Result<Self> {
        Self::with_format(files, CsvFormat::new())
    }

    /// Opens files, or the one at a path, and finds the columns of the entity in the header.
    ///
    /// # Errors
    /// `Config` if the format or the entity is none, or the file lacks a column of the entity or has
    /// it twice; `Source` if a file cannot be opened, has no header or another one.
    pub fn with_format(files: impl Into<Files>, format: CsvFormat) -> Result<Self> {
        let columns = T::columns()?;
        let mut file = CsvFile::open(&files.into(), format)?;
        let fields = if let Some(names) = file.names() {
            file.locate(find(names, &columns))?
        } else {
            let carried = columns.iter().filter(|column| !column.generated).count();
            file.set_width(carried);
            let mut next = 0..carried;
            let mut field = |column: &Column| (!column.generated).then(|| next.next());
            columns.iter().map(|column| field(column).flatten()).collect()
        };
        let inputs = columns.iter().map(|column| Input::of(&column.column_type)).collect();
        Ok(Self { file, columns, inputs, fields, entity: PhantomData })
    }

    /// Makes a value of the record to which `records` went, or refuses it; an error of the outer
    /// kind is no fault of the record.
    fn take(
        &self,
        records: &Records<'_>,
        head: &CsvHead,
        packed: &mut PackedRow,
    ) -> Result<Result<T, Refusal>> {
        if let Some(fault) = records.fault() {
            let name = |field: usize| self.name_of(head.first_field(field));
            return Ok(Err(Refusal::new(Stage::Parse, fault.error(name))));
        }
        converted(self.pack(records, head, packed).and_then(|()| packed.value()))
    }

    fn pack(&self, records: &Records<'_>, head: &CsvHead, packed: &mut PackedRow) -> Result<()> {
        packed.clear();
        let nulls = self.file.format().null_texts();
        let inputs = self.columns.iter().zip(&self.inputs);
        for ((column, input), field) in inputs.zip(&self.fields) {
            let field = field.and_then(|field| records.field(head.field(field)));
            let text = field.filter(|field| field.quoted || !is_null(field.text, nulls));
            packed.push(column, |out| match text {
                Some(field) => input.read(field.text, out).map(|()| true),
                None => Ok(false),
            })?;
        }
        Ok(())
    }

    fn name_of(&self, field: usize) -> String {
        let place = self.fields.iter().position(|place| *place == Some(field));
        match (self.file.names(), place) {
            (Some(names), _) => names[field].clone(),
            (None, Some(place)) => self.columns[place].name.as_str().to_owned(),
            (None, None) => (field + 1).to_string(),
        }
    }
}

fn find(names: &[String], columns: &[Column]) -> Result<Vec<Option<usize>>> {
    columns
        .iter()
        .map(|column| {
            let name = column.name.as_str();
            if column.generated && !names.iter().any(|field| field == name) {
                return Ok(None);
            }
            by_name(names, name).map(Some)
        })
        .collect()
}

impl<T> fmt::Debug for Csv<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Csv").field("file", &self.file).finish_non_exhaustive()
    }
}

impl<T: Entity + Send> Source for Csv<T> {
    type Row = T;

    fn describe(&self) -> String {
        self.file.describe()
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.file.fingerprint()
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        self.file.plan(limits, each)
    }

    fn read(
        &self,
        bounds: &Bounds,
        each: &mut dyn FnMut(u32, Result<T, Refusal>) -> Result<()>,
    ) -> Result<()> {
        let mut packed = PackedRow::of(&self.columns);
        let head = self.file.head_of(bounds)?;
        self.file.records(bounds, |records| {
            let (step, index) = (Step::Encode, records.index());
            let take = || self.take(records, head, &mut packed);
            each(index, spent::sampled(step, index, bounds.rows, take)?)?;
            Ok(true)
        })
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        self.file.origin(bounds, index)
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        self.file.origins(bounds, indexes)
    }

    fn read_records(
        &self,
        records: &[&[u8]],
        each: &mut dyn FnMut(u32, Result<T, Refusal>) -> Result<()>,
    ) -> Result<()> {
        let mut packed = PackedRow::of(&self.columns);
        let head = self.file.common_head()?;
        (0..).zip(records).try_for_each(|(index, record)| {
            self.file.record(record, |records| each(index, self.take(records, head, &mut packed)?))
        })
    }

    fn frame(&self) -> Result<Frame> {
        self.file.frame()
    }
}

#[cfg(test)]
mod tests;
