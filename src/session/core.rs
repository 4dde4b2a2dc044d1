//! How a session does what it promises.

use super::flush;
use super::image::{self, Image};
use super::repeated_gets::Counter;
use super::session_options::SessionOptions;
use super::tracked::{Object, Status, Tracked, touch};
use super::transaction::{Hook, Savepoint, Transaction};
use super::unit::{Link, Unit, mixed_up, not_tracked, resolve};
use crate::backend::Connection;
use crate::engine::{Engine, Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::entity::Entity;
use crate::mapping::key::{Key, Keyed};
use crate::sql::dialect::Dialect;
use crate::store::entity_map::EntityMap;
use crate::store::record::key_part;
use crate::store::{crud, single, stale};
use std::any::TypeId;
use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

/// A session without its face.
pub(super) struct Core {
    engine: Engine,
    options: SessionOptions,
    pub(super) unit: RefCell<Unit>,
    transaction: RefCell<Option<Transaction>>,
    /// Known from the first connection on.
    dialect: Cell<Option<Dialect>>,
    /// The flush that failed; until a rollback the objects are neither here nor there.
    failed: RefCell<Option<Error>>,
    /// How many savepoints are open.
    depth: Cell<u32>,
    gets: RefCell<Counter>,
}

/// A savepoint, and how much had been written before it.
pub(super) struct Nested {
    savepoint: Savepoint,
    mark: usize,
}

impl Core {
    pub(super) fn new(engine: Engine, options: SessionOptions) -> Self {
        Self {
            engine,
            options,
            unit: RefCell::default(),
            transaction: RefCell::default(),
            dialect: Cell::new(None),
            failed: RefCell::default(),
            depth: Cell::new(0),
            gets: RefCell::default(),
        }
    }

    /// The open transaction; begins one if there is none.
    #[track_caller]
    fn open(&self) -> Result<Ref<'_, Transaction>> {
        if let Some(first) = &*self.failed.borrow() {
            return Err(failed_before(first));
        }
        if self.transaction.borrow().is_none() {
            let begun = Transaction::begin(&self.engine, &self.options.transaction)?;
            let dialect = begun.with(Intent::Read, |on| Ok(on.capabilities().dialect))?;
            self.dialect.set(Some(dialect));
            *self.transaction.borrow_mut() = Some(begun);
        }
        Ref::filter_map(self.transaction.borrow(), Option::as_ref).map_err(|_| mixed_up())
    }

    #[track_caller]
    pub(super) fn flush(&self) -> Result<()> {
        if !self.unit.borrow().has_work() {
            return match &*self.failed.borrow() {
                Some(first) => Err(failed_before(first)),
                None => Ok(()),
            };
        }
        let mut unit = self.unit.try_borrow_mut().map_err(|_| mixed_up())?;
        unit.refuse_held()?;
        let transaction = self.open()?;
        let done =
            transaction.with(Intent::Write, |connection| flush::flush(&mut unit, connection));
        if let Err(error) = &done {
            *self.failed.borrow_mut() = Some(error.without_source());
        }
        done
    }

    #[track_caller]
    pub(super) fn autoflush(&self) -> Result<()> {
        if self.options.autoflush { self.flush() } else { Ok(()) }
    }

    #[track_caller]
    pub(super) fn with<T>(
        &self,
        intent: Intent,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        self.autoflush()?;
        self.open()?.with(intent, work)
    }

    #[track_caller]
    pub(super) fn atomically<T>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        self.autoflush()?;
        self.open()?.atomically(work)
    }

    #[track_caller]
    pub(super) fn get<E: Keyed + 'static>(&self, key: &E::Key) -> Result<Option<Tracked<E>>> {
        // The transaction is begun first: it says which database it is.
        drop(self.open()?);
        let map = EntityMap::of::<E>(self.dialect()?)?;
        let packed = packed_key(key, &map)?;
        let known = match self.known(TypeId::of::<E>(), &packed) {
            None if self.options.autoflush && self.unit.borrow().has_work() => {
                self.flush()?;
                self.known(TypeId::of::<E>(), &packed)
            }
            known => known,
        };
        if let Some(object) = known {
            let about = object.about();
            if about.status.get() != Status::Stored {
                return Ok(None);
            }
            if !about.is_expired.get() {
                return Tracked::of(object).map(Some).ok_or_else(mixed_up);
            }
        }
        self.count_get::<E>(Location::caller());
        let found = self.with(Intent::Read, |connection| crud::get::<E>(connection, key))?;
        found.map(|entity| self.track(entity)).transpose()
    }

    fn known(&self, kind: TypeId, key: &[u8]) -> Option<Rc<dyn Object>> {
        self.unit.borrow().identity.find(kind, key)
    }

    fn count_get<E: 'static>(&self, place: &'static Location<'static>) {
        let SessionOptions { repeated_gets, listener, .. } = &self.options;
        self.gets.borrow_mut().count::<E>(*repeated_gets, listener.as_ref(), place);
    }

    pub(super) fn track<E: Entity + 'static>(&self, entity: E) -> Result<Tracked<E>> {
        self.unit.borrow_mut().track_loaded(self.dialect()?, entity)
    }

    /// Which database it is; known once the session has used it.
    pub(super) fn dialect(&self) -> Result<Dialect> {
        if self.dialect.get().is_none() {
            drop(self.open()?);
        }
        self.dialect.get().ok_or_else(mixed_up)
    }

    pub(super) fn delete(&self, object: &Rc<dyn Object>) -> Result<()> {
        self.refuse_strange(object)?;
        self.unit.borrow_mut().delete(self.dialect.get(), object)
    }

    pub(super) fn link(
        &self,
        child: Rc<dyn Object>,
        column: usize,
        parent: Rc<dyn Object>,
    ) -> Result<()> {
        self.refuse_strange(&child)?;
        self.refuse_strange(&parent)?;
        let link = Link { child, column, parent };
        match self.dialect.get() {
            Some(dialect) if link.parent.about().status.get() == Status::Stored => {
                resolve(&link, dialect)
            }
            _ => {
                self.unit.borrow_mut().links.push(link);
                Ok(())
            }
        }
    }

    /// Makes the row of an object what `entity` is.
    pub(super) fn overwrite<E: Keyed + 'static>(
        &self,
        tracked: Tracked<E>,
        entity: &E,
    ) -> Result<Tracked<E>> {
        let map = EntityMap::of::<E>(self.dialect()?)?;
        let packed = |entity: &E, index: usize| {
            let mut packed = Vec::new();
            let is_there =
                entity.pack_field(index, &map.columns[index].column_type, &mut packed)?;
            Ok::<_, Error>(is_there.then_some(packed))
        };
        if let Some(version) = map.version
            && packed(entity, version)? != packed(&tracked.read(), version)?
        {
            return Err(stale::error(&map));
        }
        let object = tracked.object();
        touch(&object);
        for index in map.others() {
            let value = packed(entity, index)?;
            let of_type = &map.columns[index].column_type;
            let cell = image::cell(value.as_deref(), of_type);
            object.record_mut()?.fill(index, cell)?;
        }
        Ok(tracked)
    }

    pub(super) fn expire(&self, object: &Rc<dyn Object>) -> Result<()> {
        self.refuse_strange(object)?;
        if let Some(dialect) = self.dialect.get() {
            self.unit.borrow_mut().restore(dialect, object)?;
        }
        object.about().is_expired.set(true);
        Ok(())
    }

    #[track_caller]
    pub(super) fn refresh(&self, object: &Rc<dyn Object>) -> Result<()> {
        if object.about().status.get() != Status::Stored {
            return Err(not_tracked());
        }
        self.expire(object)?;
        let map = object.map(self.dialect()?)?;
        let is_there = self.open()?.with(Intent::Read, |connection| {
            single::reload(connection, &map, &mut *object.record_mut()?)
        })?;
        if !is_there {
            return Err(stale::error(&map));
        }
        let image = Image::of(&*object.record()?, &map)?;
        *object.about().image.borrow_mut() = image;
        object.about().is_expired.set(false);
        Ok(())
    }

    fn refuse_strange(&self, object: &Rc<dyn Object>) -> Result<()> {
        let is_ours = object.about().belongs_to(&self.unit.borrow().touched);
        if is_ours { Ok(()) } else { Err(not_tracked()) }
    }

    #[track_caller]
    pub(super) fn commit(&self) -> Result<()> {
        self.refuse_nested("committed")?;
        self.flush()?;
        let Some(transaction) = self.transaction.take() else { return Ok(()) };
        self.gets.borrow_mut().clear();
        let done = transaction.commit();
        let mut unit = self.unit.borrow_mut();
        match &done {
            Ok(()) => unit.settle(self.options.expire_on_commit),
            Err(error) if error.kind() == ErrorKind::CommitUnknown => unit.settle(true),
            Err(_) => {
                // The error of the commit is the one to be seen.
                let _ = unit.undo_to(0, self.dialect.get());
            }
        }
        done
    }

    pub(super) fn rollback(&self) -> Result<()> {
        self.refuse_nested("rolled back")?;
        let ended = self.transaction.take().map_or(Ok(()), Transaction::rollback);
        self.gets.borrow_mut().clear();
        self.failed.take();
        let undone = self.unit.borrow_mut().undo_to(0, self.dialect.get());
        ended.and(undone)
    }

    fn refuse_nested(&self, how: &str) -> Result<()> {
        if self.depth.get() == 0 {
            return Ok(());
        }
        let message = format!("a session cannot be {how} within begin_nested");
        Err(Error::new(ErrorKind::Config, message)
            .with_hint("return an error to take back what was done in it"))
    }

    #[track_caller]
    pub(super) fn begin_nested(&self) -> Result<Nested> {
        self.flush()?;
        let savepoint = self.open()?.open_savepoint()?;
        self.depth.set(self.depth.get() + 1);
        Ok(Nested { savepoint, mark: self.unit.borrow().mark() })
    }

    #[track_caller]
    pub(super) fn end_nested<T>(&self, nested: Nested, done: Result<T>) -> Result<T> {
        let Nested { savepoint, mark } = nested;
        self.depth.set(self.depth.get() - 1);
        let done = done.and_then(|value| self.flush().map(|()| value));
        // A flush that failed within it is taken back with it.
        self.failed.take();
        let done = self.open()?.close_savepoint(savepoint, done);
        if done.is_err() {
            // The error of the work is the one to be seen.
            let _ = self.unit.borrow_mut().undo_to(mark, self.dialect.get());
        }
        done
    }

    #[track_caller]
    pub(super) fn on_commit(&self, hook: Hook) -> Result<()> {
        drop(self.open()?);
        if let Some(transaction) = &mut *self.transaction.borrow_mut() {
            transaction.on_commit(hook);
        }
        Ok(())
    }
}

fn packed_key(key: &impl Key, map: &EntityMap) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    for (part, &index) in map.key.iter().enumerate() {
        let column_type = &map.columns[index].column_type;
        key_part(&mut packed, |out| key.pack_part(part, column_type, out))?;
    }
    Ok(packed)
}

fn failed_before(first: &Error) -> Error {
    let message = format!("a flush of this session failed before, with this error: {first}");
    Error::new(ErrorKind::Database, message).with_hint("roll the session back")
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("engine", &self.engine)
            .field("in_transaction", &self.transaction.try_borrow().is_ok_and(|t| t.is_some()))
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
