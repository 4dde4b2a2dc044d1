//! The kinds of pools by their names.

use super::hooks::PoolHooks;
use super::pool::Pool;
use crate::backend::Backend;
use crate::config::{PoolKind, PoolOptions};
use crate::error::Result;
use std::ops::Deref;
use std::sync::Arc;

macro_rules! kind {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        ///
        /// It is a [`Pool`] whose options say so; all clones are one pool.
        #[derive(Clone, Debug)]
        pub struct $name(Pool);

        impl $name {
            /// A pool of this kind, whatever kind `options` name.
            ///
            /// # Errors
            /// As [`Pool::new`].
            #[track_caller]
            pub fn new(backend: Arc<dyn Backend>, options: PoolOptions) -> Result<Self> {
                Self::with_hooks(backend, options, PoolHooks::default())
            }

            /// A pool of this kind with what a user adds to it.
            ///
            /// # Errors
            /// As [`Pool::new`].
            #[track_caller]
            pub fn with_hooks(
                backend: Arc<dyn Backend>,
                options: PoolOptions,
                hooks: PoolHooks,
            ) -> Result<Self> {
                Pool::with_hooks(backend, options.kind($kind), hooks).map(Self)
            }
        }

        impl Deref for $name {
            type Target = Pool;

            fn deref(&self) -> &Pool {
                &self.0
            }
        }

        impl From<$name> for Pool {
            fn from(pool: $name) -> Self {
                pool.0
            }
        }
    };
}

kind!(
    /// A pool that keeps `pool_size` connections and opens up to `max_overflow` more on demand.
    QueuePool,
    PoolKind::Queue
);

kind!(
    /// A pool that keeps nothing: a connection is opened when it is asked for and closed when it
    /// comes back; at most `pool_size + max_overflow` at once.
    NullPool,
    PoolKind::Null
);

kind!(
    /// A pool for tests that lends one connection at a time: asking for a second one is an error
    /// at once that names the place of the first.
    AssertionPool,
    PoolKind::Assertion
);
