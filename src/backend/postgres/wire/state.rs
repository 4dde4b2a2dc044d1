//! What is known of a connection from the messages that pass, and the cut through it.
//!
//! The driver keeps to itself in which state the server says that the session is, how it called
//! what it did, and its socket. So a [`Tap`](super::tap::Tap) sits on the socket and writes here
//! what it sees pass by. Where there is none, on a Unix socket of a machine without a loopback
//! interface, everything here is unknown.

use super::disguise::{Disguise, Hidden, Seen};
use super::port::Port;
use super::tags::Tags;
use parking_lot::{Mutex, MutexGuard};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};

/// What is known of one connection. The thread that uses the connection reads it between two
/// statements; [`Wire::sever`] is for any other.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    tapped: AtomicBool,
    severed: AtomicBool,
    waiting: Mutex<Option<Waker>>,
    /// The server's last word on the transaction; 0 before the first.
    status: AtomicU8,
    /// Requests without a final answer.
    owed: AtomicI32,
    copying: AtomicBool,
    tags: AtomicU32,
    standby: AtomicU8,
    /// The server's process; 0 before it said so.
    process: AtomicI32,
    disguise: Mutex<Disguise>,
    /// Its socket, if that is ours and still used.
    port: Mutex<Weak<Port>>,
}

/// What a session says of its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// There is none.
    Idle,
    /// One is open.
    Open,
    /// One is open, and can only be rolled back.
    Failed,
}

const UNKNOWN: u8 = 0;
const OFF: u8 = 1;
const ON: u8 = 2;

impl Wire {
    /// Starts again, for another attempt on another socket. What was severed stays so.
    pub(crate) fn begin(&self) {
        self.status.store(0, Ordering::Relaxed);
        self.owed.store(0, Ordering::Relaxed);
        self.copying.store(false, Ordering::Relaxed);
        self.tags.store(0, Ordering::Relaxed);
        self.standby.store(UNKNOWN, Ordering::Relaxed);
        self.process.store(0, Ordering::Relaxed);
        self.tapped.store(true, Ordering::Release);
    }

    /// Remembers its socket, as long as that is used.
    pub(crate) fn attach(&self, port: &Arc<Port>) {
        *self.port.lock() = Arc::downgrade(port);
    }

    /// Its socket, if that is ours and still used.
    pub(crate) fn port(&self) -> Option<Arc<Port>> {
        self.port.lock().upgrade()
    }

    /// Whether anything is known and severing works.
    pub(crate) fn is_tapped(&self) -> bool {
        self.tapped.load(Ordering::Acquire)
    }

    /// The server's last word on the transaction, if every request has its answer.
    pub(crate) fn status(&self) -> Option<Status> {
        if !self.is_settled() {
            return None;
        }
        match self.status.load(Ordering::Acquire) {
            b'I' => Some(Status::Idle),
            b'T' => Some(Status::Open),
            b'E' => Some(Status::Failed),
            _ => None,
        }
    }

    /// Whether every request has its final answer, and no COPY is under way.
    pub(crate) fn is_settled(&self) -> bool {
        self.owed.load(Ordering::Acquire) == 0 && !self.is_copying()
    }

    /// Whether a COPY is under way.
    pub(crate) fn is_copying(&self) -> bool {
        self.copying.load(Ordering::Acquire)
    }

    /// The tags of the commands that ended since they were [forgotten](Self::forget).
    pub(crate) fn tags(&self) -> Tags {
        Tags::from_bits(self.tags.load(Ordering::Acquire))
    }

    /// Forgets tags, before a statement for which they matter.
    pub(crate) fn forget(&self, tags: Tags) {
        // Most often there is none, and to look costs next to nothing.
        if self.tags().has(tags) {
            self.tags.fetch_and(!tags.bits(), Ordering::AcqRel);
        }
    }

    /// Whether the server said last that it is a standby; `None` if it never said.
    pub(crate) fn is_standby(&self) -> Option<bool> {
        match self.standby.load(Ordering::Acquire) {
            UNKNOWN => None,
            said => Some(said == ON),
        }
    }

    /// The number of the server's process, as it said itself.
    pub(crate) fn process(&self) -> Option<i32> {
        Some(self.process.load(Ordering::Acquire)).filter(|process| *process != 0)
    }

    /// Notes the number of the server's process.
    pub(crate) fn is_process(&self, number: &[u8]) {
        if let Some(number) = number.first_chunk() {
            self.process.store(i32::from_be_bytes(*number), Ordering::Release);
        }
    }

    /// Has types hidden from the driver in the descriptions that come from now on.
    pub(crate) fn hide(&self, hidden: Hidden) {
        self.disguise.lock().begin(hidden);
    }

    /// Hides nothing any more; gives what was said of types in the meantime.
    pub(crate) fn unveil(&self) -> Seen {
        self.disguise.lock().end()
    }

    /// What notes the types of a description that passes.
    pub(crate) fn disguise(&self) -> MutexGuard<'_, Disguise> {
        self.disguise.lock()
    }

    /// Cuts the connection: whoever waits for the server gets an error at once, and so does
    /// everybody later. Never blocks. Does nothing where nothing is tapped.
    pub(crate) fn sever(&self) {
        // ORDER: the flag before the waker is taken; `wait` does it the other way round.
        self.severed.store(true, Ordering::SeqCst);
        let waiting = self.waiting.lock().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
        if let Some(port) = self.port() {
            port.shut_down();
        }
    }

    pub(crate) fn is_severed(&self) -> bool {
        self.severed.load(Ordering::SeqCst)
    }

    /// Remembers who has to be woken by [`sever`](Self::sever); says whether it was called already.
    pub(crate) fn wait(&self, context: &Context<'_>) -> bool {
        let mut waiting = self.waiting.lock();
        if !waiting.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waiting = Some(context.waker().clone());
        }
        drop(waiting);
        self.is_severed()
    }

    /// Notes that a request was sent.
    pub(crate) fn sent(&self) {
        self.owed.fetch_add(1, Ordering::AcqRel);
    }

    /// Notes that a request gets no answer of its own.
    pub(crate) fn swallowed(&self) {
        self.owed.fetch_sub(1, Ordering::AcqRel);
    }

    /// Notes the final answer to a request.
    pub(crate) fn ready(&self, status: u8) {
        self.status.store(status, Ordering::Release);
        self.copying.store(false, Ordering::Release);
        self.owed.fetch_sub(1, Ordering::AcqRel);
    }

    /// Notes that a COPY began.
    pub(crate) fn copying(&self) {
        self.copying.store(true, Ordering::Release);
    }

    /// Notes the tag of a command.
    pub(crate) fn ended(&self, tag: &[u8]) {
        self.tags.fetch_or(Tags::of(tag).bits(), Ordering::AcqRel);
    }

    /// Notes what the server says of a setting: its name, 0, its value, 0.
    pub(crate) fn parameter(&self, text: &[u8]) {
        let mut parts = text.split(|byte| *byte == 0);
        let (name, value) = (parts.next(), parts.next());
        if name == Some(b"in_hot_standby") {
            let said = if value == Some(b"on") { ON } else { OFF };
            self.standby.store(said, Ordering::Release);
        } else if self.status.load(Ordering::Acquire) != 0 {
            // Before the first final answer the server says how the session begins.
            self.tags.fetch_or(Tags::REPORTED.bits(), Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_counts_only_when_nothing_is_owed() {
        let wire = Wire::default();
        wire.begin();
        assert_eq!(wire.status(), None);
        wire.sent();
        wire.ready(b'T');
        assert_eq!(wire.status(), Some(Status::Open));
        wire.sent();
        assert_eq!(wire.status(), None);
        wire.ready(b'E');
        assert_eq!(wire.status(), Some(Status::Failed));
    }

    #[test]
    fn a_primary_that_becomes_a_standby_says_so() {
        let wire = Wire::default();
        assert_eq!(wire.is_standby(), None);
        wire.parameter(b"in_hot_standby\0off\0");
        assert_eq!(wire.is_standby(), Some(false));
        wire.parameter(b"in_hot_standby\0on\0");
        wire.parameter(b"TimeZone\0on\0");
        assert_eq!(wire.is_standby(), Some(true));
    }
}
