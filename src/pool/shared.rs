//! What a pool and its connections on loan have in common.

use super::budget::Member;
use super::detached::Detached;
use super::events::{CloseReason, PoolEvent, PoolName};
use super::failure::contained;
use super::hooks::PoolHooks;
use super::ledger::{Ledger, Seat, Terms};
use super::link::Link;
use super::slot::{self, Shelf, Taken};
use super::verdict::Judge;
use super::voice::Voice;
use crate::backend::Backend;
use crate::config::{Overflow, PoolKind, PoolOptions};
use crate::error::{Error, ErrorKind, Result};
use parking_lot::{Mutex, ReentrantMutex};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// What a pool and its connections on loan have in common.
pub(super) struct Shared {
    pub(super) id: u64,
    pub(super) voice: Arc<Voice>,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) options: PoolOptions,
    pub(super) hooks: PoolHooks,
    pub(super) ledger: &'static Ledger,
    pub(super) judge: Arc<Judge>,
    shelf: Mutex<Shelf>,
    /// `pool_size` and `max_overflow` as they are now.
    sizes: Mutex<(u32, Overflow)>,
    /// Held by who tends the pool: two who fill it up at once would open one too many.
    pub(super) tending: ReentrantMutex<()>,
    /// Whether the first connection was made ready.
    pub(super) is_initialized: AtomicBool,
}

impl Shared {
    pub(super) fn new(backend: Arc<dyn Backend>, options: PoolOptions, hooks: PoolHooks) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let limit = limit_of(&*backend, &options);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = PoolName { id, database: backend.describe() };
        Self {
            id,
            voice: Arc::new(Voice::new(name, hooks.listeners.clone())),
            ledger: Ledger::open(id, Terms::new(&options, limit), hooks.clock.clone()),
            judge: Arc::new(Judge::new(hooks.classify.clone())),
            shelf: Mutex::new(slot::shelf(limit)),
            sizes: Mutex::new((options.pool_size, options.max_overflow)),
            tending: ReentrantMutex::new(()),
            is_initialized: AtomicBool::new(false),
            backend,
            options,
            hooks,
        }
    }

    /// The options with the sizes as they are now.
    pub(super) fn options_now(&self) -> PoolOptions {
        let (pool_size, max_overflow) = *self.sizes.lock();
        PoolOptions { pool_size, max_overflow, ..self.options.clone() }
    }

    /// Where slots are taken from.
    pub(super) fn shelf(&self) -> Shelf {
        self.shelf.lock().clone()
    }

    /// Has other sizes from now on.
    pub(super) fn resize(&self, pool_size: u32, max_overflow: Overflow) -> Result<()> {
        let options = PoolOptions { pool_size, max_overflow, ..self.options.clone() };
        if options.kind == PoolKind::Assertion {
            return Err(Error::new(ErrorKind::Config, "an assertion pool lends one at a time"));
        }
        options.validate()?;
        let limit = limit_of(&*self.backend, &options);
        let mut sizes = self.sizes.lock();
        if limit > self.ledger.terms().limit {
            // ORDER: before there are more seats. The slots that are out go back to the shelf they
            // came from, which goes with the last of them.
            *self.shelf.lock() = slot::shelf(limit);
        }
        *sizes = (pool_size, max_overflow);
        let surplus = self.ledger.resize(Terms::new(&options, limit));
        drop(sizes);
        for (seat, slot) in surplus {
            self.close_idle(seat, slot, CloseReason::Surplus);
        }
        self.tell_counts();
        Ok(())
    }

    /// Tells those who listen how many there are of all.
    pub(super) fn tell_counts(&self) {
        if self.is_heard() {
            self.emit(&PoolEvent::Counts { stats: &self.ledger.stats() });
        }
    }

    /// Whether anybody listens.
    pub(super) fn is_heard(&self) -> bool {
        self.voice.is_heard()
    }

    /// When a loan begins or ends: exactly, where somebody listens who wants to know how long it was.
    pub(super) fn moment(&self) -> Instant {
        let clock = &self.hooks.clock;
        if self.is_heard() { clock.now() } else { clock.about() }
    }

    /// Tells those who listen.
    pub(super) fn emit(&self, event: &PoolEvent<'_>) {
        self.voice.emit(event);
    }

    /// Closes a connection. Its slot and its seat are still taken.
    pub(super) fn close(&self, link: Box<Link>, reason: CloseReason) {
        let (connection, opened) = (link.id(), link.opened);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(link)));
        self.ledger.closed(Some(reason));
        let age = self.hooks.clock.now().saturating_duration_since(opened);
        self.emit(&PoolEvent::Close { connection, reason, age });
    }

    /// Closes what sleeps in a slot, and gives the seat back.
    pub(super) fn close_idle(&self, seat: Seat, mut slot: Taken, reason: CloseReason) {
        if let Some(link) = slot.link.take() {
            self.close(link, reason);
        }
        // ORDER: the slot before the seat, so that whoever gets the seat finds a slot.
        drop(slot);
        self.ledger.release(seat);
    }

    /// Closes everything that sleeps.
    pub(super) fn close_all_idle(&self, reason: CloseReason) {
        for (seat, slot) in self.ledger.take_idle(0, |_| true) {
            self.close_idle(seat, slot, reason);
        }
    }

    /// What the loss of a connection means for the others.
    pub(super) fn mourn(&self, link: &mut Link) {
        if let Some(cause) = &link.lost
            && std::mem::take(&mut link.has_news)
        {
            self.ledger.doubt();
            self.emit(&PoolEvent::InvalidateAll { cause: Some(cause) });
        }
    }

    /// Runs a hook of the user; a panic of it is an error.
    pub(super) fn run_hook<T>(
        &self,
        hook: &'static str,
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let result = contained(hook, run);
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Panic) {
            self.emit(&PoolEvent::HookPanicked { hook });
        }
        result
    }

    /// Gives up all connections that were opened so far.
    pub(super) fn give_up_all(&self) {
        self.judge.give_up_all();
        self.emit(&PoolEvent::InvalidateAll { cause: None });
        for (seat, slot) in self.ledger.take_idle(0, Link::is_outdated) {
            self.close_idle(seat, slot, CloseReason::Invalidated);
        }
    }

    /// Takes a connection out of the accounting.
    pub(super) fn detach(&self, mut link: Box<Link>, seat: Seat) -> Detached {
        link.unit = None;
        self.ledger.closed(None);
        let label = if self.is_heard() { self.ledger.label(seat) } else { None };
        self.emit(&PoolEvent::Detach { connection: link.id(), label: label.as_deref() });
        Detached::new(link, Arc::clone(&self.voice))
    }
}

/// How many connections may be open.
fn limit_of(backend: &dyn Backend, options: &PoolOptions) -> u32 {
    options.capacity().min(backend.max_connections().unwrap_or(u32::MAX).max(1))
}

impl Member for Shared {
    fn id(&self) -> u64 {
        self.id
    }

    fn close_one_idle(&self) -> bool {
        let mut is_first = true;
        let least = self.ledger.terms().min_idle;
        let taken = self.ledger.take_idle(least, |_| std::mem::take(&mut is_first));
        let found = !taken.is_empty();
        for (seat, slot) in taken {
            self.close_idle(seat, slot, CloseReason::Budget);
        }
        found
    }

    fn wake(&self) {
        self.ledger.nudge();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.id).finish()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // What sleeps is gone by now, for it would hold this.
        self.ledger.leave();
    }
}
