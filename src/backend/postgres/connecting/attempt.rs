//! Work on a thread that can be abandoned.

use super::{refusal, remaining};
use crate::backend::postgres::errors::code;
use crate::backend::postgres::wire::state::Wire;
use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

const MAX_ATTEMPTS: usize = 64;

static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

/// Runs `work` on a thread of its own and waits for it until the deadline; then `wires` are cut.
pub(super) fn attempt<T: Send + 'static>(
    deadline: Instant,
    wires: &Wires,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let slot = Slot::take()?;
    let (sender, receiver) = sync_channel(1);
    let run = move || {
        let _slot = slot;
        let outcome = catch_unwind(AssertUnwindSafe(work));
        // Nobody listens any more after the deadline; what was opened is closed by its drop.
        let _ = sender.send(outcome.unwrap_or_else(|_| Err(refusal::out_of_descriptors())));
    };
    thread::Builder::new().name("rowmill-connect".into()).spawn(run).map_err(|error| {
        Error::new(ErrorKind::Connect, "no thread could be started to connect").with_source(error)
    })?;
    receiver.recv_timeout(remaining(deadline)).unwrap_or_else(|_| {
        wires.sever();
        Err(Error::new(ErrorKind::Connect, "no answer in time").with_sqlstate(code("08001")))
    })
}

/// The right to run an attempt.
struct Slot;

impl Slot {
    fn take() -> Result<Self> {
        if ATTEMPTS.fetch_add(1, Ordering::AcqRel) < MAX_ATTEMPTS {
            return Ok(Self);
        }
        ATTEMPTS.fetch_sub(1, Ordering::AcqRel);
        let message = format!("{MAX_ATTEMPTS} attempts to connect are still without an answer");
        Err(Error::new(ErrorKind::Connect, message).with_sqlstate(code("08001")))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        ATTEMPTS.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The connections of one attempt.
#[derive(Debug, Default)]
pub(super) struct Wires(Mutex<Cut>);

#[derive(Debug, Default)]
struct Cut {
    wires: Vec<Arc<Wire>>,
    is_over: bool,
}

impl Wires {
    /// One for another connection; cut already if the attempt is over.
    pub(super) fn add(&self) -> Arc<Wire> {
        let wire = Arc::<Wire>::default();
        let mut cut = self.0.lock();
        if cut.is_over {
            wire.sever();
        }
        cut.wires.push(Arc::clone(&wire));
        wire
    }

    fn sever(&self) {
        let mut cut = self.0.lock();
        cut.is_over = true;
        for wire in cut.wires.drain(..) {
            wire.sever();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_opened_by_an_attempt_that_is_over_is_cut() {
        let wires = Wires::default();
        let before = wires.add();
        assert!(!before.is_severed());
        wires.sever();
        assert!(before.is_severed() && wires.add().is_severed());
    }
}
