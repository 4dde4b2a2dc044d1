//! Closing a connection while somebody waits for its seat.

use super::events::CloseReason;
use super::guard::SeatGuard;
use super::link::Link;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

/// A connection that is to be closed, with the seat it still takes.
pub(super) struct Burial {
    link: Option<Box<Link>>,
    reason: CloseReason,
    place: Option<SeatGuard>,
}

impl Burial {
    pub(super) fn new(link: Box<Link>, reason: CloseReason, place: SeatGuard) -> Self {
        Self { link: Some(link), reason, place: Some(place) }
    }

    /// Closes it on a thread of its own and gives the seat back to the caller; `None` if that
    /// lasts beyond `deadline`. The seat is then free when the connection is closed.
    pub(super) fn wait(mut self, deadline: Instant) -> Option<SeatGuard> {
        let (sender, receiver) = mpsc::channel();
        let close = move || {
            self.close();
            // If nobody waits for it any more, dropping it gives the seat back.
            let _ = sender.send(self.place.take());
        };
        thread::Builder::new().name("rowmill-close".to_owned()).spawn(close).ok()?;
        let left = deadline.saturating_duration_since(Instant::now());
        receiver.recv_timeout(left).ok().flatten()
    }

    fn close(&mut self) {
        if let (Some(link), Some(place)) = (self.link.take(), &self.place) {
            place.shared.close(link, self.reason);
        }
    }
}

impl Drop for Burial {
    fn drop(&mut self) {
        self.close();
    }
}
