//! The rows of a table as values of an entity.

use super::consistency::Consistency;
use super::core::{Core, Reading, describe};
use super::options::{Options, Partitions, What, check_query};
use super::position;
use super::selection::Selection;
use crate::backend::unloaded::Unloaded;
use crate::engine::Acquire;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::key_range::KeyRange;
use crate::mapping::typed_fields::TypedFields;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::prepared::Stage;
use crate::source::rows::{EachPlaced, Refusal, RowPlace, Source};
use crate::source::stateful::{Kept, Stateful, Surroundings};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The rows of a table, or of a query, as values of the entity `T`.
///
/// ```
/// use rowmill::{Engine, Entity, Job, Table, Upsert};
///
/// #[derive(Entity)]
/// #[entity(table = "people")]
/// struct Person {
///     #[entity(key)]
///     id: i64,
///     name: String,
/// }
///
/// let folder = tempfile::tempdir().unwrap();
/// let engine = Engine::open(&format!("sqlite:{}", folder.path().join("a.db").display()))?;
/// engine.run("create table people (id integer primary key, name text not null)")?;
/// engine.run("insert into people values (1, 'Ada'), (2, 'Grace')")?;
/// let report = Job::named("loud")
///     .read(Table::<Person>::all())
///     .map(|mut person: Person| {
///         person.name.make_ascii_uppercase();
///         Ok(person)
///     })
///     .write(Upsert::<Person>::new().table("loud_people").create(true))
///     .run(&engine)?;
/// assert_eq!((report.read, report.inserted), (2, 2));
/// # Ok::<(), rowmill::Error>(())
/// ```
pub struct Table<T> {
    core: Result<Core, String>,
    columns: Vec<(Ident, ColumnType)>,
    entity: PhantomData<fn() -> T>,
}

impl<T: Entity> Table<T> {
    /// All rows of the entity's own table, in the database that is written to.
    pub fn all() -> Self {
        Self::of(T::table().map(What::Table))
    }

    /// All rows of another table: `table` or `schema.table`.
    pub fn named(table: &str) -> Self {
        Self::of(TableName::parse(table).map(What::Table))
    }

    /// The rows of `sql`, whose columns have the names of the entity's: one statement that reads,
    /// without parameters. It needs a [`key`](Self::key) among its columns.
    pub fn query(sql: &str) -> Self {
        Self::of(check_query(sql).map(What::Query))
    }

    fn of(what: Result<What>) -> Self {
        let columns = T::columns();
        let made = what.and_then(|what| {
            let columns = columns?.into_iter().map(|column| (column.name, column.column_type));
            let columns: Vec<_> = columns.collect();
            let wanted = columns.iter().map(|(name, _)| name.clone()).collect();
            Ok((Core::new(Options::of(what), wanted), columns))
        });
        let (core, columns) = match made {
            Ok((core, columns)) => (Ok(core), columns),
            // Told when the job is run: a declaration does not fail.
            Err(error) => (Err(error.to_string()), Vec::new()),
        };
        Self { core, columns, entity: PhantomData }
    }

    fn set(mut self, set: impl FnOnce(&mut Options)) -> Self {
        if let Ok(core) = &mut self.core {
            set(&mut core.options);
        }
        self
    }

    /// Reads from this database. Default: the one that is written to.
    #[must_use]
    pub fn on(self, engine: &(impl Acquire + Clone + 'static)) -> Self {
        let engine = Arc::new(engine.clone());
        self.set(|options| options.engine = Some(engine))
    }

    /// Cuts it by these columns. Default: the first unique key without NULL.
    #[must_use]
    pub fn key(self, key: &[&str]) -> Self {
        let names = key.iter().map(|name| Ident::new(*name)).collect::<Result<Vec<_>>>();
        match names {
            Ok(names) => self.set(|options| options.key = names),
            Err(error) => Self { core: Err(error.to_string()), ..self },
        }
    }

    /// Says how it is cut. Default: [`Partitions::Auto`].
    #[must_use]
    pub fn partitions(self, partitions: Partitions) -> Self {
        self.set(|options| options.partitions = partitions)
    }

    /// Says what it must promise. Default: see [`Consistency`].
    #[must_use]
    pub fn consistency(self, consistency: Consistency) -> Self {
        self.set(|options| options.consistency = Some(consistency))
    }

    fn core(&self) -> Result<&Core> {
        self.core.as_ref().map_err(|why| Error::new(ErrorKind::Config, why.clone()))
    }

    fn name(&self) -> String {
        self.core.as_ref().map_or_else(|_| "table".to_owned(), |core| core.options.describe())
    }

    fn selection(&self) -> Result<Selection> {
        let core = self.core()?;
        let has_blocks = core.has_blocks()?;
        core.with_facts(|facts| Selection::of_entity(facts, &self.columns, has_blocks))
    }

    fn make(row: &Unloaded<'_>, selection: &Selection) -> Result<Result<T, Refusal>> {
        let named = |at: usize, error: Error| {
            error.locate(|place| place.column = selection.names.get(at).cloned())
        };
        if let Some(fault) = &row.fault {
            let error = named(fault.field, fault.error.without_source());
            return Ok(Err(Refusal::new(Stage::Convert, error)));
        }
        match T::unpack_fields(TypedFields::new(row.fields.clone(), &selection.types)) {
            Err(error) if !error.is_data() => Err(error),
            made => Ok(made.map_err(|error| Refusal::new(Stage::Convert, error))),
        }
    }
}

impl<T> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("core", &self.core).finish_non_exhaustive()
    }
}

/// A row that is being read.
struct Here<'a> {
    table: &'a str,
    selection: &'a Selection,
    row: &'a Unloaded<'a>,
    number: u64,
}

impl RowPlace for Here<'_> {
    fn origin(&self) -> Origin {
        let Self { table, selection, row, number } = self;
        Origin::of_row(*number, selection.record(table, row))
    }

    fn position(&self) -> Vec<u8> {
        let position = self.selection.positions.of(&self.row.fields, &self.selection.types);
        serde_json::Value::Object(position).to_string().into_bytes()
    }
}

impl<T: Entity + Send> Source for Table<T> {
    type Row = T;

    fn describe(&self) -> String {
        self.core.as_ref().map_or_else(|_| "a table".to_owned(), |core| describe(&core.options))
    }

    fn definition(&self) -> String {
        self.core.as_ref().map_or_else(|_| String::new(), |core| core.options.definition())
    }

    fn stateful(&self) -> Option<&dyn Stateful> {
        Some(self)
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.core()?.fingerprint()
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        self.core()?.plan(limits, each)
    }

    fn read(
        &self,
        bounds: &Bounds,
        each: &mut dyn FnMut(u32, Result<T, Refusal>) -> Result<()>,
    ) -> Result<()> {
        self.read_with_places(bounds, &mut |index, row, _| each(index, row))
    }

    fn read_with_places(&self, bounds: &Bounds, each: EachPlaced<'_, T>) -> Result<()> {
        let (core, selection, table) = (self.core()?, self.selection()?, self.name());
        let reading = Reading { expressions: &selection.expressions, types: &selection.types };
        core.read(bounds, &reading, &mut |index, row| {
            let made = Self::make(&row, &selection)?;
            let number = bounds.first_row + u64::from(index);
            let here = Here { table: &table, selection: &selection, row: &row, number };
            each(index, made, Some(&here))
        })
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        let mut found = None;
        self.read_with_places(bounds, &mut |at, _, place| {
            if at == index {
                found = place.map(RowPlace::origin);
            }
            Ok(())
        })?;
        found.ok_or_else(|| Error::new(ErrorKind::Source, "the batch has no such row any more"))
    }
}

impl<T: Entity + Send> Stateful for Table<T> {
    fn begin(&self, surroundings: &Surroundings) -> Result<()> {
        self.core()?.begin(surroundings)
    }

    fn memo(&self) -> Result<String> {
        self.core()?.memo()
    }

    fn recall(&self, memo: &str, begun: bool) -> Result<()> {
        self.core()?.recall(memo, begun)
    }

    fn settle(&self) -> Result<()> {
        self.core()?.settle()
    }

    fn end(&self, _: bool) {
        if let Ok(core) = &self.core {
            core.end();
        }
    }

    fn explain(&self) -> Vec<String> {
        self.core.as_ref().map_or_else(|_| Vec::new(), Core::explain)
    }

    fn key_range(&self, bounds: &Bounds) -> Option<KeyRange> {
        self.core().ok()?.key_range(bounds)
    }

    fn refused(&self, bounds: &Bounds, index: u32, kept: Option<Kept<'_>>) -> Origin {
        position::kept(&self.name(), &[], false, (bounds, index), kept)
    }
}
