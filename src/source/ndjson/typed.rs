//! Rows as values of an entity.

use super::file::{Line, NdjsonFile};
use super::value::AS_IT_IS;
use super::wanted::Wanted;
use crate::error::Result;
use crate::mapping::column::Column;
use crate::mapping::entity::Entity;
use crate::mapping::text::Input;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::input::Files;
use crate::source::packed_row::{PackedRow, converted};
use crate::source::prepared::Stage;
use crate::source::rows::{Refusal, Source};
use crate::spent::{self, Step};
use std::fmt;
use std::marker::PhantomData;

/// Files with a JSON object on each line that is a value of the entity `T`.
///
/// The keys of an object are the columns of the entity, in any order; keys that the entity does
/// not have are left out, and one that is missing is NULL.
pub struct Ndjson<T> {
    file: NdjsonFile,
    columns: Vec<Column>,
    /// For each column its type, made ready.
    inputs: Vec<Input>,
    wanted: Wanted,
    entity: PhantomData<fn() -> T>,
}

impl<T: Entity> Ndjson<T> {
    /// Opens files, or the one at a path.
    ///
    /// # Errors
    /// `Config` if the entity is none; `Source` if a file cannot be opened or is not UTF-8.
    pub fn open(files: impl Into<Files>) -> Result<Self> {
        let columns = T::columns()?;
        let mut wanted = Wanted::default();
        for (place, column) in columns.iter().enumerate() {
            wanted.add(&[column.name.as_str().to_owned()], place);
        }
        let file = NdjsonFile::open(&files.into())?;
        let inputs = columns.iter().map(|column| Input::of(&column.column_type)).collect();
        Ok(Self { file, columns, inputs, wanted, entity: PhantomData })
    }

    /// Makes a value of a line, or refuses it; an error of the outer kind is no fault of the line.
    fn take(&self, line: &Line<'_>, packed: &mut PackedRow) -> Result<Result<T, Refusal>> {
        let mut found = vec![None; self.columns.len()];
        if let Err(fault) = line.values(&self.wanted, &mut found) {
            return Ok(Err(Refusal::new(Stage::Parse, fault.error())));
        }
        converted(self.pack(&found, packed).and_then(|()| packed.value()))
    }

    fn pack(&self, found: &[Option<&str>], packed: &mut PackedRow) -> Result<()> {
        packed.clear();
        for ((column, input), json) in self.columns.iter().zip(&self.inputs).zip(found) {
            packed.push(column, |out| match AS_IT_IS.text(*json, input)? {
                Some(text) => input.read(&text, out).map(|()| true),
                None => Ok(false),
            })?;
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Ndjson<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ndjson").field("file", &self.file).finish_non_exhaustive()
    }
}

impl<T: Entity + Send> Source for Ndjson<T> {
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
        self.file.lines(bounds, |line| {
            let take = || self.take(&line, &mut packed);
            each(line.index, spent::sampled(Step::Encode, line.index, bounds.rows, take)?)?;
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
        (0..).zip(records).try_for_each(|(index, record)| {
            each(index, self.take(&Line::alone(index, record), &mut packed)?)
        })
    }
}
