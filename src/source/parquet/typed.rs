//! Rows as values of an entity.

use super::cursor::Batch;
use super::file::{ParquetFile, Wanted};
use super::pack::{AS_IT_IS, Way};
use super::record::{Field, record};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::input::{Files, no_such_row};
use crate::source::packed_row::{PackedRow, converted};
use crate::source::rows::{Refusal, Source};
use crate::spent::{self, Step};
use std::fmt;
use std::marker::PhantomData;

/// Parquet files whose rows are values of the entity `T`.
///
/// The columns of a file are those of the entity, in any order; columns that the entity does not
/// have are left out, and one that the database makes may be missing.
///
/// ```no_run
/// use rowmill::{Append, Engine, Entity, Job, Parquet};
/// #[derive(Entity)]
/// #[entity(table = "trips")]
/// struct Trip { #[entity(key)] id: i64, fare: Option<f64> }
///
/// let report = Job::named("trips")
///     .read(Parquet::<Trip>::open("trips.parquet")?)
///     .write(Append::<Trip>::new())
///     .run(&Engine::open("postgresql://localhost/warehouse")?)?;
/// # Ok::<(), rowmill::Error>(())
/// ```
pub struct Parquet<T> {
    file: ParquetFile,
    columns: Vec<Column>,
    entity: PhantomData<fn() -> T>,
}

impl<T: Entity> Parquet<T> {
    /// Opens files, or the one at a path.
    ///
    /// # Errors
    /// `Config` if the entity is none; `Source` if a file cannot be opened, is no Parquet, or lacks
    /// a column; `Unsupported` if a column is nested, or if a file is encrypted or compressed as it
    /// cannot be read.
    pub fn open(files: impl Into<Files>) -> Result<Self> {
        let columns = T::columns()?;
        let wanted = |column: &Column| {
            let name = column.name.as_str().to_owned();
            Wanted { path: vec![name.clone()], name, optional: column.generated }
        };
        let file = ParquetFile::open(&files.into(), columns.iter().map(wanted).collect())?;
        Ok(Self { file, columns, entity: PhantomData })
    }

    fn fields<'a>(&'a self, batch: &Batch) -> Vec<Field<'a>> {
        let fields = self.columns.iter().zip(batch.leaves.iter()).map(|(column, leaf)| {
            let from = leaf.as_ref().map_or(ColumnType::Text, super::leaf::Leaf::column_type);
            let way = Way::of(&from, &column.column_type);
            Field { from: column.name.as_str(), column, reader: &AS_IT_IS, way }
        });
        fields.collect()
    }

    /// Makes a value of a row, or refuses it; an error of the outer kind is no fault of the row.
    fn take(
        batch: &Batch,
        fields: &[Field<'_>],
        row: usize,
        packed: &mut PackedRow,
    ) -> Result<Result<T, Refusal>> {
        packed.clear();
        let mut pack = || -> Result<()> {
            for (at, field) in fields.iter().enumerate() {
                let value = batch.value(at, row);
                packed.push(field.column, |out| field.way.pack(value, field.reader, out))?;
            }
            Ok(())
        };
        let done = pack();
        converted(done.and_then(|()| packed.value()))
    }
}

impl<T> fmt::Debug for Parquet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parquet").field("file", &self.file).finish_non_exhaustive()
    }
}

impl<T: Entity + Send> Source for Parquet<T> {
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
        let batch = self.file.batch(bounds)?;
        let fields = self.fields(&batch);
        let mut packed = PackedRow::of(&self.columns);
        for (index, at) in (0_u32..).zip(0..batch.rows as usize) {
            let take = || Self::take(&batch, &fields, at, &mut packed);
            each(index, spent::sampled(Step::Encode, index, bounds.rows, take)?)?;
        }
        Ok(())
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        let found = self.origins(bounds, &[index])?.pop();
        found.ok_or_else(|| Error::new(ErrorKind::Internal, "an origin is missing"))
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        let batch = self.file.batch(bounds)?;
        let fields = self.fields(&batch);
        let origin = |&index: &u32| {
            if u64::from(index) >= batch.rows {
                return Err(no_such_row());
            }
            let raw = record(&fields, |column| batch.value(column, index as usize));
            Ok(self.file.origin_of(bounds, index, raw))
        };
        indexes.iter().map(origin).collect()
    }
}
