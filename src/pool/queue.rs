//! Check-out, check-in, disposal.

use super::backoff::Backoff;
use super::guard::{Permit, Pooled};
use super::ledger::{Ledger, NoPermit};
use super::nested::Mark;
use super::slots::{self, Slot, Slots};
use super::stats::PoolStats;
use crate::backend::{Backend, Connection};
use crate::config::PoolOptions;
use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a kept connection may take to give a sign of life.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one look for a slot lasts.
const SLOT_WAIT: Duration = Duration::from_millis(50);

/// A pool that keeps `pool_size` connections and opens up to `max_overflow` more on demand.
///
/// All clones are one pool.
#[derive(Clone)]
pub struct QueuePool {
    shared: Arc<Shared>,
}

/// What the pool and its connections on loan have in common.
pub(super) struct Shared {
    id: u64,
    backend: Arc<dyn Backend>,
    options: PoolOptions,
    pub(super) ledger: Ledger,
    shelf: r2d2::Pool<Slots>,
    /// The last failure to connect, until a connection succeeds.
    last_failure: Mutex<Option<Error>>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl QueuePool {
    /// A pool of connections of `backend`; none is opened yet.
    ///
    /// # Errors
    /// `Config` if an option cannot be used.
    pub fn new(backend: Arc<dyn Backend>, options: PoolOptions) -> Result<Self> {
        options.validate()?;
        let most = backend.max_connections().unwrap_or(u32::MAX).max(1);
        let limit = options.capacity().min(most);
        let shared = Shared {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            ledger: Ledger::new(options.pool_size, limit),
            shelf: slots::shelf(limit),
            last_failure: Mutex::new(None),
            backend,
            options,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Takes a connection, within the pool's time-out.
    ///
    /// While the server refuses connections for the moment (it starts up, it has too many), it is
    /// asked again after pauses of 100 ms to 1 s until the time is over.
    ///
    /// # Errors
    /// `PoolTimeout` if none was free in time, `Connect` if none could be opened, `PoolClosed`
    /// after [`dispose`](Self::dispose), `NestedCheckout` if this thread holds one already.
    #[track_caller]
    pub fn get(&self) -> Result<Pooled> {
        self.get_within(self.shared.options.timeout)
    }

    /// Takes a connection, within `timeout`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_within(&self, timeout: Duration) -> Result<Pooled> {
        self.get_patiently(timeout, timeout)
    }

    /// Takes a connection, within `timeout`; a server that cannot be reached is tried again for
    /// `patience` only. One that answers that it starts up, or has too many connections, is asked
    /// until the time is over.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_patiently(&self, timeout: Duration, patience: Duration) -> Result<Pooled> {
        let mark = Mark::set(self.shared.id, Location::caller())?;
        let clock = Clock::start(timeout, patience);
        let permit = self.shared.permit(&clock)?;
        let slot = self.shared.filled_slot(&clock)?;
        Ok(Pooled::new(slot, permit, mark))
    }

    /// Closes the idle connections and turns away everybody who waits or comes; connections on
    /// loan are closed when they come back.
    pub fn dispose(&self) {
        self.shared.ledger.close();
        self.shared.clear_shelf();
    }

    /// The counts of this moment.
    pub fn stats(&self) -> PoolStats {
        self.shared.ledger.stats()
    }

    /// How many connections may be open: `pool_size + max_overflow`, or less where the database
    /// has such a limit.
    pub fn capacity(&self) -> u32 {
        self.shared.shelf.max_size()
    }

    /// The options it was made with.
    pub fn options(&self) -> &PoolOptions {
        &self.shared.options
    }
}

impl fmt::Debug for QueuePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuePool")
            .field("database", &self.shared.backend.describe())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// The time that a check-out has.
struct Clock {
    timeout: Duration,
    deadline: Instant,
    /// Until then a server that cannot be reached is tried again.
    patience: Instant,
}

impl Clock {
    fn start(timeout: Duration, patience: Duration) -> Self {
        let now = Instant::now();
        // A day stands for a time that no clock can hold.
        let after = |time| now.checked_add(time).unwrap_or(now + Duration::from_hours(24));
        Self { timeout, deadline: after(timeout), patience: after(patience) }
    }

    /// Whether there is time for another attempt to connect after a pause.
    fn allows_another(&self, error: &Error, pause: Duration) -> bool {
        let end = if error.is_disconnect() { self.patience } else { self.deadline };
        error.is_transient() && end.min(self.deadline) > Instant::now() + pause
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Shared {
    fn permit(self: &Arc<Self>, clock: &Clock) -> Result<Permit> {
        self.ledger.take(clock.deadline).map_err(|reason| match reason {
            NoPermit::Closed => closed(),
            NoPermit::TimedOut(stats) => self.timed_out(clock, stats),
        })?;
        Ok(Permit { shared: Arc::clone(self) })
    }

    /// A slot with a connection in it. Only for the holder of a permit.
    fn filled_slot(&self, clock: &Clock) -> Result<r2d2::PooledConnection<Slots>> {
        let mut backoff = Backoff::new();
        loop {
            let mut slot = self.slot(clock)?;
            if !slot.is_empty() {
                self.ledger.unshelved();
                if self.is_fit(&mut slot, clock) {
                    return Ok(slot);
                }
                self.discard(&mut slot);
            }
            if self.ledger.is_closed() {
                return Err(closed());
            }
            let error = match self.connect(clock) {
                Ok(connection) => {
                    slot.fill(connection);
                    return Ok(slot);
                }
                Err(error) => error,
            };
            let pause = backoff.pause();
            if !clock.allows_another(&error, pause) {
                return Err(error);
            }
            // A connection that comes back meanwhile ends the pause, and is taken in place of the
            // empty slot.
            self.ledger.pause(Instant::now() + pause);
        }
    }

    /// A slot, with a connection in it if one is idle.
    fn slot(&self, clock: &Clock) -> Result<r2d2::PooledConnection<Slots>> {
        let slot = self.any_slot(clock)?;
        if !slot.is_empty() || !self.ledger.has_idle() {
            return Ok(slot);
        }
        // An empty slot that was made for somebody who then found a full one lies on top of it.
        // ORDER: it is thrown away before the next is taken, so that nobody misses its room.
        drop(slot);
        self.any_slot(clock)
    }

    fn any_slot(&self, clock: &Clock) -> Result<r2d2::PooledConnection<Slots>> {
        loop {
            // The holder of a permit always finds a slot, or room for one that is made in a
            // moment. In pieces all the same: r2d2 wakes nobody when a slot is thrown away.
            if let Ok(slot) = self.shelf.get_timeout(SLOT_WAIT) {
                return Ok(slot);
            }
            if self.ledger.is_closed() {
                return Err(closed());
            }
            if clock.left().is_zero() {
                return Err(self.timed_out(clock, self.ledger.stats()));
            }
        }
    }

    /// Whether a kept connection can be handed out: not broken, not too old, and alive if it is to
    /// be asked.
    fn is_fit(&self, slot: &mut Slot, clock: &Clock) -> bool {
        let too_old = |age: Duration| slot.opened.is_none_or(|opened| opened.elapsed() >= age);
        if slot.connection.is_broken() || self.options.recycle.is_some_and(too_old) {
            return false;
        }
        let deadline = clock.deadline.min(Instant::now() + PING_TIMEOUT);
        !self.options.pre_ping || contained(|| slot.connection.ping(deadline).is_ok())
    }

    fn connect(&self, clock: &Clock) -> Result<Box<dyn Connection>> {
        let now = Instant::now();
        let end = now.checked_add(self.options.connect_timeout).unwrap_or(clock.deadline);
        match self.backend.connect(clock.deadline.min(end)) {
            Ok(connection) => {
                self.ledger.opened();
                *self.last_failure.lock() = None;
                Ok(connection)
            }
            Err(error) => {
                *self.last_failure.lock() = Some(error.without_source());
                Err(error)
            }
        }
    }

    /// Closes the connection in `slot`, if there is one.
    pub(super) fn discard(&self, slot: &mut Slot) {
        if let Some(connection) = slot.empty() {
            drop(connection);
            self.ledger.closed();
        }
    }

    /// The last step of a return: the slot is on the shelf, or thrown away.
    pub(super) fn returned(&self) {
        self.ledger.shelved();
        self.ledger.give_back();
        if self.ledger.is_closed() {
            // It may have been put on the shelf after `dispose` had looked there.
            self.clear_shelf();
        }
    }

    fn clear_shelf(&self) {
        while let Some(mut slot) = self.shelf.try_get() {
            if !slot.is_empty() {
                self.ledger.unshelved();
                self.discard(&mut slot);
            }
        }
    }

    fn timed_out(&self, clock: &Clock, stats: PoolStats) -> Error {
        let message = format!("no connection within {:?}: {stats}", clock.timeout);
        match self.last_failure.lock().as_ref() {
            None => Error::new(ErrorKind::PoolTimeout, message)
                .with_hint("raise pool_size or timeout, or hold connections for a shorter time"),
            Some(failure) => {
                let message = format!("{message}; the last attempt to connect failed: {failure}");
                Error::new(ErrorKind::PoolTimeout, message).with_source(failure.without_source())
            }
        }
    }
}

/// What `ask` says; no if it panics. A connection that panics is not to be trusted, and a panic
/// here would put it back on the shelf.
pub(super) fn contained(ask: impl FnOnce() -> bool) -> bool {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or(false)
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A helper thread of r2d2 may hold the shelf a moment longer; nothing stays open for it.
        self.clear_shelf();
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::PoolClosed, "the pool was disposed of")
}
