//! The errors of a pool.

use super::holder::Holder;
use super::stats::PoolStats;
use crate::error::{Error, ErrorKind};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::time::Duration;

/// What the counts and the holders were when somebody got no connection.
#[derive(Debug)]
pub(super) struct Shortage {
    pub(super) stats: PoolStats,
    pub(super) holders: Vec<Holder>,
    /// The last failure to connect, if none succeeded since.
    pub(super) failure: Option<Error>,
}

/// More holders than this are not named.
pub(super) const NAMED_HOLDERS: usize = 8;

impl Shortage {
    /// The error of one who waited for `waited` in vain.
    pub(super) fn timed_out(self, waited: Duration) -> Error {
        self.error(ErrorKind::PoolTimeout, format!("no connection within {waited:?}"))
    }

    /// The error of one who waited for `waited` in vain for the other pools of a budget.
    pub(super) fn beyond(self, budget: u32, waited: Duration) -> Error {
        let message =
            format!("no connection within {waited:?}: all {budget} of the budget are open");
        self.error(ErrorKind::PoolTimeout, message)
    }

    /// The error of one who was not let into the line.
    pub(super) fn full(self) -> Error {
        let message = "no connection is free and the line is full".to_owned();
        self.error(ErrorKind::PoolFull, message)
    }

    /// The error of one who asked an assertion pool for a second connection.
    pub(super) fn second(self, at: &Location<'_>) -> Error {
        let first = self.holders.first().map(ToString::to_string).unwrap_or_default();
        let message = format!("a second connection was asked for at {at}; the first: {first}");
        Error::new(ErrorKind::PoolFull, message)
            .with_hint("an assertion pool lends one at a time; give the first back before")
    }

    fn error(self, kind: ErrorKind, mut message: String) -> Error {
        let _ = write!(message, ": {}", self.stats);
        for (number, holder) in self.holders.iter().take(NAMED_HOLDERS).enumerate() {
            let _ = write!(message, "{} {holder}", if number == 0 { "; held by" } else { "," });
        }
        if let Some(more) = self.holders.len().checked_sub(NAMED_HOLDERS).filter(|more| *more > 0) {
            let _ = write!(message, " and {more} more");
        }
        let Some(failure) = self.failure else {
            let hint = "raise pool_size or timeout, or hold connections for a shorter time";
            return Error::new(kind, message).with_hint(hint);
        };
        let _ = write!(message, "; the last attempt to connect failed: {}", failure.message());
        let mut error = Error::new(kind, message);
        if let Some(state) = failure.sqlstate() {
            error = error.with_sqlstate(state);
        }
        match failure.hint() {
            Some(hint) => error.with_hint(hint).with_source(failure.without_source()),
            None => error.with_source(failure.without_source()),
        }
    }
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::PoolClosed, "the pool was disposed of")
}

pub(super) fn nested(first: &Location<'_>, second: &Location<'_>, most: u32) -> Error {
    let one_more = if most == 1 { "a second connection" } else { "one connection more" };
    let message = format!(
        "this thread asked at {second} for {one_more} of a pool: it holds one taken at {first}"
    );
    Error::new(ErrorKind::NestedCheckout, message)
        .with_hint("give the first back before, or pass it on")
}

/// What `ask` says; an error if it panics. A connection that panics is not to be trusted, and a
/// panic here would put it back among the others.
#[inline]
pub(super) fn contained<T>(
    what: &str,
    ask: impl FnOnce() -> crate::error::Result<T>,
) -> crate::error::Result<T> {
    catch_unwind(AssertUnwindSafe(ask))
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, format!("{what} panicked"))))
}
