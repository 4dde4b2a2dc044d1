//! A read that takes many connections: all of them show what was committed before it began.

use super::acquire::{Acquire, Intent};
use super::database::Engine;
use super::wires::Wires;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pooled;
use crate::routing::{Avoid, Freshness, Lent, Router, Wish};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For so long a replica is passed over that has cancelled a read for the sake of what it replays,
/// or was lost: the same read is done again elsewhere.
const REST: Duration = Duration::from_secs(5);

/// A read that takes many connections, from one replica or from several, the primary where none is
/// fit. A replica that does not show what was committed before it began is not read from.
#[derive(Debug)]
pub(super) struct Steady {
    router: Router,
    freshness: Freshness,
    label: Option<String>,
    /// All connections lead to this server.
    only: Option<(usize, bool)>,
    /// Replicas that are passed over, and until when.
    resting: Mutex<Vec<(usize, Instant)>>,
}

impl Steady {
    /// Begins: waits until a replica shows what is committed now, up to the limit of the engine.
    ///
    /// # Errors
    /// As the primary's connections.
    #[track_caller]
    pub(super) fn begin(
        engine: &Engine,
        freshness: Freshness,
        label: Option<&str>,
        one_server: bool,
    ) -> Result<Option<Arc<dyn Acquire>>> {
        let Wires::Many(router) = engine.wires() else { return Ok(None) };
        let now = engine.token()?;
        let freshness = match freshness {
            Freshness::Primary => Freshness::Primary,
            Freshness::After(token) => Freshness::After(token.and(now)),
            _ => Freshness::After(now),
        };
        let router = router.clone();
        let label = label.map(str::to_owned);
        let mut steady =
            Self { router, freshness, label, only: None, resting: Mutex::new(Vec::new()) };
        steady.router.wait_until_shown(&steady.wish())?;
        if one_server {
            let Lent { node, is_replica, .. } = steady.take()?;
            steady.only = Some((node, is_replica));
        }
        Ok(Some(Arc::new(steady)))
    }

    fn wish(&self) -> Wish<'_> {
        Wish {
            intent: Intent::Read,
            freshness: self.freshness,
            label: self.label.as_deref(),
            purpose: None,
            timeout: self.router.pool().options().timeout,
            avoid: self.avoided(),
            // It was waited for when the read began.
            wait: Some(Duration::ZERO),
        }
    }

    fn avoided(&self) -> Avoid {
        let now = Instant::now();
        let mut resting = self.resting.lock();
        resting.retain(|(_, until)| *until > now);
        let mut avoid = Avoid::default();
        resting.iter().for_each(|(node, _)| avoid.add(*node));
        avoid
    }

    #[track_caller]
    fn take(&self) -> Result<Lent> {
        if let Some((node, is_replica)) = self.only {
            let connection = self.router.take_from(node)?;
            return Ok(Lent { connection, node, is_replica });
        }
        self.router.acquire(self.wish()).map_err(|error| match self.freshness {
            Freshness::After(token) if self.router.has_lost(token) => overtaken(error),
            _ => error,
        })
    }
}

impl Acquire for Steady {
    #[track_caller]
    fn acquire(&self, intent: Intent) -> Result<Pooled> {
        match intent {
            Intent::Read => Ok(self.take()?.connection),
            Intent::Write => self.look(),
        }
    }

    #[track_caller]
    fn look(&self) -> Result<Pooled> {
        let wish = Wish { intent: Intent::Write, ..self.wish() };
        Ok(self.router.acquire(wish)?.connection)
    }

    #[track_caller]
    fn lend(&self, work: &mut dyn FnMut(&mut dyn Connection) -> Result<()>) -> Result<()> {
        let Lent { mut connection, node, is_replica } = self.take()?;
        let done = work(&mut *connection);
        if is_replica && done.as_ref().is_err_and(Router::can_be_moved) {
            self.resting.lock().push((node, Instant::now() + REST));
        }
        done
    }

    /// What each server can lend: all who read may meet at one of them.
    fn capacity(&self) -> u32 {
        self.router.least_capacity()
    }
}

/// A promotion has lost what was there when the read began.
fn overtaken(error: Error) -> Error {
    Error::new(
        ErrorKind::Database,
        "a promotion has lost a part of what was committed when this run began to read",
    )
    .with_source(error)
    .with_hint("start the same command again: it reads what is there now")
}
