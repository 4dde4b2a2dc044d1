//! The one way in which work asks for a connection.

use crate::error::Result;
use crate::pool::Pooled;
use std::fmt::Debug;

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

    /// How many connections it can lend at once: the bound of what may be in flight.
    fn capacity(&self) -> u32;
}
