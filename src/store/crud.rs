//! Entities that are stored one by one, each in a statement of its own.

use super::by_key;
use super::entity_map::EntityMap;
use super::single::{self, InTable};
use super::stale;
use crate::backend::Connection;
use crate::engine::{Executor, Intent};
use crate::error::Result;
use crate::mapping::entity::Entity;
use crate::mapping::key::Keyed;
use std::sync::Arc;

/// What became of an entity that was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Saved {
    /// Its row was not there.
    Inserted,
    /// Its row was there.
    Updated,
}

/// Rows that are inserted.
///
/// Every entity has these methods. `on` is an engine, a transaction or a session.
pub trait Insert: Entity + 'static {
    /// Inserts its row, and fills the fields of the columns that the database makes.
    ///
    /// ```
    /// use rowmill::prelude::*;
    ///
    /// #[derive(Entity)]
    /// struct Artist {
    ///     #[entity(key, generated)]
    ///     id: i64,
    ///     name: String,
    /// }
    ///
    /// let engine = Engine::open("sqlite::memory:")?;
    /// engine.run("create table artist (id integer primary key, name text not null)")?;
    /// let mut artist = Artist { id: 0, name: "Nina".to_owned() };
    /// artist.insert(&engine)?;
    /// assert_eq!(artist.id, 1);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Encode` if a value is none of its column; `Database`, with the constraint that does not
    /// hold; as [`Executor::with`].
    #[track_caller]
    fn insert(&mut self, on: &impl Executor) -> Result<()> {
        on.with(Intent::Write, |connection| {
            let map = map::<Self>(connection)?;
            single::insert(connection, &map, self)
        })
    }
}

impl<E: Entity + 'static> Insert for E {}

/// Rows that are found by their key.
///
/// Every entity with a key has these methods. `on` is an engine, a transaction or a session; what
/// a session tracks it does not look at, nor do they look at what it has not flushed.
pub trait Crud: Keyed + 'static {
    /// The row with this key; `None` if there is none.
    ///
    /// # Errors
    /// `Decode` if a value is none of its field; `Database`; as [`Executor::with`].
    #[track_caller]
    fn get(on: &impl Executor, key: impl Into<Self::Key>) -> Result<Option<Self>> {
        let key = key.into();
        on.read(|connection| get(connection, &key))
    }

    /// Reads its row again; `false` if it is not there any more.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    fn reload(&mut self, on: &impl Executor) -> Result<bool> {
        on.with(Intent::Read, |connection| {
            let map = map::<Self>(connection)?;
            single::reload(connection, &map, self)
        })
    }

    /// Updates all columns of its row but the key, and fills the fields of the columns that the
    /// database makes.
    ///
    /// Where the entity has a version, the row must still have it, and it is counted on, in the
    /// row and in the field.
    ///
    /// # Errors
    /// [`Stale`](crate::ErrorKind::Stale) if no row has this key, or it has another version; as
    /// [`Insert::insert`].
    #[track_caller]
    fn update(&mut self, on: &impl Executor) -> Result<()> {
        on.with(Intent::Write, |connection| {
            let map = map::<Self>(connection)?;
            match single::update(connection, &map, self)? {
                true => Ok(()),
                false => Err(stale::error(&map)).in_table(&map),
            }
        })
    }

    /// Updates its row as [`update`](Self::update), or inserts it where no row has its key.
    ///
    /// The update comes first. Where the database makes the key, what is inserted gets a new one:
    /// so an entity whose key is still 0 is inserted. Somebody else who inserts the same key at the
    /// same moment is noticed, and their row updated.
    ///
    /// # Errors
    /// [`Stale`](crate::ErrorKind::Stale) if the row is there with another version; as
    /// [`Insert::insert`].
    #[track_caller]
    fn save(&mut self, on: &impl Executor) -> Result<Saved> {
        on.with(Intent::Write, |connection| save(connection, self))
    }

    /// Deletes its row; says whether it was there.
    ///
    /// # Errors
    /// [`Stale`](crate::ErrorKind::Stale) if the entity has a version, and the row is not there in this
    /// one; `Database`; as [`Executor::with`].
    #[track_caller]
    fn delete(&self, on: &impl Executor) -> Result<bool> {
        on.with(Intent::Write, |connection| {
            let map = map::<Self>(connection)?;
            single::delete(connection, &map, self)
        })
    }
}

impl<E: Keyed + 'static> Crud for E {}

/// The map of `E` on the database of a connection.
pub(crate) fn map<E: Entity + 'static>(connection: &dyn Connection) -> Result<Arc<EntityMap>> {
    EntityMap::of::<E>(connection.capabilities().dialect)
}

/// Reads the row with this key.
pub(crate) fn get<E: Keyed + 'static>(
    connection: &mut dyn Connection,
    key: &E::Key,
) -> Result<Option<E>> {
    let map = map::<E>(connection)?;
    let params = by_key::params(key, &map).in_table(&map)?;
    let mut found = None;
    connection
        .query(&map.texts.select, &params, &mut |row| {
            found = Some(E::unpack(&mut |index| row.cell(index))?);
            Ok(())
        })
        .in_table(&map)?;
    Ok(found)
}

fn save<E: Keyed + 'static>(connection: &mut dyn Connection, entity: &mut E) -> Result<Saved> {
    let map = map::<E>(connection)?;
    if single::update(connection, &map, entity)? {
        return Ok(Saved::Updated);
    }
    if map.makes_key() {
        single::insert(connection, &map, entity)?;
        return Ok(Saved::Inserted);
    }
    for _ in 0..MOST_TURNS {
        if single::insert_new(connection, &map, entity)? {
            return Ok(Saved::Inserted);
        }
        if map.version.is_some() {
            break;
        }
        if single::update(connection, &map, entity)? {
            return Ok(Saved::Updated);
        }
    }
    Err(stale::error(&map)).in_table(&map)
}

/// How often a row may be inserted and deleted by somebody else while it is saved.
const MOST_TURNS: usize = 3;
