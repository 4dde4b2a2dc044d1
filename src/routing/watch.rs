//! What the pools of the servers are watched for.

use super::failure;
use super::router::Inner;
use crate::error::{Error, Result};
use crate::pool::{Hooked, PoolEvent, PoolHooks, PoolListener, PoolName, Verdict};
use crate::sqlstate::SqlState;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

/// The way from the pools of a router to it, which is made after them.
#[derive(Clone, Default)]
pub(super) struct Link(Arc<OnceLock<Weak<Inner>>>);

impl Link {
    pub(super) fn join(&self, inner: &Arc<Inner>) {
        // Only the router's maker calls this, once.
        let _ = self.0.set(Arc::downgrade(inner));
    }

    fn get(&self) -> Option<Arc<Inner>> {
        self.0.get().and_then(Weak::upgrade)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

/// The hooks for the pool of a server: those of the user, and ours.
pub(super) fn watching(hooks: &PoolHooks, link: &Link, node: usize) -> PoolHooks {
    let (verify, judge) = (link.clone(), link.clone());
    hooks
        .clone()
        .listener(Arc::new(Losses { link: link.clone(), node }))
        .and_on_connect(move |hooked| verify.get().map_or(Ok(()), |it| it.verify(node, hooked)))
        .or_classify(move |error| judge.get().map_or(Verdict::AsItIs, |it| it.judge(node, error)))
}

/// Tells the router of connections that were lost or could not be opened.
#[derive(Debug)]
struct Losses {
    link: Link,
    node: usize,
}

impl PoolListener for Losses {
    fn observe(&self, _: &PoolName, event: &PoolEvent<'_>) {
        let is_loss = matches!(
            event,
            PoolEvent::ConnectFailed { .. } | PoolEvent::InvalidateAll { cause: Some(_) }
        );
        if is_loss && let Some(inner) = self.link.get() {
            inner.doubt(self.node);
        }
    }
}

impl Inner {
    /// A new connection to the primary has to be one to the server that was found to be the
    /// primary, and not to one that was started anew since: another may be the primary by now.
    fn verify(&self, node: usize, hooked: &mut Hooked<'_>) -> Result<()> {
        let expected = {
            let state = self.state.lock();
            if state.primary() != Some(node) {
                return Ok(());
            }
            let said = state.roles.said(node);
            said.map(|said| (said.timeline, said.started, said.takes_writes))
        };
        let deadline = Instant::now() + self.options.probe_timeout;
        let found = hooked.connection.server_state(deadline)?;
        let found = found.map(|state| (state.timeline, state.started, state.takes_writes));
        if found == expected {
            return Ok(());
        }
        self.doubt(node);
        Err(failure::changed(&self.nodes[node].name))
    }

    /// On a replica, a statement that writes is a mistake of its caller, and no sign that the
    /// server is not what it was.
    fn judge(&self, node: usize, error: &Error) -> Verdict {
        let is_refused = error.sqlstate() == SqlState::parse("25006");
        if is_refused && self.state.lock().roles.is_replica(node) {
            Verdict::Kept
        } else {
            Verdict::AsItIs
        }
    }
}
