//! Which errors say that a connection was lost, and what follows for the others.

use super::hooks::Classify;
use crate::error::Error;
use parking_lot::Mutex;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a classifier of the user says of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What rowmill makes of it.
    AsItIs,
    /// The connection was lost, and those that are older are not to be trusted.
    Lost,
    /// The connection was not lost.
    Kept,
}

/// Tells lost connections from others, and counts the generations of connections.
pub(super) struct Judge {
    generation: AtomicU64,
    classify: Option<Arc<Classify>>,
    /// Why all connections up to a generation were cut.
    reason: Mutex<Option<(u64, String)>>,
}

impl Judge {
    pub(super) fn new(classify: Option<Arc<Classify>>) -> Self {
        Self { generation: AtomicU64::new(0), classify, reason: Mutex::default() }
    }

    /// The generation of what is opened now.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether `error` says that the connection was lost. A classifier that panics has no opinion.
    pub(super) fn is_lost(&self, error: &Error, in_ping: bool) -> bool {
        let ask = |classify: &Arc<Classify>| {
            catch_unwind(AssertUnwindSafe(|| classify(error, in_ping))).unwrap_or(Verdict::AsItIs)
        };
        match self.classify.as_ref().map_or(Verdict::AsItIs, ask) {
            Verdict::AsItIs => error.is_disconnect(),
            Verdict::Lost => true,
            Verdict::Kept => false,
        }
    }

    /// One of `generation` was lost: gives up all that are as old or older. Says whether that is
    /// news; of many that are lost at once, only the first is.
    pub(super) fn give_up(&self, generation: u64) -> bool {
        self.generation
            .compare_exchange(generation, generation + 1, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// All that were opened so far are going to be cut, for this reason.
    pub(super) fn set_reason(&self, reason: String) {
        *self.reason.lock() = Some((self.generation(), reason));
    }

    /// Adds why to the error of one of `generation` that was cut.
    pub(super) fn explain(&self, generation: u64, error: Error) -> Error {
        if !error.is_disconnect() {
            return error;
        }
        match &*self.reason.lock() {
            Some((last, reason)) if generation <= *last => error.with_hint(reason.clone()),
            _ => error,
        }
    }

    /// Gives up all that were opened so far.
    pub(super) fn give_up_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Judge").field(&self.generation()).finish()
    }
}
