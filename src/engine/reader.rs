//! Reads of a declared freshness.

use super::acquire::{Acquire, Intent};
use super::database::Engine;
use super::executor::Executor;
use super::steady::Steady;
use super::wires::Reading;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pooled;
use crate::routing::Freshness;
use std::sync::Arc;

/// Reads through an engine, as fresh as was declared; made by [`Engine::reading`].
///
/// Queries run through it as through the engine. What writes is refused: by a replica, and on the
/// primary by a transaction that is READ ONLY; a database without such transactions lets no SQL of
/// one's own through here.
///
/// ```
/// use rowmill::{Engine, Entity, Freshness, Query};
/// # #[derive(Entity)]
/// # #[entity(table = "runways")]
/// # struct Runway {
/// #     #[entity(key)]
/// #     id: i64,
/// # }
/// let engine = Engine::open("sqlite::memory:")?;
/// engine.run("create table runways (id integer primary key)")?;
/// let token = {
///     let mut transaction = engine.begin()?;
///     transaction.run("insert into runways values (7)")?;
///     transaction.commit_token()?
/// };
/// // Where there are replicas, one that has the row already, or soon; else the primary.
/// let fresh = engine.reading(Freshness::After(token));
/// assert_eq!(Query::<Runway>::new().count(&fresh)?, 1);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader {
    engine: Engine,
    freshness: Freshness,
    label: Option<String>,
}

impl Engine {
    /// Reads that are as fresh as this. Without replicas they all come from the one server.
    #[must_use]
    pub fn reading(&self, freshness: Freshness) -> Reader {
        Reader { engine: self.clone(), freshness, label: None }
    }
}

impl Reader {
    /// Has replicas serve the reads that have this label, as long as one of them is fit. Default:
    /// any replica.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    fn declared(&self) -> Reading<'_> {
        Reading {
            freshness: self.freshness,
            label: self.label.as_deref(),
            deadline: None,
            wait: None,
        }
    }
}

impl Acquire for Reader {
    /// Takes a connection to read from.
    #[track_caller]
    fn acquire(&self, intent: Intent) -> Result<Pooled> {
        match intent {
            Intent::Read => self.engine.wires().take_to_read(self.declared()),
            Intent::Write => Err(refused()),
        }
    }

    #[track_caller]
    fn look(&self) -> Result<Pooled> {
        self.engine.look()
    }

    #[track_caller]
    fn steady(&self, one_server: bool) -> Result<Option<Arc<dyn Acquire>>> {
        Steady::begin(&self.engine, self.freshness, self.label.as_deref(), one_server)
    }

    fn capacity(&self) -> u32 {
        self.engine.capacity()
    }
}

impl Executor for Reader {
    /// Runs `work` so that it cannot write, whatever `intent` says: a query in SQL of one's own is
    /// taken for one that may.
    #[track_caller]
    fn with<T>(
        &self,
        intent: Intent,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        let mut connection = self.engine.wires().take_to_read(self.declared())?;
        guarded(&mut *connection, intent, work)
    }

    #[track_caller]
    fn atomically<T>(&self, _: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        Err(refused())
    }

    #[track_caller]
    fn read<T>(&self, mut work: impl FnMut(&mut dyn Connection) -> Result<T>) -> Result<T> {
        self.engine.wires().read(self.declared(), |connection, _| work(connection))
    }
}

/// Runs `work` in a transaction that cannot write, if it may want to.
fn guarded<T>(
    connection: &mut dyn Connection,
    intent: Intent,
    work: impl FnOnce(&mut dyn Connection) -> Result<T>,
) -> Result<T> {
    if intent == Intent::Read {
        return work(connection);
    }
    if !connection.capabilities().transaction_modes {
        return Err(refused());
    }
    connection.begin()?;
    connection.run("SET TRANSACTION READ ONLY")?;
    let done = work(connection);
    // Nothing can have been written; what is open is rolled back, whatever came of it.
    let ended = connection.rollback();
    let value = done?;
    ended?;
    Ok(value)
}

fn refused() -> Error {
    Error::new(ErrorKind::Unsupported, "what only reads was to write").with_hint("use the engine")
}
