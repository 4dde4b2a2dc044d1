//! Spans and events for whoever installed a subscriber of `tracing`.
//!
//! This is the only place that knows `tracing`. Without the cargo feature of that name a [`Span`]
//! is nothing, and every call here is gone after compilation.
//!
//! | span | level | fields |
//! |---|---|---|
//! | `run` | info | `job`, `error` |
//! | `batch` | debug | `phase`, `number`, `attempts`, `error` |
//! | `check_out` | debug | `error` |
//! | `statement` | debug | `kind`, `sql`, `rows`, `error` |
//!
//! No field has a parameter of a statement, the value of a row or a password. `error` is an
//! [`Error`], which has none either.

use crate::error::Error;

/// Whether there is anything to be told.
pub(crate) const IS_BUILT_IN: bool = cfg!(feature = "tracing");

/// A span; clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    inner: tracing::Span,
}

/// Makes a span by a macro of `tracing`; the arguments count as used without it too.
macro_rules! span {
    ($macro:ident, $($argument:expr),* => $($fields:tt)*) => {{
        #[cfg(feature = "tracing")]
        let made = Span { inner: tracing::$macro!($($fields)*) };
        #[cfg(not(feature = "tracing"))]
        let made = {
            let _ = ($($argument,)*);
            Span {}
        };
        made
    }};
}

/// A run of a job.
pub(crate) fn run(job: &str) -> Span {
    span!(info_span, job => "run", job, error = tracing::field::Empty)
}

/// A check-out from a pool.
pub(crate) fn check_out() -> Span {
    span!(debug_span, => "check_out", error = tracing::field::Empty)
}

/// A statement on a connection.
pub(crate) fn statement(kind: &'static str, sql: &str) -> Span {
    span!(debug_span, kind, sql => "statement", kind, sql, rows = tracing::field::Empty,
        error = tracing::field::Empty)
}

/// Something that a person should know of, though the work goes on.
pub(crate) fn warn(what: impl std::fmt::Display) {
    #[cfg(feature = "tracing")]
    tracing::warn!("{what}");
    #[cfg(not(feature = "tracing"))]
    let _ = what;
}

/// What only somebody who looks for it wants to know.
pub(crate) fn debug(what: impl std::fmt::Display) {
    #[cfg(feature = "tracing")]
    tracing::debug!("{what}");
    #[cfg(not(feature = "tracing"))]
    let _ = what;
}

#[cfg_attr(
    not(feature = "tracing"),
    expect(clippy::unused_self, reason = "without the feature there is nothing in a span")
)]
impl Span {
    /// A batch within this run, or another unit of it.
    pub(crate) fn batch(&self, phase: &'static str, number: u32) -> Self {
        #[cfg(feature = "tracing")]
        let parent = &self.inner;
        span!(debug_span, phase, number => parent: parent, "batch", phase, number,
            error = tracing::field::Empty)
    }

    /// Does `work` inside of the span.
    pub(crate) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        return self.inner.in_scope(work);
        #[cfg(not(feature = "tracing"))]
        work()
    }

    /// Notes how it ended.
    pub(crate) fn ended(&self, rows: Option<u64>, error: Option<&Error>) {
        #[cfg(feature = "tracing")]
        {
            if let Some(rows) = rows {
                self.inner.record("rows", rows);
            }
            if let Some(error) = error {
                self.inner.record("error", tracing::field::display(error));
            }
        }
        #[cfg(not(feature = "tracing"))]
        let _ = (rows, error);
    }
}
