//! What a user adds to a pool.

use super::budget::Budget;
use super::clock::Clock;
use super::events::PoolListener;
use super::verdict::Verdict;
use crate::backend::Connection;
use crate::error::{Error, Result};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What the hooks of a user keep with a connection; it lives as long as the connection.
pub type ConnectionData = Option<Box<dyn Any + Send>>;

/// A connection as a hook sees it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Hooked<'a> {
    /// The number of the connection.
    pub id: u64,
    /// The connection.
    pub connection: &'a mut dyn Connection,
    /// What the hooks keep with it.
    pub data: &'a mut ConnectionData,
}

/// What a reset hook is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Returning {
    /// Whether a transaction is open; if not, its holder has ended it and nothing is rolled back.
    pub in_transaction: bool,
    /// Whether the connection leaves the pool, instead of being lent again.
    pub is_leaving: bool,
}

pub(super) type Hook = dyn Fn(&mut Hooked<'_>) -> Result<()> + Send + Sync;
pub(super) type ResetHook = dyn Fn(&mut Hooked<'_>, Returning) -> Result<()> + Send + Sync;
pub(super) type Classify = dyn Fn(&Error, bool) -> Verdict + Send + Sync;

/// What a user adds to a pool: listeners, hooks, a classifier of errors, a budget, a clock.
///
/// A hook runs on the borrower's thread, within its deadline, and must not ask the pool for a
/// connection. An error or a panic of a hook closes the connection it was called for.
#[derive(Clone, Default)]
pub struct PoolHooks {
    pub(super) listeners: Vec<Arc<dyn PoolListener>>,
    pub(super) connect: Option<Arc<Hook>>,
    pub(super) first_connect: Option<Arc<Hook>>,
    pub(super) check_out: Option<Arc<Hook>>,
    pub(super) reset: Option<Arc<ResetHook>>,
    pub(super) classify: Option<Arc<Classify>>,
    pub(super) budget: Option<Budget>,
    pub(super) clock: Clock,
}

impl PoolHooks {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one who is told what happens.
    #[must_use]
    pub fn listener(mut self, listener: Arc<dyn PoolListener>) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Makes each new connection ready; its error is the borrower's.
    #[must_use]
    pub fn on_connect(
        mut self,
        hook: impl Fn(&mut Hooked<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.connect = Some(Arc::new(hook));
        self
    }

    /// Runs once for the pool, on its first connection; those who ask meanwhile wait until it is
    /// done. After an error it runs again on the next connection, until it succeeds once.
    #[must_use]
    pub fn on_first_connect(
        mut self,
        hook: impl Fn(&mut Hooked<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.first_connect = Some(Arc::new(hook));
        self
    }

    /// Runs before each connection is lent. If its error says that the connection was lost,
    /// another is lent in its place; any other error is the borrower's.
    #[must_use]
    pub fn on_check_out(
        mut self,
        hook: impl Fn(&mut Hooked<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.check_out = Some(Arc::new(hook));
        self
    }

    /// Runs when a connection comes back or leaves the pool, before the pool's own reset; not for
    /// one that was given up.
    #[must_use]
    pub fn on_reset(
        mut self,
        hook: impl Fn(&mut Hooked<'_>, Returning) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.reset = Some(Arc::new(hook));
        self
    }

    /// Has the last word on whether an error means that the connection was lost; it is told
    /// whether the error is the answer to a ping.
    #[must_use]
    pub fn classify(
        mut self,
        classify: impl Fn(&Error, bool) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        self.classify = Some(Arc::new(classify));
        self
    }

    /// Runs `check` on each new connection, after the hook of the user.
    #[must_use]
    pub(crate) fn and_on_connect(
        mut self,
        check: impl Fn(&mut Hooked<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let first = self.connect.take();
        self.connect = Some(Arc::new(move |hooked: &mut Hooked<'_>| {
            if let Some(first) = &first {
                first(&mut *hooked)?;
            }
            check(hooked)
        }));
        self
    }

    /// Asks `judge` where the user has no opinion of an error.
    #[must_use]
    pub(crate) fn or_classify(
        mut self,
        judge: impl Fn(&Error) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let first = self.classify.take();
        self.classify = Some(Arc::new(move |error: &Error, in_ping: bool| {
            match first.as_ref().map_or(Verdict::AsItIs, |first| first(error, in_ping)) {
                Verdict::AsItIs => judge(error),
                decided => decided,
            }
        }));
        self
    }

    /// The clock by which ages are judged.
    pub(crate) fn clock_of(&self) -> &Clock {
        &self.clock
    }

    /// Opens connections within a budget that other pools share.
    #[must_use]
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Judges ages by `clock`; for tests.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }
}

impl fmt::Debug for PoolHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolHooks")
            .field("listeners", &self.listeners.len())
            .finish_non_exhaustive()
    }
}
