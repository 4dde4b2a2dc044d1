//! A session: the unit of work of one thread.

use super::core::Core;
use super::session_options::SessionOptions;
use super::tracked::Tracked;
use crate::backend::Connection;
use crate::engine::{Engine, Executor, Intent};
use crate::error::Result;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use crate::mapping::key::Keyed;
use crate::store::relations::RefersTo;
use std::fmt;
use std::rc::Rc;

/// A unit of work: entities that are read, changed, added and deleted, and written together in few
/// statements, in one transaction.
///
/// It begins its transaction when it first needs the database, and the next one after a commit or
/// a rollback. The same row is the same object as long as somebody has it; what was changed is
/// found by comparing, and only changed columns are written, at a [`flush`](Self::flush): before a
/// query unless [`autoflush`](SessionOptions::autoflush) is off, and before a commit. A session
/// that is dropped rolls back.
///
/// It belongs to one thread and cannot be sent to another. It keeps what was written until the
/// transaction ends, so that a rollback makes the objects what they were: for millions of rows use
/// [`InsertMany`](crate::InsertMany), [`CrudMany`](crate::CrudMany) or a [`Job`](crate::Job).
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
/// let mut session = engine.session()?;
/// let nina = session.add(Artist { id: 0, name: "Nina".to_owned() });
/// session.commit()?;
///
/// nina.edit().name = "Nina Simone".to_owned();
/// session.commit()?;
/// assert_eq!(Artist::get(&engine, nina.read().id)?.unwrap().name, "Nina Simone");
/// # Ok::<(), rowmill::Error>(())
/// ```
#[must_use = "a session that is dropped is rolled back"]
pub struct Session {
    pub(super) core: Rc<Core>,
}

impl Engine {
    /// A session. It takes a connection when it first needs one.
    ///
    /// # Errors
    /// None today.
    pub fn session(&self) -> Result<Session> {
        self.session_with(SessionOptions::new())
    }

    /// A session that behaves as `options` say.
    ///
    /// # Errors
    /// None today.
    pub fn session_with(&self, options: SessionOptions) -> Result<Session> {
        Ok(Session { core: Rc::new(Core::new(self.clone(), options)) })
    }
}

impl Session {
    /// Has a new row inserted at the next flush. The handle shows what the database made of it
    /// from then on.
    pub fn add<E: Entity + 'static>(&mut self, entity: E) -> Tracked<E> {
        self.core.unit.borrow_mut().add(entity)
    }

    /// Has new rows inserted at the next flush.
    pub fn add_all<E: Entity + 'static>(
        &mut self,
        entities: impl IntoIterator<Item = E>,
    ) -> Vec<Tracked<E>> {
        entities.into_iter().map(|entity| self.add(entity)).collect()
    }

    /// The row with this key; `None` if there is none, or it is to be deleted. One that the session
    /// has already costs no query.
    ///
    /// # Errors
    /// As [`Crud::get`](crate::Crud::get) and [`flush`](Self::flush).
    #[track_caller]
    pub fn get<E: Keyed + 'static>(&self, key: impl Into<E::Key>) -> Result<Option<Tracked<E>>> {
        self.core.get(&key.into())
    }

    /// Has a row deleted at the next flush; what was edited of it is not written any more.
    ///
    /// # Errors
    /// `Config` if this session does not look after it, or it is being edited.
    pub fn delete<E: Entity + 'static>(&mut self, tracked: &Tracked<E>) -> Result<()> {
        self.core.delete(&tracked.object())
    }

    /// Gives `child` the key of `parent` in its `field`, as soon as the parent has one: at the
    /// latest when both are flushed.
    ///
    /// # Errors
    /// `Config` if this session does not look after both, or the child is being edited.
    pub fn link<C, T, P>(
        &mut self,
        child: &Tracked<C>,
        field: Field<C, T, P>,
        parent: &Tracked<P>,
    ) -> Result<()>
    where
        C: Entity + 'static,
        P: Keyed + 'static,
        T: RefersTo<P::Key>,
    {
        self.core.link(child.object(), field.index(), parent.object())
    }

    /// Takes in an entity that came from elsewhere: its row becomes what the entity is, or is
    /// inserted if it is not there. Columns that the database makes stay as they are.
    ///
    /// # Errors
    /// `Stale` if the entity has a version, and the row has another one; as [`get`](Self::get).
    #[track_caller]
    pub fn merge<E: Keyed + 'static>(&mut self, entity: E) -> Result<Tracked<E>> {
        match self.core.get::<E>(&entity.identity())? {
            None => Ok(self.add(entity)),
            Some(tracked) => self.core.overwrite(tracked, &entity),
        }
    }

    /// Writes what was added, parents first, then what was changed, then what was deleted, children
    /// first. So a row that takes the place of a deleted one (its key, a unique value) is added
    /// after a flush.
    ///
    /// # Errors
    /// `Stale` if a row is not there any more as it was read; `Config` if tables refer to each
    /// other in a circle, a key was edited, or an object is being edited; as
    /// [`InsertMany::insert_many`](crate::InsertMany::insert_many). The session then has to be
    /// rolled back.
    #[track_caller]
    pub fn flush(&mut self) -> Result<()> {
        self.core.flush()
    }

    /// Flushes and commits. The session can be used further.
    ///
    /// # Errors
    /// As [`flush`](Self::flush) and [`Transaction::commit`](crate::Transaction::commit). Rolling
    /// back makes the objects what they were before; only after `CommitUnknown` they stay as they
    /// are, and are read again where they are asked for.
    #[track_caller]
    pub fn commit(&mut self) -> Result<()> {
        self.core.commit()
    }

    /// Rolls back: objects become what they were when the transaction began, and what was added is
    /// looked after no longer. The session can be used further.
    ///
    /// # Errors
    /// `Disconnect`; `Config` if an object is being read or edited.
    pub fn rollback(&mut self) -> Result<()> {
        self.core.rollback()
    }

    /// Rolls back and ends the session: what dropping does, but the error is seen, and objects
    /// become what they were.
    ///
    /// # Errors
    /// As [`rollback`](Self::rollback).
    pub fn close(mut self) -> Result<()> {
        self.rollback()
    }

    /// Does `work` in a savepoint: an error of it takes back what it did, in the database and in
    /// the objects, and nothing else. They nest.
    ///
    /// # Errors
    /// What `work` returns; as [`flush`](Self::flush), before and after it.
    #[track_caller]
    pub fn begin_nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let nested = self.core.begin_nested()?;
        let done = work(self);
        self.core.end_nested(nested, done)
    }

    /// Has the row read again the next time it is asked for, and takes back what was edited of it.
    /// What the handle shows is not changed before.
    ///
    /// # Errors
    /// `Config` if this session does not look after it, or it is being edited.
    pub fn expire<E: Entity + 'static>(&mut self, tracked: &Tracked<E>) -> Result<()> {
        self.core.expire(&tracked.object())
    }

    /// Has every row read again the next time it is asked for; what was edited stays.
    pub fn expire_all(&mut self) {
        self.core.unit.borrow_mut().expire_all();
    }

    /// Reads the row again now, and takes back what was edited of it.
    ///
    /// # Errors
    /// `Stale` if it is not there any more; `Config` as [`expire`](Self::expire); as
    /// [`Crud::get`](crate::Crud::get).
    #[track_caller]
    pub fn refresh<E: Entity + 'static>(&mut self, tracked: &Tracked<E>) -> Result<()> {
        self.core.refresh(&tracked.object())
    }

    /// Whether a flush may have something to write: something was added, deleted or edited.
    pub fn has_changes(&self) -> bool {
        self.core.unit.borrow().has_work()
    }

    /// Calls `hook` once the open transaction was committed; not if it is rolled back.
    ///
    /// # Errors
    /// As [`flush`](Self::flush): the transaction is begun if none is open.
    #[track_caller]
    pub fn on_commit(&mut self, hook: impl FnOnce() + Send + 'static) -> Result<()> {
        self.core.on_commit(Box::new(hook))
    }

    /// Looks after an entity that was read by a query in this session; where its row is an object
    /// already, it is that one.
    ///
    /// # Errors
    /// `Config` if the entity has no key; `Encode`.
    pub fn track<E: Entity + 'static>(&self, entity: E) -> Result<Tracked<E>> {
        self.core.track(entity)
    }
}

impl Executor for Session {
    /// Flushes first, unless [`autoflush`](SessionOptions::autoflush) is off.
    #[track_caller]
    fn with<T>(
        &self,
        intent: Intent,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        self.core.with(intent, work)
    }

    #[track_caller]
    fn atomically<T>(&self, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        self.core.atomically(work)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.core).finish()
    }
}
