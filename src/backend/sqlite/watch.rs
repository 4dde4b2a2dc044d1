//! Ending a statement before it is through: asked for by another thread, or by its time limit.

use super::errors;
use super::gate::Gate;
use crate::backend::interrupt::Interrupt;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::SqlState;
use parking_lot::Mutex;
use rusqlite::{Connection, InterruptHandle};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After so many steps of a statement SQLite asks whether to go on: some ten microseconds.
const STEPS: i32 = 1_000;

/// What the statement that runs on a handle has to stop for.
pub(super) struct Watch {
    handle: InterruptHandle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts the connections that have used the handle: one in memory serves one after the other.
    holder: u64,
    running: bool,
    deadline: Option<Instant>,
    cancelled: bool,
    severed: bool,
}

impl State {
    fn is_over(&self) -> bool {
        let late = || self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.severed || self.cancelled || late()
    }
}

impl Watch {
    pub(super) fn new(sqlite: &Connection) -> Self {
        Self { handle: sqlite.get_interrupt_handle(), state: Mutex::default() }
    }

    /// Has SQLite ask during each statement whether to go on.
    pub(super) fn install(self: &Arc<Self>, sqlite: &mut Connection) -> Result<()> {
        let watch = Arc::clone(self);
        sqlite.progress_handler(STEPS, Some(move || watch.is_over())).map_err(errors::of)
    }

    /// Begins with a new connection: whoever can interrupt the one before has no power over it.
    pub(super) fn renew(&self) {
        let mut state = self.state.lock();
        *state = State { holder: state.holder + 1, ..State::default() };
    }

    /// Begins a statement that may take `timeout`.
    ///
    /// # Errors
    /// `Disconnect` if the connection was severed.
    pub(super) fn enter(&self, timeout: Option<Duration>) -> Result<()> {
        let mut state = self.state.lock();
        if state.severed {
            return Err(severed());
        }
        state.running = true;
        state.cancelled = false;
        state.deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Ok(())
    }

    /// Ends a statement, and says why it failed where the reason is here.
    pub(super) fn leave<T>(&self, outcome: Result<T>) -> Result<T> {
        let mut state = self.state.lock();
        let was_over = state.is_over();
        state.running = false;
        let deadline = state.deadline.take();
        let late = deadline.is_some() && !state.cancelled;
        outcome.map_err(|error| match error {
            error if state.severed => severed().with_source(error),
            error if was_over && was_ended(&error) => ended(late).with_source(error),
            error => error,
        })
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.lock().is_over()
    }

    pub(super) fn is_severed(&self) -> bool {
        self.state.lock().severed
    }

    /// When the statement that runs has to be through.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.state.lock().deadline
    }

    /// What another thread can end the statements of this connection with.
    pub(super) fn interrupter(self: &Arc<Self>, gate: &Arc<Gate>) -> Interrupter {
        let holder = self.state.lock().holder;
        Interrupter { watch: Arc::clone(self), gate: Arc::clone(gate), holder }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// Whether it was the watch that ended it: SQLite stopped, or a wait for a lock was given up.
fn was_ended(error: &Error) -> bool {
    let state = error.sqlstate();
    state == Some(SqlState::LOCK_NOT_AVAILABLE) || state == Some(errors::state("57014"))
}

fn ended(late: bool) -> Error {
    let (message, hint) = match late {
        true => ("the statement took longer than its time limit", "raise the limit"),
        false => ("the statement was cancelled by another thread", "run it again"),
    };
    errors::database(message).with_sqlstate(errors::state("57014")).with_hint(hint)
}

fn severed() -> Error {
    Error::new(ErrorKind::Disconnect, "the connection was severed by another thread")
        .with_sqlstate(errors::state("08006"))
}

/// Ends the statements of one connection.
#[derive(Debug)]
pub(super) struct Interrupter {
    watch: Arc<Watch>,
    gate: Arc<Gate>,
    holder: u64,
}

impl Interrupter {
    fn end(&self, mark: impl FnOnce(&mut State)) {
        let mut state = self.watch.state.lock();
        if state.holder != self.holder {
            return;
        }
        mark(&mut state);
        // ORDER: while the state is locked, so that it is the statement of this connection.
        if state.running {
            self.watch.handle.interrupt();
        }
        drop(state);
        self.gate.look_again();
    }
}

impl Interrupt for Interrupter {
    fn cancel(&self) {
        self.end(|state| state.cancelled = state.running);
    }

    fn sever(&self) {
        self.end(|state| state.severed = true);
    }
}
