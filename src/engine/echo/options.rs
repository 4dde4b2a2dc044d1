//! Where statements are told, which ones, and how much of them.

use super::backend::EchoBackend;
use super::event::StatementEvent;
use crate::backend::Backend;
use crate::trace;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

type Sink = dyn Fn(&StatementEvent<'_>) + Send + Sync;

/// What an engine tells of its statements, and whom.
#[derive(Clone, Default)]
pub(in crate::engine) struct EchoOptions {
    sink: Option<Arc<Sink>>,
    /// Only what takes so long is told.
    threshold: Duration,
    shows_parameters: bool,
}

impl EchoOptions {
    pub(in crate::engine) fn to(&mut self, sink: Arc<Sink>) {
        self.sink = Some(sink);
    }

    pub(in crate::engine) fn slower_than(&mut self, threshold: Duration) {
        self.threshold = threshold;
    }

    pub(in crate::engine) fn show_parameters(&mut self) {
        self.shows_parameters = true;
    }

    pub(super) fn shows_parameters(&self) -> bool {
        self.shows_parameters
    }

    /// Whether a statement that took `time` is told.
    pub(super) fn wants(&self, time: Duration) -> bool {
        self.sink.is_some() && time >= self.threshold
    }

    pub(super) fn tell(&self, event: &StatementEvent<'_>) {
        if let Some(sink) = &self.sink {
            sink(event);
        }
    }

    /// `backend` with an echo; `backend` itself where nobody listens.
    pub(in crate::engine) fn around(self, backend: Arc<dyn Backend>) -> Arc<dyn Backend> {
        if self.sink.is_none() && !trace::IS_BUILT_IN {
            return backend;
        }
        Arc::new(EchoBackend::new(backend, self))
    }
}

impl fmt::Debug for EchoOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EchoOptions")
            .field("is_on", &self.sink.is_some())
            .field("threshold", &self.threshold)
            .field("shows_parameters", &self.shows_parameters)
            .finish()
    }
}
