//! The entities of a program.

use super::report::SchemaReport;
use super::{compare, create, sequence};
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::entity::Entity;
use crate::mapping::table_shape::TableShape;
use crate::sql::dialect::Dialect;

/// The entities of a program, and what can be done with their tables together.
///
/// ```
/// use rowmill::{Engine, Entity, Schema};
///
/// #[derive(Entity)]
/// struct Artist {
///     #[entity(key, generated)]
///     id: i64,
///     #[entity(length = 160, unique)]
///     name: String,
/// }
///
/// #[derive(Entity)]
/// #[entity(unique(artist_id, title))]
/// struct Album {
///     #[entity(key, generated)]
///     id: i64,
///     title: String,
///     #[entity(references = Artist, on_delete = "cascade")]
///     artist_id: i64,
/// }
///
/// let engine = Engine::open("sqlite::memory:")?;
/// let schema = Schema::new().with::<Album>().with::<Artist>();
/// schema.create_all(&engine)?;
/// engine.run("insert into artist (name) values ('Nina Simone')")?;
/// schema.drop_all(&engine)?;
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Schema {
    tables: Vec<TableShape>,
    /// The first entity that declares something that is none.
    fault: Option<Error>,
}

impl Schema {
    /// A schema without entities.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same schema with one more entity; their order does not matter. What is wrong with its
    /// declaration is told by whatever the schema is used for.
    #[must_use]
    pub fn with<E: Entity>(mut self) -> Self {
        match TableShape::of::<E>() {
            Ok(table) => self.tables.push(table),
            Err(error) => {
                self.fault.get_or_insert(error);
            }
        }
        self
    }

    /// The tables, in the order in which they were added.
    ///
    /// # Errors
    /// `Config` if an entity declares a name or a type that is none, or refers to an entity whose
    /// key is not one column.
    pub fn tables(&self) -> Result<&[TableShape]> {
        match &self.fault {
            Some(fault) => Err(fault.without_source()),
            None => Ok(&self.tables),
        }
    }

    /// Creates all tables with their keys, indexes and foreign keys, or none of them; before them
    /// the schemas and enums that are missing. Each table comes after those that it refers to, and
    /// tables may refer to each other in a circle.
    ///
    /// # Errors
    /// `Database` if there is a table already (42P07), or something is refused; as
    /// [`statements`](Self::statements); as [`Executor::with`].
    #[track_caller]
    pub fn create_all(&self, on: &impl Executor) -> Result<()> {
        on.atomically(|connection| create::create(connection, self.distinct_tables()?))
    }

    /// Creates what is missing, as [`create_all`](Self::create_all) does; a table that is there is
    /// left as it is, whatever it looks like.
    ///
    /// # Errors
    /// As [`create_all`](Self::create_all).
    #[track_caller]
    pub fn create_missing(&self, on: &impl Executor) -> Result<()> {
        on.atomically(|connection| create::create_missing(connection, self.distinct_tables()?))
    }

    /// Drops all tables that are there, with their rows, and the enums that nothing else uses.
    ///
    /// # Errors
    /// `Database` if something else depends on them (2BP01); as [`tables`](Self::tables) and
    /// [`Executor::with`].
    #[track_caller]
    pub fn drop_all(&self, on: &impl Executor) -> Result<()> {
        on.atomically(|connection| create::drop(connection, self.tables()?))
    }

    /// The statements that [`create_all`](Self::create_all) runs in a database that has nothing
    /// yet: a first migration.
    ///
    /// # Errors
    /// `Config` if two entities have one table, or nothing says how the database is to make a
    /// column that is `generated` and no whole number; `Unsupported` if it cannot; as
    /// [`tables`](Self::tables).
    pub fn statements(&self, dialect: Dialect) -> Result<Vec<String>> {
        create::statements(dialect, self.distinct_tables()?)
    }

    /// Looks whether the database is as the entities say, and tells all differences at once: for
    /// the start of a program that wants to fail before its first row and not in the middle.
    ///
    /// A table may have more than its entity says, as long as rows can be written without it. A
    /// type without a length stands for those with one. Foreign keys are not looked at, since
    /// nothing that an entity does depends on them.
    ///
    /// # Errors
    /// `Schema` if there are differences: its message has one line for each, and its source is the
    /// [`SchemaReport`]; as [`compare`](Self::compare).
    #[track_caller]
    pub fn verify(&self, on: &impl Executor) -> Result<()> {
        self.compare(on)?.into_result()
    }

    /// The differences that [`verify`](Self::verify) would tell.
    ///
    /// # Errors
    /// `Database` or `Disconnect`; as [`tables`](Self::tables) and [`Executor::with`].
    #[track_caller]
    pub fn compare(&self, on: &impl Executor) -> Result<SchemaReport> {
        let tables = self.tables()?;
        on.with(Intent::Read, |connection| compare::compare(connection, tables))
            .map(SchemaReport::new)
    }

    /// Moves the sequence behind each numbered column past the largest number in it, so that the
    /// next row does not meet one that was loaded with its number. A sequence is never moved back.
    ///
    /// Nobody else can write to a table while its sequence is looked at.
    ///
    /// # Errors
    /// `Database` if a table is missing; as [`tables`](Self::tables) and [`Executor::with`].
    #[track_caller]
    pub fn sync_sequences(&self, on: &impl Executor) -> Result<()> {
        on.atomically(|connection| {
            self.tables()?.iter().try_for_each(|table| sequence::sync(connection, table))
        })
    }

    /// The tables, of which no two are the same.
    fn distinct_tables(&self) -> Result<&[TableShape]> {
        let tables = self.tables()?;
        for (index, shape) in tables.iter().enumerate() {
            if tables[..index].iter().any(|before| before.table == shape.table) {
                let message = format!("two entities are the table {}", shape.table.plain());
                return Err(Error::new(ErrorKind::Config, message)
                    .with_hint("create the one that has all of its columns"));
            }
        }
        Ok(tables)
    }
}
