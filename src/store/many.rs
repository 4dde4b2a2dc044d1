//! Entities that are stored many at a time.

use super::by_key::KeyOnly;
use super::crud::map;
use super::duplicates::{Duplicates, Upserted};
use super::entity_map::EntityMap;
use super::fields::Fields;
use super::record::Record;
use super::{insert, load, update, upsert};
use crate::backend::Connection;
use crate::backend::capabilities::Capabilities;
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::entity::Entity;
use crate::mapping::key::Keyed;
use std::sync::Arc;

/// Rows that are inserted many at a time, all of them or none.
///
/// Every entity has these methods. They call nothing for each row: no hook, no method of the
/// entity.
pub trait InsertMany: Entity + 'static {
    /// Inserts the rows of entities in their order, and fills the fields of the columns that the
    /// database makes, each those of its own row.
    ///
    /// A number that the database gives to the key is asked for before (`nextval`, or what follows
    /// the highest number on a database with one writer) and written like any other column; what
    /// else it makes is found again by the key. Nothing is matched by the order in which rows come
    /// back, which no database promises. Where neither is possible (a key that is made by a
    /// function, an entity without a key of which columns are made) there is one statement for
    /// each row. (The role needs the right to use the sequence.) After an error the fields that would have been filled mean nothing.
    ///
    /// On PostgreSQL few rows are arrays (`unnest`), and 10,000 or more are sent by COPY, if nothing
    /// has to come back. One statement has at most 10,000 rows; several are one transaction.
    ///
    /// # Errors
    /// As [`Insert::insert`](super::crud::Insert::insert), with the row where it is known; `Schema`
    /// if the table does not have a column.
    #[track_caller]
    fn insert_many(on: &impl Executor, entities: &mut [Self]) -> Result<()> {
        let count = entities.len();
        let is_one = |map: &EntityMap, can: Capabilities| insert::is_one_statement(map, can, count);
        whole::<Self, _>(on, is_one, |connection, map| {
            insert::insert(connection, map, &mut records(entities))
        })
    }

    /// Inserts the rows of all entities that an iterator makes, at the speed of COPY, in constant
    /// memory, in one transaction; returns how many the database has stored. What it makes itself
    /// is not read back.
    ///
    /// A connection is held while the iterator runs, so it must not ask the same engine for one.
    ///
    /// # Errors
    /// As [`insert_many`](Self::insert_many).
    #[track_caller]
    fn insert_all(on: &impl Executor, entities: impl IntoIterator<Item = Self>) -> Result<u64> {
        on.atomically(|connection| {
            let map = map::<Self>(connection)?;
            load::insert_all(connection, &map, entities)
        })
    }
}

impl<E: Entity + 'static> InsertMany for E {}

/// Rows that are found by their keys many at a time, all of them changed or none.
///
/// Every entity with a key has these methods. Rows are written in the order of their keys, so that
/// two who write the same rows wait for each other instead of blocking each other.
pub trait CrudMany: Keyed + 'static {
    /// Inserts the rows of entities, or updates those whose key is there and that differ; nothing
    /// is read back. A version is counted on and not checked.
    ///
    /// Where all rows of some calls were there, or all were new, PostgreSQL is asked the next time to do only
    /// that, in a transaction that holds only if it was right, and then for the whole again: that is less work
    /// for it. In a transaction of the caller's own nothing is guessed, nor for less than 100 rows, nor of a table
    /// with triggers, rules, policies or partitions.
    ///
    /// ```
    /// use rowmill::prelude::*;
    ///
    /// #[derive(Entity)]
    /// struct Price {
    ///     #[entity(key)]
    ///     part: i64,
    ///     cents: i64,
    /// }
    ///
    /// let engine = Engine::open("sqlite::memory:")?;
    /// engine.run("create table price (part integer primary key, cents integer not null)")?;
    /// let prices = [Price { part: 1, cents: 250 }, Price { part: 1, cents: 300 }];
    /// let done = Price::upsert_many(&engine, &prices, Duplicates::Last)?;
    /// assert_eq!((done.inserted, done.duplicates), (1, 1));
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` if the database makes the key, or two rows have the same and that is
    /// [an error](Duplicates::Error); `Database`, also where no unique index is behind the key; as
    /// [`Executor::atomically`].
    #[track_caller]
    fn upsert_many(
        on: &impl Executor,
        entities: &[Self],
        duplicates: Duplicates,
    ) -> Result<Upserted> {
        let count = entities.len();
        let is_one = |map: &EntityMap, can: Capabilities| {
            map.dialect.is_new().is_some() && update::is_one_statement(map, can, 0, count)
        };
        whole::<Self, _>(on, is_one, |connection, map| {
            let records: Vec<_> = entities.iter().map(|entity| entity as &dyn Record).collect();
            upsert::upsert(connection, map, &records, duplicates)
        })
    }

    /// Updates `fields` of the rows of entities: a field, or a tuple of them. Returns how many
    /// were there.
    ///
    /// Where the entity has a version, every row must still have it, and it is counted on.
    ///
    /// # Errors
    /// `Config` if two rows have the same key, or a field is none that can be set; `Stale` if the
    /// entity has a version, and a row is not there in this one; `Database`; as
    /// [`Executor::atomically`].
    #[track_caller]
    fn bulk_update(
        on: &impl Executor,
        entities: &mut [Self],
        fields: impl Fields<Self>,
    ) -> Result<u64> {
        let (count, set) = (entities.len(), fields.indexes());
        let columns = set.len();
        let is_one =
            |map: &EntityMap, can: Capabilities| update::is_one_statement(map, can, columns, count);
        whole::<Self, _>(on, is_one, |connection, map| {
            refuse_unset(map, &set)?;
            update::update(connection, map, &set, records(entities))
        })
    }

    /// Deletes the rows with these keys, whatever their version; returns how many were there.
    ///
    /// # Errors
    /// `Database`; as [`Executor::atomically`].
    #[track_caller]
    fn bulk_delete<K: Into<Self::Key>>(
        on: &impl Executor,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<u64> {
        let keys: Vec<Self::Key> = keys.into_iter().map(Into::into).collect();
        let count = keys.len();
        let is_one = |map: &EntityMap, can: Capabilities| {
            count <= super::given::rows_per_statement(can, map.key.len())
        };
        whole::<Self, _>(on, is_one, |connection, map| {
            let keys: Vec<_> = keys.into_iter().map(|key| KeyOnly { key, map }).collect();
            let records: Vec<_> = keys.iter().map(|key| key as &dyn Record).collect();
            update::delete(connection, map, &records, false)
        })
    }
}

impl<E: Keyed + 'static> CrudMany for E {}

fn records<E: Entity>(entities: &mut [E]) -> Vec<&mut dyn Record> {
    entities.iter_mut().map(|entity| entity as &mut dyn Record).collect()
}

/// Does `work` as it is if it `is_one` statement, and otherwise so that all of it holds or nothing.
#[track_caller]
fn whole<E: Entity + 'static, T>(
    on: &impl Executor,
    is_one: impl FnOnce(&EntityMap, Capabilities) -> bool,
    work: impl FnOnce(&mut dyn Connection, &EntityMap) -> Result<T>,
) -> Result<T> {
    let mut work = Some(work);
    let mut known: Option<Arc<EntityMap>> = None;
    let done = on.with(Intent::Write, |connection| {
        let map = known.insert(map::<E>(connection)?);
        if !is_one(map, *connection.capabilities()) {
            return Ok(None);
        }
        work.take().map(|work| work(connection, map)).transpose()
    })?;
    match (done, work, known) {
        (Some(done), ..) => Ok(done),
        (None, Some(work), Some(map)) => on.atomically(|connection| work(connection, &map)),
        _ => Err(Error::new(ErrorKind::Internal, "an executor did not do what it was given")),
    }
}

fn refuse_unset(map: &EntityMap, set: &[usize]) -> Result<()> {
    let others = map.others();
    let Some(&index) = set.iter().find(|index| !others.contains(index)) else { return Ok(()) };
    let name = &map.columns[index].name;
    let message = format!("the column {name} cannot be set: it is a key, a version, or generated");
    Err(Error::new(ErrorKind::Config, message))
}
