//! Rows on their way from a source to a table.

use super::job::{Declared, Draft, Job};
use super::write::{Write, WriteMode};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::mapping::entity::Entity;
use crate::mapping::rows::RowWriter;
use crate::sink::file::target::FileTarget;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::{Feed, Frame, Layout};
use crate::source::prepared::{Prepared, Stage};
use crate::source::rows::{Refusal, RowPlace, Source};
use crate::source::stateful::Stateful;
use crate::spent;
use std::fmt;
use std::sync::Arc;

/// What became of one row of the source.
enum Step<T> {
    Row(T),
    Filtered,
    Refused(Stage, Error),
}

/// Hands on the rows of a batch, in order, with their number in it.
type Each<'a, T> = &'a mut dyn FnMut(u32, Step<T>, Option<&dyn RowPlace>) -> Result<()>;
type Read<T> = Arc<dyn Fn(What<'_>, Each<'_, T>) -> Result<()> + Send + Sync>;

/// What is read of a source.
#[derive(Clone, Copy)]
enum What<'a> {
    Batch(&'a Bounds),
    /// Records of earlier runs, each as it stood in the source.
    Records(&'a [&'a [u8]]),
}

impl What<'_> {
    fn rows(self) -> u64 {
        match self {
            Self::Batch(bounds) => bounds.rows,
            Self::Records(records) => records.len() as u64,
        }
    }
}

/// Rows of type `T` on their way from a source to a table. Nothing runs until the job does; then
/// its closures run on the workers, while no connection is held.
pub struct Pipeline<T> {
    draft: Draft,
    origin: Arc<dyn Plan>,
    read: Read<T>,
}

/// What is asked of a source whatever the type of its rows.
trait Plan: Send + Sync {
    fn describe(&self) -> String;
    fn definition(&self) -> String;
    fn fingerprint(&self) -> Result<Fingerprint>;
    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()>;
    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin>;
    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>>;
    fn stateful(&self) -> Option<&dyn Stateful>;
    fn frame(&self) -> Result<Frame>;
}

impl<S: Source> Plan for S {
    fn describe(&self) -> String {
        Source::describe(self)
    }

    fn definition(&self) -> String {
        Source::definition(self)
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Source::fingerprint(self)
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        Source::plan(self, limits, each)
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        Source::origin(self, bounds, index)
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        Source::origins(self, bounds, indexes)
    }

    fn stateful(&self) -> Option<&dyn Stateful> {
        Source::stateful(self)
    }

    fn frame(&self) -> Result<Frame> {
        Source::frame(self)
    }
}

impl<T: 'static> Pipeline<T> {
    pub(super) fn of<S: Source<Row = T> + 'static>(draft: Draft, source: S) -> Self {
        let source = Arc::new(source);
        let origin: Arc<dyn Plan> = source.clone();
        let read: Read<T> = Arc::new(move |what, each| {
            let step = |row| match row {
                Ok(row) => Step::Row(row),
                Err(Refusal { stage, error }) => Step::Refused(stage, error),
            };
            match what {
                What::Batch(bounds) => source.read_with_places(bounds, &mut |index, row, place| {
                    each(index, step(row), place)
                }),
                What::Records(records) => {
                    source.read_records(records, &mut |index, row| each(index, step(row), None))
                }
            }
        });
        Self { draft, origin, read }
    }

    /// Changes every row with `change`, in parallel. A row for which it returns an error of kind
    /// `Decode` or `Encode`, or any with a SQLSTATE of the class of data errors, is rejected; any
    /// other error ends the run. It may be called again for a row: after a restart, after an error
    /// that passed, and after the database refused a row of its batch.
    #[must_use]
    pub fn map<U: 'static>(
        self,
        change: impl Fn(T) -> Result<U> + Send + Sync + 'static,
    ) -> Pipeline<U> {
        let read = self.read;
        let changed: Read<U> = Arc::new(move |what, each| {
            read(what, &mut |index, step, place| {
                let step = match step {
                    Step::Row(row) => match timed(what, index, || change(row)) {
                        Ok(row) => Step::Row(row),
                        Err(error) if error.is_data() => Step::Refused(Stage::Transform, error),
                        Err(error) => return Err(error),
                    },
                    Step::Filtered => Step::Filtered,
                    Step::Refused(stage, error) => Step::Refused(stage, error),
                };
                each(index, step, place)
            })
        });
        Pipeline { draft: self.draft, origin: self.origin, read: changed }
    }

    /// Leaves out the rows for which `keep` says no; they count as filtered.
    #[must_use]
    pub fn filter(self, keep: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        let read = self.read;
        let kept: Read<T> = Arc::new(move |what, each| {
            read(what, &mut |index, step, place| {
                let step = match step {
                    Step::Row(row) if !timed(what, index, || keep(&row)) => Step::Filtered,
                    step => step,
                };
                each(index, step, place)
            })
        });
        Self { draft: self.draft, origin: self.origin, read: kept }
    }

    /// Writes the rows, and so ends the declaration.
    pub fn write<M: WriteMode>(self, write: Write<T, M>) -> Job
    where
        T: Entity,
    {
        let Self { draft, origin, read } = self;
        Job::new(
            draft,
            Arc::new(move || {
                let target = write.target()?;
                let columns = target.columns.clone();
                let feed = EntityFeed { origin: origin.clone(), read: read.clone(), columns };
                Ok(Declared { feed: Arc::new(feed), target: target.into() })
            }),
        )
        .spread_by(T::shard_key())
    }

    /// Writes the rows into a file, and so ends the declaration. The job runs on the file's
    /// [`ledger`](FileTarget::ledger); its columns are those of the entity that rows carry.
    pub fn write_file(self, file: FileTarget) -> Job
    where
        T: Entity,
    {
        let Self { draft, origin, read } = self;
        Job::new(
            draft,
            Arc::new(move || {
                let target = file.clone().columns(T::columns()?);
                let columns = target.columns.clone();
                let feed = EntityFeed { origin: origin.clone(), read: read.clone(), columns };
                Ok(Declared { feed: Arc::new(feed), target: target.into() })
            }),
        )
    }
}

impl<T> fmt::Debug for Pipeline<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pipeline({:?}, from {})", self.draft, self.origin.describe())
    }
}

/// Calls a closure of the user for a row of a batch.
fn timed<T>(what: What<'_>, index: u32, call: impl FnOnce() -> T) -> T {
    spent::sampled(spent::Step::Transform, index, what.rows(), call)
}

/// The rows of a pipeline, packed.
struct EntityFeed<T> {
    origin: Arc<dyn Plan>,
    read: Read<T>,
    columns: Vec<Column>,
}

impl<T> fmt::Debug for EntityFeed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityFeed({})", self.origin.describe())
    }
}

impl<T: Entity> Feed for EntityFeed<T> {
    fn describe(&self) -> String {
        self.origin.describe()
    }

    fn definition(&self) -> String {
        self.origin.definition()
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn stateful(&self) -> Option<&dyn Stateful> {
        self.origin.stateful()
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.origin.fingerprint()
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        self.origin.plan(limits, each)
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        let refused = self.take(What::Batch(bounds), layout, out)?;
        let indexes: Vec<_> = refused.iter().map(|(index, ..)| *index).collect();
        let origins = self.origin.origins(bounds, &indexes)?;
        for ((index, stage, error), origin) in refused.into_iter().zip(origins) {
            out.refuse(index, origin, stage, error);
        }
        Ok(())
    }

    fn prepare_records(
        &self,
        records: &[&[u8]],
        layout: &Layout,
        out: &mut Prepared,
    ) -> Result<()> {
        for (index, stage, error) in self.take(What::Records(records), layout, out)? {
            out.refuse(index, Origin::of_row(0, Vec::new()), stage, error);
        }
        Ok(())
    }

    fn frame(&self) -> Result<Frame> {
        self.origin.frame()
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        self.origin.origin(bounds, index)
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        self.origin.origins(bounds, indexes)
    }
}

impl<T: Entity> EntityFeed<T> {
    /// Packs what is read; returns what was refused and does not know its place.
    fn take(
        &self,
        what: What<'_>,
        layout: &Layout,
        out: &mut Prepared,
    ) -> Result<Vec<(u32, Stage, Error)>> {
        let mut refused = Vec::new();
        let mut take = |index, step: Step<T>, place: Option<&dyn RowPlace>| {
            out.read += 1;
            let mut refuse = |out: &mut Prepared, stage, error| match place {
                Some(place) => out.refuse(index, place.origin(), stage, error),
                None => refused.push((index, stage, error)),
            };
            match step {
                Step::Row(row) => {
                    let packed = spent::sampled(spent::Step::Encode, index, what.rows(), || {
                        out.push(index, layout, |to| row.pack(&layout.columns, to))
                    });
                    match packed {
                        Err(error) if error.is_data() => {
                            refuse(out, Stage::Convert, error);
                            out.name_key(index, |to| pack_key(&row, layout, to));
                        }
                        Ok(()) => out.note_position(place)?,
                        packed => packed?,
                    }
                }
                Step::Filtered => out.filtered += 1,
                Step::Refused(stage, error) => refuse(out, stage, error),
            }
            Ok(())
        };
        spent::rest_on(spent::Step::Read, || (self.read)(what, &mut take))?;
        Ok(refused)
    }
}

/// The key of a row that could not be packed as a whole. A row that fails in its key, or whose
/// failing column stands before the key's, names none.
fn pack_key<T: Entity>(row: &T, layout: &Layout, to: &mut RowWriter<'_>) -> Result<()> {
    let mut rows = layout.rows();
    let mut whole = rows.begin();
    // The fields before the one that fails are there all the same.
    let _ = row.pack(&layout.columns, &mut whole);
    let written = whole.written() as usize;
    whole.check(|fields| {
        let fields: Vec<_> = fields.take(written).collect();
        layout.key.iter().try_for_each(|&index| match fields.get(index) {
            Some(Some(bytes)) => to.field(bytes),
            _ => Err(Error::new(ErrorKind::Encode, "the key cannot be read")),
        })
    })
}
