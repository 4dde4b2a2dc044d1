//! A connection that left its pool.

use super::events::PoolEvent;
use super::link::Link;
use super::voice::Voice;
use super::watched::Watched;
use crate::backend::Connection;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A connection that left its pool; it is closed when it is dropped.
pub struct Detached {
    connection: Watched,
    voice: Arc<Voice>,
}

impl Detached {
    pub(super) fn new(link: Box<Link>, voice: Arc<Voice>) -> Self {
        Self { connection: Watched { link: Some(link) }, voice }
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        if let Some(link) = self.connection.link.take() {
            let connection = link.id();
            drop(link);
            self.voice.emit(&PoolEvent::CloseDetached { connection });
        }
    }
}

impl Deref for Detached {
    type Target = dyn Connection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl DerefMut for Detached {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

impl fmt::Debug for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = self.connection.link.as_ref().map(|link| &link.connection);
        f.debug_tuple("Detached").field(&connection).finish()
    }
}
