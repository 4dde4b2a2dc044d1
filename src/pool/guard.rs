//! A connection on loan.

use super::check_in::Return;
use super::detached::Detached;
use super::events::{CloseReason, PoolEvent};
use super::ledger::Seat;
use super::link::Link;
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
    slot: Option<Taken>,
    place: SeatGuard,
}

impl Pooled {
    pub(super) fn new(link: Box<Link>, slot: Taken, place: SeatGuard) -> Self {
        Self { connection: Watched { link: Some(link) }, slot: Some(slot), place }
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
        let shared = &self.place.shared;
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
        if let Some(link) = &mut self.connection.link {
            link.is_doubtful = true;
            let event = PoolEvent::SoftInvalidate { connection: link.id(), cause: None };
            self.place.shared.emit(&event);
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
        let shared = Arc::clone(&self.place.shared);
        let now = shared.hooks.clock.now();
        if let Err(error) = shared.clean(&mut link, self.place.seat, now, true) {
            shared.close(link, CloseReason::Unclean);
            return Err(error);
        }
        Ok(shared.detach(link, self.place.seat))
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        let link = self.connection.link.take();
        self.place.is_returned = true;
        self.place.shared.check_in(Return { link, slot, seat: self.place.seat });
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
    /// Whether it was given back already.
    pub(super) is_returned: bool,
}

impl Drop for SeatGuard {
    fn drop(&mut self) {
        if !self.is_returned {
            self.shared.ledger.release(self.seat);
        }
    }
}
