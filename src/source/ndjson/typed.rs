//! Rows as values of an entity.

use super::file::{Line, NdjsonFile};
use super::value::AS_IT_IS;
use super::wanted::Wanted;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column::Column;
use crate::mapping::entity::Entity;
use crate::mapping::text::Input;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::input::Files;
use crate::source::prepared::Stage;
use crate::source::rows::{Refusal, Source};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

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
    fn take(&self, line: &Line<'_>, packed: &mut Packed) -> Result<Result<T, Refusal>> {
        let mut found = vec![None; self.columns.len()];
        if let Err(fault) = line.values(&self.wanted, &mut found) {
            return Ok(Err(Refusal::new(Stage::Parse, fault.error())));
        }
        let converted = self.pack(&found, packed).and_then(|()| {
            T::unpack(&mut |index| {
                let absent = || Error::new(ErrorKind::Internal, "an entity has no such column");
                let column = self.columns.get(index).ok_or_else(absent)?;
                Ok(match packed.field(index) {
                    Some(bytes) => CellRef::Packed(&column.column_type, bytes),
                    None => CellRef::Null,
                })
            })
        });
        match converted {
            Err(error) if !error.is_data() => Err(error),
            converted => Ok(converted.map_err(|error| Refusal::new(Stage::Convert, error))),
        }
    }

    fn pack(&self, found: &[Option<&str>], packed: &mut Packed) -> Result<()> {
        packed.bytes.clear();
        packed.fields.clear();
        for ((column, input), json) in self.columns.iter().zip(&self.inputs).zip(found) {
            let start = packed.bytes.len();
            let text = AS_IT_IS.text(*json, input).and_then(|text| {
                if let Some(text) = &text {
                    input.read(text, &mut packed.bytes)?;
                }
                Ok(text)
            });
            let text = text.locate(|place| place.column = Some(column.name.as_str().to_owned()))?;
            packed.fields.push(text.map(|_| start..packed.bytes.len()));
        }
        Ok(())
    }
}

/// The fields of one row, packed; the memory serves all rows of a batch.
#[derive(Default)]
struct Packed {
    bytes: Vec<u8>,
    fields: Vec<Option<Range<usize>>>,
}

impl Packed {
    fn field(&self, index: usize) -> Option<&[u8]> {
        self.bytes.get(self.fields.get(index)?.clone()?)
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
        let mut packed = Packed::default();
        self.file.lines(bounds, |line| {
            let row = self.take(&line, &mut packed)?;
            each(line.index, row)?;
            Ok(true)
        })
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        self.file.origin(bounds, index)
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        self.file.origins(bounds, indexes)
    }
}
