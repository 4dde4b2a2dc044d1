//! A connection on loan.

use super::check_in::Return;
use super::detached::Detached;
use super::events::{CloseReason, PoolEvent};
use super::ledger::Seat;
use super::shared::Shared;
use super::slot::Taken;
use super::watched::Watched;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

/// A connection on loan from a pool; dropping it gives it back.
///
/// What its borrower left behind is taken away when it comes back. One that is broken, too old or
/// cannot be made clean, or that is dropped by a panic, is closed. It may be moved to another
/// thread; for the pool, its holder stays the thread that took it.
pub struct Pooled {
    connection: Watched,
    /// Nothing once it was given back.
    slot: Option<Taken>,
    seat: Seat,
}

/// What a check-out ends with: two words, which are handed on in registers.
pub(super) struct Lent {
    /// With a connection in it, and with a part of the pool.
    pub(super) slot: Taken,
    pub(super) seat: Seat,
}

impl Pooled {
    #[inline]
    pub(super) fn new(lent: Lent) -> Self {
        let Lent { mut slot, seat } = lent;
        Self { connection: Watched { link: slot.link.take() }, slot: Some(slot), seat }
    }

    fn home(&self) -> Option<&Arc<Shared>> {
        self.slot.as_ref()?.home.as_ref()
    }

    /// The number of the connection, which no other of this process had; `None` after
    /// [`invalidate`](Self::invalidate).
    pub fn id(&self) -> Option<u64> {
        self.connection.link.as_ref().map(|link| link.id())
    }

    /// When the connection was opened; `None` once it was given up.
    pub fn opened(&self) -> Option<Instant> {
        self.connection.link.as_ref().map(|link| link.opened)
    }

    /// Closes the connection now; every later call on it is a `Disconnect`. The pool opens
    /// another when one is needed.
    pub fn invalidate(&mut self) {
        self.give_up(None);
    }

    /// As [`invalidate`](Self::invalidate), because of `cause`. If that says that the connection
    /// was lost, those that were opened before it are not lent any more either.
    pub fn invalidate_for(&mut self, cause: &Error) {
        self.give_up(Some(cause));
    }

    fn give_up(&mut self, cause: Option<&Error>) {
        let Some(mut link) = self.connection.link.take() else { return };
        let Some(shared) = self.home() else { return };
        if let Some(cause) = cause {
            link.regard(cause);
        }
        shared.mourn(&mut link);
        let lost = link.lost.as_ref().map(Error::without_source);
        shared
            .emit(&PoolEvent::Invalidate { connection: link.id(), cause: cause.or(lost.as_ref()) });
        shared.close(link, CloseReason::Invalidated);
    }

    /// Lets the holder go on, and has the connection replaced before it is lent again.
    pub fn soft_invalidate(&mut self) {
        let Some(link) = &mut self.connection.link else { return };
        link.is_doubtful = true;
        let connection = link.id();
        if let Some(shared) = self.home() {
            shared.emit(&PoolEvent::SoftInvalidate { connection, cause: None });
        }
    }

    /// Takes the connection out of the pool, which may open another in its place. It belongs to
    /// the caller alone and is closed when it is dropped: for what must outlive a loan, such as a
    /// lock or a subscription.
    ///
    /// What the borrower did so far is reset before.
    ///
    /// # Errors
    /// `Disconnect` if it was given up before or is lost now; what the reset says.
    pub fn detach(mut self) -> Result<Detached> {
        let gone = || Error::new(ErrorKind::Disconnect, "this connection was given up");
        if self.connection.is_broken() {
            return Err(gone());
        }
        let mut link = self.connection.link.take().ok_or_else(gone)?;
        let shared = self.home().cloned().ok_or_else(gone)?;
        let now = shared.hooks.clock.now();
        if let Err(error) = shared.clean(&mut link, self.seat, now, true) {
            shared.close(link, CloseReason::Unclean);
            return Err(error);
        }
        Ok(shared.detach(link, self.seat))
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(mut slot) = self.slot.take() else { return };
        let link = self.connection.link.take();
        if let Some(home) = slot.home.take() {
            home.check_in(Return { link, slot, seat: self.seat });
        }
    }
}

impl Deref for Pooled {
    type Target = dyn Connection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

impl fmt::Debug for Pooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = self.connection.link.as_ref().map(|link| &link.connection);
        f.debug_tuple("Pooled").field(&connection).finish()
    }
}

/// A seat of a pool; dropping it gives it back.
pub(super) struct SeatGuard {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: Seat,
    /// Whether it was given back already, or lent.
    pub(super) is_returned: bool,
}

impl SeatGuard {
    #[inline]
    pub(super) fn new(shared: Arc<Shared>, seat: Seat) -> Self {
        Self { shared, seat, is_returned: false }
    }

    /// Lends it with a connection.
    pub(super) fn lend(mut self, mut slot: Taken) -> Lent {
        self.is_returned = true;
        slot.home.get_or_insert_with(|| Arc::clone(&self.shared));
        Lent { slot, seat: self.seat }
    }
}

impl Drop for SeatGuard {
    fn drop(&mut self) {
        if !self.is_returned {
            self.shared.ledger.release(self.seat);
        }
    }
}
