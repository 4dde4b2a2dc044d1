//! A session that cannot write.

use super::repeated_gets::Counter;
use super::session_options::SessionOptions;
use super::transaction::Transaction;
use crate::backend::Connection;
use crate::engine::{Engine, Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::key::Keyed;
use crate::store::crud;
use std::cell::{Ref, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;

/// A session that cannot write: it has no methods for it, its entities are values without a
/// handle, and its transaction is READ ONLY where the database knows such a thing.
///
/// All that it reads is read in one transaction, begun when it first needs the database. What that
/// sees of others is the isolation's matter: `REPEATABLE READ` shows all queries the same. On
/// SQLite it waits for nobody who writes, and always sees the same.
///
/// ```
/// use rowmill::prelude::*;
///
/// #[derive(Entity)]
/// struct Artist {
///     #[entity(key)]
///     id: i64,
/// }
///
/// let engine = Engine::open("sqlite::memory:")?;
/// engine.run("create table artist (id integer primary key)")?;
/// let session = engine.read_session()?;
/// assert!(session.get::<Artist>(1)?.is_none());
/// # Ok::<(), rowmill::Error>(())
/// ```
pub struct ReadSession {
    engine: Engine,
    options: SessionOptions,
    transaction: RefCell<Option<Transaction>>,
    gets: RefCell<Counter>,
    /// As a session, it belongs to one thread.
    here: PhantomData<Rc<()>>,
}

impl Engine {
    /// A session that cannot write. It takes a connection when it first needs one.
    ///
    /// # Errors
    /// None today.
    pub fn read_session(&self) -> Result<ReadSession> {
        self.read_session_with(SessionOptions::new())
    }

    /// A session that cannot write, and whose transaction is as `options` say.
    ///
    /// # Errors
    /// None today.
    pub fn read_session_with(&self, options: SessionOptions) -> Result<ReadSession> {
        Ok(ReadSession {
            engine: self.clone(),
            options,
            transaction: RefCell::default(),
            gets: RefCell::default(),
            here: PhantomData,
        })
    }
}

impl ReadSession {
    /// The row with this key; `None` if there is none.
    ///
    /// # Errors
    /// As [`Crud::get`](crate::Crud::get).
    #[track_caller]
    pub fn get<E: Keyed + 'static>(&self, key: impl Into<E::Key>) -> Result<Option<E>> {
        let key = key.into();
        let SessionOptions { repeated_gets, listener, .. } = &self.options;
        let place = Location::caller();
        self.gets.borrow_mut().count::<E>(*repeated_gets, listener.as_ref(), place);
        self.with(Intent::Read, |connection| crud::get(connection, &key))
    }

    /// Ends the transaction and gives the connection back; the next read begins another, which
    /// sees what was committed by then.
    ///
    /// # Errors
    /// `Disconnect`.
    pub fn end(&mut self) -> Result<()> {
        self.gets.borrow_mut().clear();
        self.transaction.take().map_or(Ok(()), Transaction::rollback)
    }

    #[track_caller]
    fn open(&self) -> Result<Ref<'_, Transaction>> {
        if self.transaction.borrow().is_none() {
            let begun = Transaction::begin_to_read(&self.engine, &self.options.transaction)?;
            *self.transaction.borrow_mut() = Some(begun);
        }
        Ref::filter_map(self.transaction.borrow(), Option::as_ref)
            .map_err(|_| Error::new(ErrorKind::Internal, "a transaction is gone that was begun"))
    }
}

impl Executor for ReadSession {
    #[track_caller]
    fn with<T>(
        &self,
        intent: Intent,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        match intent {
            Intent::Read => self.open()?.with(intent, work),
            Intent::Write => Err(refused()),
        }
    }

    #[track_caller]
    fn atomically<T>(&self, _: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        Err(refused())
    }
}

fn refused() -> Error {
    Error::new(ErrorKind::Unsupported, "a session that only reads was to write")
        .with_hint("use Engine::session")
}

impl fmt::Debug for ReadSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadSession").field("engine", &self.engine).finish_non_exhaustive()
    }
}
