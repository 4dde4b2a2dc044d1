//! What an engine takes its connections from: one pool, or those of a primary and its replicas.

use crate::backend::{Backend, Connection};
use crate::error::{Error, Result};
use crate::pool::{Pool, Pooled};
use crate::routing::{Avoid, Freshness, Intent, Lent, Router, Wish};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So often a read is tried on another server, the primary included.
const MOST_MOVES: u32 = 3;

/// What an engine takes its connections from.
#[derive(Debug)]
pub(super) enum Wires {
    /// One server.
    One { backend: Arc<dyn Backend>, pool: Pool },
    /// A primary and its replicas.
    Many(Router),
}

/// What is read, and how fresh it has to be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading<'a> {
    pub(super) freshness: Freshness,
    pub(super) label: Option<&'a str>,
    /// Nobody waits for a connection any longer than that; `None` for as long as a check-out may
    /// take.
    pub(super) deadline: Option<Instant>,
    /// How long a replica is waited for that has what a token stands for; `None` for what the options
    /// say.
    pub(super) wait: Option<Duration>,
}

impl Reading<'_> {
    /// How much time there is, if there is a deadline.
    fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

impl Wires {
    /// The pool of the one server, or of the primary.
    #[inline]
    pub(super) fn pool(&self) -> &Pool {
        match self {
            Self::One { pool, .. } => pool,
            Self::Many(router) => router.pool(),
        }
    }

    pub(super) fn backend(&self) -> &Arc<dyn Backend> {
        match self {
            Self::One { backend, .. } => backend,
            Self::Many(router) => router.backend(),
        }
    }

    /// How often another server became the primary.
    pub(super) fn changes(&self) -> u64 {
        match self {
            Self::One { .. } => 0,
            Self::Many(router) => router.changes(),
        }
    }

    pub(super) fn dispose(&self) {
        match self {
            Self::One { pool, .. } => pool.dispose(),
            Self::Many(router) => router.dispose(),
        }
    }

    /// A connection that can be written to.
    #[inline]
    #[track_caller]
    pub(super) fn take(
        &self,
        purpose: Option<Cow<'static, str>>,
        timeout: Duration,
    ) -> Result<Pooled> {
        match self {
            Self::One { pool, .. } => pool.take(purpose, timeout, timeout),
            Self::Many(router) => Ok(take_of(router, purpose, timeout)?.connection),
        }
    }

    /// A connection to read from.
    #[track_caller]
    pub(super) fn take_to_read(&self, reading: Reading<'_>) -> Result<Pooled> {
        match self {
            Self::One { pool, .. } => pool.get(),
            Self::Many(router) => {
                let timeout = router.pool().options().timeout;
                Ok(router.acquire(wish(Intent::Read, reading, timeout))?.connection)
            }
        }
    }

    /// Hands a connection to read from to `work`, and another one again if that fails because of
    /// its server: a replica that cancelled it for the sake of what it had to replay, or is gone.
    #[track_caller]
    pub(super) fn read<T>(
        &self,
        reading: Reading<'_>,
        mut work: impl FnMut(&mut dyn Connection, bool) -> Result<T>,
    ) -> Result<T> {
        let timeout = self.pool().options().timeout;
        let router = match self {
            Self::One { pool, .. } => {
                let Some(left) = reading.remaining() else {
                    return work(&mut *pool.get()?, false);
                };
                let timeout = left.min(timeout);
                return work(&mut *pool.take(None, timeout, timeout)?, false);
            }
            Self::Many(router) => router,
        };
        let mut avoid = Avoid::default();
        let mut moves = 0;
        loop {
            let timeout = reading.remaining().map_or(timeout, |left| left.min(timeout));
            let wish = Wish { avoid: avoid.clone(), ..wish(Intent::Read, reading, timeout) };
            let Lent { mut connection, node, is_replica } = router.acquire(wish)?;
            let error = match work(&mut *connection, is_replica) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            moves += 1;
            if !is_replica || moves >= MOST_MOVES || !Router::can_be_moved(&error) {
                return Err(explained(error, is_replica));
            }
            avoid.add(node);
        }
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn take_of(router: &Router, purpose: Option<Cow<'static, str>>, timeout: Duration) -> Result<Lent> {
    let wish = wish(Intent::Write, Reading::default(), timeout);
    router.acquire(Wish { purpose, ..wish })
}

fn wish(intent: Intent, reading: Reading<'_>, timeout: Duration) -> Wish<'_> {
    let Reading { freshness, label, wait, .. } = reading;
    Wish { intent, freshness, label, purpose: None, timeout, avoid: Avoid::default(), wait }
}

/// A statement that writes, on a replica, is refused there.
fn explained(error: Error, is_replica: bool) -> Error {
    let is_refused = error.sqlstate().is_some_and(|state| state.code() == "25006");
    if is_replica && is_refused {
        return error.with_hint("it was declared to be a read; ask for a connection to write");
    }
    error
}
