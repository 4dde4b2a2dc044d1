//! The one way in which work asks for a connection.

use crate::backend::Connection;
use crate::error::Result;
use crate::pool::Pooled;
use std::fmt::Debug;
use std::sync::Arc;

pub use crate::routing::Intent;

/// Lends connections. Sources, sinks and sessions ask through this trait and never know how many
/// servers stand behind it.
pub trait Acquire: Debug + Send + Sync {
    /// Takes a connection that is fit for `intent`; dropping it gives it back.
    ///
    /// # Errors
    /// `PoolTimeout`, `PoolClosed`, `Connect` or `NestedCheckout`.
    #[track_caller]
    fn acquire(&self, intent: Intent) -> Result<Pooled>;

    /// Hands a connection to read from to `work`.
    ///
    /// # Errors
    /// What `work` returns; as [`acquire`](Self::acquire).
    #[track_caller]
    fn lend(&self, work: &mut dyn FnMut(&mut dyn Connection) -> Result<()>) -> Result<()> {
        work(&mut *self.acquire(Intent::Read)?)
    }

    /// Takes a connection to look at what is going to be read: to where its changes are counted.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    #[track_caller]
    fn look(&self) -> Result<Pooled> {
        self.acquire(Intent::Read)
    }

    /// Begins a read that takes many connections, and returns who lends them: all show what was
    /// committed before. If it is to be `one_server`, all lead to the same one, for what only one
    /// can promise: a snapshot that several connections read. `None` where that holds already,
    /// because there is only one server.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    #[track_caller]
    fn steady(&self, one_server: bool) -> Result<Option<Arc<dyn Acquire>>> {
        let _ = one_server;
        Ok(None)
    }

    /// How many connections it can lend at once: the bound of what may be in flight.
    fn capacity(&self) -> u32;
}
