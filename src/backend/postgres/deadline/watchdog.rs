//! The one thread that ends what takes too long.
//!
//! Whoever calls the driver waits inside of it, so the deadline of a statement is kept from
//! outside: first the server is asked to cancel it, and if that does not help within [`GRACE`] the
//! connection is severed. The thread starts with the first deadline and ends when there was none
//! for a while.

use super::interrupt::Interrupter;
use crate::backend::postgres::wire::state::Wire;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What the server gets to end a statement that is to be cancelled.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// How long the thread stays with nothing to do.
const IDLE: Duration = Duration::from_secs(10);

type Key = (Instant, u64);

struct Watched {
    wire: Arc<Wire>,
    deed: Deed,
    rung: Arc<AtomicU8>,
}

/// What is done when the time is up.
enum Deed {
    Cancel(Arc<Interrupter>),
    Sever,
    /// What never blocks.
    Call(Box<dyn FnOnce() + Send>),
}

struct State {
    watched: BTreeMap<Key, Watched>,
    number: u64,
    is_running: bool,
}

static STATE: Mutex<State> =
    Mutex::new(State { watched: BTreeMap::new(), number: 0, is_running: false });
static CHANGED: Condvar = Condvar::new();

/// What the watchdog had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rung {
    Never,
    Cancelled,
    Severed,
}

const CANCELLED: u8 = 1;
const SEVERED: u8 = 2;

/// A deadline; dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Alarm {
    key: Key,
    rung: Arc<AtomicU8>,
}

/// Has the connection cut at `due`.
pub(crate) fn sever_at(due: Instant, wire: &Arc<Wire>) -> Alarm {
    watch(due, wire, Deed::Sever)
}

/// Has the statement cancelled at `due`, and the connection cut [`GRACE`] later.
pub(crate) fn cancel_at(due: Instant, wire: &Arc<Wire>, who: &Arc<Interrupter>) -> Alarm {
    watch(due, wire, Deed::Cancel(Arc::clone(who)))
}

/// Has `call` called at `due`, which must not block.
pub(crate) fn call_at(due: Instant, wire: &Arc<Wire>, call: Box<dyn FnOnce() + Send>) -> Alarm {
    watch(due, wire, Deed::Call(call))
}

fn watch(due: Instant, wire: &Arc<Wire>, deed: Deed) -> Alarm {
    let rung = Arc::new(AtomicU8::new(0));
    let mut state = STATE.lock();
    state.number += 1;
    let key = (due, state.number);
    let is_next = state.watched.first_key_value().is_none_or(|(next, _)| key < *next);
    let watched = Watched { wire: Arc::clone(wire), deed, rung: Arc::clone(&rung) };
    state.watched.insert(key, watched);
    if !state.is_running {
        // Without the thread the deadline is the server's own; the next one tries again.
        state.is_running =
            thread::Builder::new().name("rowmill-watchdog".into()).spawn(work).is_ok();
    } else if is_next {
        CHANGED.notify_one();
    }
    Alarm { key, rung }
}

impl Alarm {
    /// Ends the watch and says what was done.
    pub(crate) fn stop(self) -> Rung {
        self.end();
        match self.rung.load(Ordering::Acquire) {
            CANCELLED => Rung::Cancelled,
            SEVERED => Rung::Severed,
            _ => Rung::Never,
        }
    }

    fn end(&self) {
        let (due, number) = self.key;
        let mut state = STATE.lock();
        if state.watched.remove(&self.key).is_none() {
            state.watched.remove(&(due + GRACE, number));
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.end();
    }
}

fn work() {
    let mut state = STATE.lock();
    loop {
        let Some((&(due, _), _)) = state.watched.first_key_value() else {
            if CHANGED.wait_for(&mut state, IDLE).timed_out() && state.watched.is_empty() {
                state.is_running = false;
                return;
            }
            continue;
        };
        if due > Instant::now() {
            CHANGED.wait_until(&mut state, due);
        } else if let Some((key, watched)) = state.watched.pop_first() {
            // The lock is held: once a watch has ended, nothing rings. No deed blocks.
            ring(&mut state, key, watched);
        }
    }
}

fn ring(state: &mut State, (due, number): Key, mut watched: Watched) {
    match std::mem::replace(&mut watched.deed, Deed::Sever) {
        Deed::Cancel(interrupter) => {
            watched.rung.store(CANCELLED, Ordering::Release);
            interrupter.cancel_now();
            state.watched.insert((due + GRACE, number), watched);
        }
        Deed::Sever => {
            watched.rung.store(SEVERED, Ordering::Release);
            watched.wire.sever();
        }
        Deed::Call(call) => call(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_is_severed_at_its_deadline_and_not_once_the_watch_has_ended() {
        let (late, early) = (Arc::new(Wire::default()), Arc::new(Wire::default()));
        let kept = sever_at(Instant::now() + Duration::from_millis(20), &late);
        let ended = sever_at(Instant::now() + Duration::from_millis(10), &early);
        assert_eq!(ended.stop(), Rung::Never);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !late.is_severed() {
            assert!(Instant::now() < deadline, "never severed");
            thread::yield_now();
        }
        assert_eq!(kept.stop(), Rung::Severed);
        assert!(!early.is_severed());
    }
}
