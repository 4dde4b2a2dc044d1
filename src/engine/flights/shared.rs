//! What statements are run through.

use super::boarding::Boarding;
use super::passenger::Passenger;
use crate::backend::Connection;
use crate::backend::capabilities::Capabilities;
use crate::backend::flight::Request;
use crate::engine::acquire::Intent;
use crate::engine::database::Engine;
use crate::engine::executor::Executor;
use crate::error::{Error, ErrorKind, Result};
use std::sync::Arc;

/// Small statements of many threads, sent together over a few connections; made by
/// [`Engine::flights`].
///
/// It is for many threads with a small statement each: look-ups by key, single inserts and
/// updates. Whatever takes an engine takes it. What cannot be sent with others (several statements
/// that hold together, loads, a statement that may leave something in its session) gets a connection
/// of its own without further ado. A result is held in memory whole, at most 16 MiB. Up to 16 statements
/// are sent together to a server that answers within 500 µs, up to 64 to one that is farther away.
///
/// Clones share their connections.
///
/// ```no_run
/// use rowmill::{Crud, Engine, Entity};
/// # #[derive(Entity)]
/// # #[entity(table = "runways")]
/// # struct Runway {
/// #     #[entity(key)]
/// #     id: i64,
/// # }
/// let engine = Engine::open("postgresql://etl@localhost/warehouse")?;
/// let flights = engine.flights(2)?;
/// std::thread::scope(|scope| {
///     for id in 0..64_i64 {
///         let flights = &flights;
///         scope.spawn(move || Runway::get(flights, id));
///     }
/// });
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Flights {
    engine: Engine,
    boarding: Arc<Boarding>,
    capabilities: Capabilities,
}

impl Engine {
    /// Has small statements of many threads sent together, over at most `connections` of its pool at
    /// once; two are enough for most servers. Where there are replicas, over those to the primary.
    ///
    /// # Errors
    /// `Config` for no connection, or more than the pool has; `Unsupported` for a database to which
    /// statements go one by one; as [`get`](Self::get).
    pub fn flights(&self, connections: u32) -> Result<Flights> {
        if connections == 0 || connections > self.capacity() {
            let message = format!("no flights over {connections} connections");
            return Err(Error::new(ErrorKind::Config, message)
                .with_hint("take at least 1, and at most as many as the pool has"));
        }
        let capabilities = *self.get()?.capabilities();
        if !capabilities.flights {
            let message = "statements are sent one by one to this database";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("run them on the engine itself"));
        }
        let boarding = Arc::new(Boarding::new(connections));
        Ok(Flights { engine: self.clone(), boarding, capabilities })
    }
}

impl Flights {
    /// How many statements wait to be sent at this moment.
    pub fn waiting(&self) -> usize {
        self.boarding.waiting()
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    #[track_caller]
    pub(super) fn ride(&self, request: Request) -> Result<Request> {
        self.boarding.ride(&self.engine, request)
    }
}

impl Executor for Flights {
    #[track_caller]
    fn with<T>(&self, _: Intent, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        work(&mut Passenger::new(self))
    }

    #[track_caller]
    fn atomically<T>(&self, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        self.engine.atomically(work)
    }
}
