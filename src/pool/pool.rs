//! The pool: what its users call.

use super::events::{CloseReason, PoolEvent, PoolName};
use super::guard::Pooled;
use super::holder::Holder;
use super::hooks::PoolHooks;
use super::housekeeper;
use super::request::{Label, Request};
use super::shared::Shared;
use super::stats::PoolStats;
use crate::backend::Backend;
use crate::backend::server_limit::ServerLimit;
use crate::config::{Overflow, PoolOptions, Start};
use crate::error::{Error, ErrorKind, Result};
use crate::trace;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After a cancel, and again after the connections were cut, this long is waited for holders.
const GRACE: Duration = Duration::from_millis(500);

/// A pool of connections to one database, of whatever kind its options say.
///
/// All clones are one pool. With the last of them the connections that sleep are closed; those on loan
/// work on, and are closed when they come back.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
    /// What all clones have in common, and no loan: it goes with the last of them.
    _handles: Arc<Handles>,
}

/// Stands for all handles of a pool.
struct Handles {
    shared: Arc<Shared>,
}

impl Drop for Handles {
    /// What sleeps has a part of the pool, which has what sleeps: this ends it. What is on loan is closed
    /// when it comes back.
    fn drop(&mut self) {
        self.shared.ledger.close();
        self.shared.close_all_idle(CloseReason::PoolClosed);
    }
}

/// What [`Pool::close`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Those who had a connection when the time was over; their statements were cancelled, and
    /// where that did not help their connections were cut.
    pub interrupted: Vec<Holder>,
    /// Those who still have one; it is closed when it comes back.
    pub still_out: Vec<Holder>,
}

impl Pool {
    /// A pool of connections of `backend`.
    ///
    /// # Errors
    /// `Config` if an option cannot be used; with [`Start::FailFast`] what the first connection
    /// says.
    #[track_caller]
    pub fn new(backend: Arc<dyn Backend>, options: PoolOptions) -> Result<Self> {
        Self::with_hooks(backend, options, PoolHooks::default())
    }

    /// A pool of connections of `backend` with what a user adds to it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn with_hooks(
        backend: Arc<dyn Backend>,
        options: PoolOptions,
        hooks: PoolHooks,
    ) -> Result<Self> {
        options.validate()?;
        let shared = Arc::new(Shared::new(backend, options, hooks));
        if let Some(budget) = &shared.hooks.budget {
            let member = Arc::downgrade(&shared);
            budget.join(member);
        }
        let handles = Arc::new(Handles { shared: Arc::clone(&shared) });
        let pool = Self { shared, _handles: handles };
        match pool.shared.options.start {
            Start::Lazy => (),
            Start::Eager => pool.shared.warm_up(),
            Start::FailFast => drop(pool.get_labelled("start")?),
        }
        housekeeper::start(&pool.shared);
        Ok(pool)
    }

    /// Takes a connection, within the pool's time-out; dropping it gives it back.
    ///
    /// While the server cannot be reached, or refuses connections for the moment (it starts up, it
    /// has too many), it is asked again after pauses of 100 ms to 1 s until the time is over, by
    /// one thread at a time.
    ///
    /// # Errors
    /// `PoolTimeout` if none was free in time, `PoolFull` if nobody more may wait, `Connect` if
    /// none could be opened, `PoolClosed` after [`dispose`](Self::dispose), `NestedCheckout` if
    /// this thread holds one already.
    #[inline]
    #[track_caller]
    pub fn get(&self) -> Result<Pooled> {
        let timeout = self.shared.options.timeout;
        self.ask(timeout, timeout, None)
    }

    /// Takes a connection, within `timeout`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_within(&self, timeout: Duration) -> Result<Pooled> {
        self.ask(timeout, timeout, None)
    }

    /// Takes a connection for what `label` says; messages and events name it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_labelled(&self, label: impl Into<Label>) -> Result<Pooled> {
        let timeout = self.shared.options.timeout;
        self.ask(timeout, timeout, Some(label.into()))
    }

    /// Takes a connection for what `label` says, within `timeout`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_labelled_within(
        &self,
        label: impl Into<Label>,
        timeout: Duration,
    ) -> Result<Pooled> {
        self.ask(timeout, timeout, Some(label.into()))
    }

    /// Takes a connection, within `timeout`; a server that cannot be reached is tried again for
    /// `patience` only. One that answers that it starts up, or has too many connections, is asked
    /// until the time is over.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_patiently(&self, timeout: Duration, patience: Duration) -> Result<Pooled> {
        self.ask(timeout, patience, None)
    }

    // What is asked for is made where it stays, in the caller's frame, and a loan comes in registers: a
    // copy of what was written just now waits for the processor's buffer.
    #[inline]
    #[track_caller]
    fn ask(&self, timeout: Duration, patience: Duration, label: Option<Label>) -> Result<Pooled> {
        let request = Request { timeout, patience, label, place: Location::caller() };
        let span = trace::check_out();
        let taken = span.in_scope(|| self.shared.check_out(&request).map(Pooled::new));
        span.ended(None, taken.as_ref().err());
        taken
    }

    /// Gives up all connections that were opened so far: those that sleep are closed now, those on
    /// loan when they come back.
    pub fn invalidate_all(&self) {
        self.shared.give_up_all();
    }

    /// Gives up all connections that were opened so far, and cuts those on loan: whoever has one gets
    /// a `Disconnect`, also in the middle of a statement, that says `why`.
    pub fn sever_all(&self, why: impl Into<String>) {
        self.shared.judge.set_reason(why.into());
        self.shared.give_up_all();
        self.shared.ledger.interrupts().iter().for_each(|interrupt| interrupt.sever());
    }

    /// Takes a connection for what `label` says, within `timeout`; a server that cannot be reached
    /// is tried again for `patience` only.
    #[inline]
    #[track_caller]
    pub(crate) fn take(
        &self,
        label: Option<Label>,
        timeout: Duration,
        patience: Duration,
    ) -> Result<Pooled> {
        self.ask(timeout, patience, label)
    }

    /// Holds all who ask from now on, as for a fail-over, until [`resume`](Self::resume) or until
    /// their time is over. Connections on loan may be used and come back.
    pub fn suspend(&self) {
        self.shared.ledger.suspend();
    }

    /// Serves those who were held by [`suspend`](Self::suspend).
    pub fn resume(&self) {
        self.shared.ledger.resume();
    }

    /// Keeps `pool_size` connections and lets `max_overflow` more exist from now on.
    ///
    /// Where that is more, those who wait are served at once. Where it is less, connections that
    /// sleep and are too many are closed before this returns, and those on loan when they come back;
    /// until then nobody who waits is served. A job keeps to the number that there was when it began.
    ///
    /// # Errors
    /// `Config` if the options cannot be used with these sizes; nothing is changed then.
    ///
    /// ```
    /// let engine = rowmill::Engine::open("sqlite:resized.db?pool_size=2&max_overflow=0")?;
    /// engine.pool().resize(4, 1)?;
    /// assert_eq!(engine.pool().capacity(), 5);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn resize(&self, pool_size: u32, max_overflow: impl Into<Overflow>) -> Result<()> {
        self.shared.resize(pool_size, max_overflow.into())
    }

    /// Does now what is done from time to time in the background: opens what `min_idle` asks for,
    /// closes what slept for too long, keeps alive, reports long loans.
    pub fn tend(&self) {
        self.shared.tend();
    }

    /// Begins to open connections in the background until `count` are open, on loan or not: for who is going to
    /// take as many in a moment. What cannot be opened is left to who takes it.
    pub(crate) fn open_ahead(&self, count: u32) {
        self.shared.open_ahead(count);
    }

    /// Closes the idle connections and turns away everybody who waits or comes; connections on
    /// loan are closed when they come back.
    pub fn dispose(&self) {
        if self.shared.ledger.close() {
            self.shared.emit(&PoolEvent::PoolClosed);
        }
        self.shared.close_all_idle(CloseReason::PoolClosed);
    }

    /// As [`dispose`](Self::dispose), and waits up to `timeout` for what is on loan. Then the
    /// statements of those who still have a connection are cancelled, half a second later their
    /// connections are cut, and half a second after that it returns in any case.
    pub fn close(&self, timeout: Duration) -> CloseReport {
        self.dispose();
        let ledger = &self.shared.ledger;
        let now = Instant::now();
        let late = ledger.drain(now.checked_add(timeout).unwrap_or(now + GRACE));
        if late.is_empty() {
            return CloseReport::default();
        }
        ledger.interrupts().iter().for_each(|interrupt| interrupt.cancel());
        let mut still_out = ledger.drain(Instant::now() + GRACE);
        if !still_out.is_empty() {
            ledger.interrupts().iter().for_each(|interrupt| interrupt.sever());
            still_out = ledger.drain(Instant::now() + GRACE);
        }
        CloseReport { interrupted: late, still_out }
    }

    /// A new pool with the same backend, options and hooks, of the same size as this one now, and
    /// with no connection.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn recreate(&self) -> Result<Self> {
        let Shared { backend, hooks, .. } = &*self.shared;
        Self::with_hooks(Arc::clone(backend), self.shared.options_now(), hooks.clone())
    }

    /// Asks the server how many connections it has room for, and compares that with what the pool,
    /// or the budget it belongs to, may open; `None` where there is no such limit.
    ///
    /// # Errors
    /// `Config`, with the sum, if there is room for fewer; as [`get`](Self::get).
    #[track_caller]
    pub fn check_limit(&self) -> Result<Option<ServerLimit>> {
        let Some(limit) = self.get_labelled("check_limit")?.server_limit()? else {
            return Ok(None);
        };
        let options = self.shared.options_now();
        let (wanted, sum) = match &self.shared.hooks.budget {
            Some(budget) => (budget.limit(), "the budget".to_owned()),
            None if options.is_unlimited() => return Ok(Some(limit)),
            None => (self.capacity(), "pool_size + max_overflow".to_owned()),
        };
        if wanted <= limit.usable() {
            return Ok(Some(limit));
        }
        let ServerLimit { most, reserved, open, .. } = limit;
        let usable = limit.usable();
        let own =
            limit.own.map_or(String::new(), |own| format!(", {own} for this user or database"));
        let message = format!(
            "{sum} = {wanted} connections are more than the server has room for: {most} - {reserved} reserved{own} = {usable}, of which {open} are open now"
        );
        Err(Error::new(ErrorKind::Config, message)
            .with_hint("lower pool_size and max_overflow, or raise the server's limit"))
    }

    /// The counts of this moment.
    pub fn stats(&self) -> PoolStats {
        self.shared.ledger.stats()
    }

    /// Who has a connection now, the longest first.
    pub fn holders(&self) -> Vec<Holder> {
        self.shared.ledger.holders()
    }

    /// How many connections may be open: see [`PoolOptions::capacity`], or less where the database
    /// has a limit of its own.
    pub fn capacity(&self) -> u32 {
        self.shared.ledger.terms().limit
    }

    /// The options it was made with.
    #[inline]
    pub fn options(&self) -> &PoolOptions {
        &self.shared.options
    }

    /// What it is called in events.
    pub fn name(&self) -> &PoolName {
        &self.shared.voice.name
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("kind", &self.shared.options.kind)
            .field("database", &self.shared.voice.name.database)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
