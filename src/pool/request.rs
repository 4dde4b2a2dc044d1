//! What a borrower asks for.

use crate::error::Error;
use std::borrow::Cow;
use std::panic::Location;
use std::time::{Duration, Instant};

/// What a connection is taken for.
pub(super) type Label = Cow<'static, str>;

/// What a borrower asks for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) timeout: Duration,
    /// For so long a server that cannot be reached is tried again.
    pub(super) patience: Duration,
    pub(super) label: Option<Label>,
    pub(super) place: &'static Location<'static>,
}

/// The time that a request has, from its beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    patience: Instant,
}

impl Request {
    /// Starts the time of the request.
    pub(super) fn start(&self) -> Allowance {
        let since = Instant::now();
        // A day stands for a time that no clock can hold.
        let after = |time| since.checked_add(time).unwrap_or(since + Duration::from_hours(24));
        Allowance { since, deadline: after(self.timeout), patience: after(self.patience) }
    }
}

impl Allowance {
    /// Until when it is worth while to wait for a server that failed like this.
    pub(super) fn end(&self, failure: Option<&Error>) -> Instant {
        match failure.is_some_and(Error::is_disconnect) {
            true => self.patience.min(self.deadline),
            false => self.deadline,
        }
    }

    pub(super) fn waited(&self) -> Duration {
        self.since.elapsed()
    }
}
