//! Messages to the server and from it.

use super::ahead::Ahead;
use super::begin::Begin;
use super::broken;
use super::gather::Gather;
use super::glance::Glance;
use super::inbox::{Inbox, Message};
use crate::backend::postgres::errors;
use crate::backend::postgres::report::{self, Report};
use crate::backend::postgres::session::notices::Notices;
use crate::backend::postgres::wire::port::Port;
use crate::backend::postgres::wire::state::Wire;
use crate::error::{Error, Result};
use postgres::types::private::BytesMut;
use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Instant;

/// What is kept of the room for messages to the server.
const KEPT: usize = 256 * 1024;

/// The way to one server, for whoever speaks without the driver.
pub(crate) struct Line {
    pub(super) port: Arc<Port>,
    pub(super) wire: Arc<Wire>,
    notices: Arc<Notices>,
    pub(super) inbox: Inbox,
    /// Messages that are about to be sent.
    pub(super) outbox: BytesMut,
    pub(super) begin: Begin,
    /// Whether nothing is likely to be there yet, so that it is waited for first.
    pub(super) is_dry: bool,
    pub(super) glance: Glance,
    pub(super) gather: Gather,
    pub(super) ahead: Ahead,
}

impl Line {
    /// The way that `wire` goes, where it is ours.
    pub(crate) fn new(wire: &Arc<Wire>, notices: &Arc<Notices>) -> Option<Self> {
        Some(Self {
            port: wire.port()?,
            wire: Arc::clone(wire),
            notices: Arc::clone(notices),
            inbox: Inbox::default(),
            outbox: BytesMut::new(),
            begin: Begin::default(),
            is_dry: false,
            glance: Glance::default(),
            gather: Gather::default(),
            ahead: Ahead::default(),
        })
    }

    /// Whether the server waits for a request, and the driver is not in the middle of one.
    pub(crate) fn is_free(&self) -> bool {
        self.wire.is_settled() && self.port.is_at_rest() && !self.wire.is_severed()
    }

    /// Sends what is in the outbox, which must end with what asks for a final answer.
    pub(super) fn send(&mut self) -> Result<()> {
        self.send_all(1)
    }

    /// As [`send`](Self::send), with so many requests for a final answer.
    pub(super) fn send_all(&mut self, requests: usize) -> Result<()> {
        self.go_ahead()?;
        for _ in 0..requests {
            self.wire.sent();
        }
        self.goes_out();
        let mut messages = std::mem::take(&mut self.outbox);
        let sent = self.write(&[], &messages);
        if messages.capacity() <= KEPT {
            messages.clear();
            self.outbox = messages;
        }
        self.is_dry = true;
        self.gather.begin();
        sent
    }

    /// Writes two pieces, one behind the other. While there is no room, the server is listened to: it
    /// may have to get rid of something before it reads on.
    pub(super) fn write(&mut self, mut first: &[u8], mut second: &[u8]) -> Result<()> {
        loop {
            if self.wire.is_severed() {
                return Err(severed());
            }
            let is_written = first.is_empty() && second.is_empty();
            let written = if is_written {
                self.port.flush().map(|()| 0)
            } else {
                self.port.write(&[IoSlice::new(first), IoSlice::new(second)])
            };
            match written {
                Ok(_) if is_written => return Ok(()),
                Ok(count) => {
                    let of_first = count.min(first.len());
                    first = &first[of_first..];
                    second = &second[count - of_first..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for_room()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.last_words(lost(error))),
            }
        }
    }

    fn wait_for_room(&mut self) -> Result<()> {
        match self.port.wait(true, None) {
            Ok(true) => self.listen().map(drop),
            Ok(false) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(lost(error)),
        }
    }

    /// Looks, without waiting, at what came without having been asked for; gives the type of a message
    /// that is none of these.
    pub(super) fn listen(&mut self) -> Result<Option<u8>> {
        let port = &*self.port;
        match self.inbox.fill(|room| port.read(room)) {
            Ok(0) => return Err(self.last_words(ended())),
            Ok(_) => {}
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(self.last_words(lost(error))),
        }
        while matches!(self.inbox.peek(), Some(b'N' | b'S' | b'A')) {
            let Some(message) = self.inbox.next()? else { return Ok(None) };
            self.note(&message);
        }
        Ok(self.inbox.peek())
    }

    /// The next message that answers a request.
    pub(super) fn next(&mut self) -> Result<Message> {
        self.next_before(None)?.ok_or_else(ended)
    }

    /// The next message that answers a request; `None` if it did not come before the deadline.
    pub(super) fn next_before(&mut self, deadline: Option<Instant>) -> Result<Option<Message>> {
        loop {
            while let Some(message) = self.inbox.next()? {
                // Most of what comes: nobody but who asked for it has to see it.
                if message.kind == b'D' && !self.ahead.is_owed() {
                    return Ok(Some(message));
                }
                if !self.note(&message) {
                    continue;
                }
                if self.ahead.is_owed() {
                    self.pass(&message)?;
                    continue;
                }
                if self.answers_begin(message.kind) {
                    continue;
                }
                // ORDER: when nothing is owed any more; the request may have run all the same.
                if message.kind == b'Z'
                    && let Some(report) = self.ahead.take_refused()
                {
                    return Err(errors::of_statement(&report));
                }
                return Ok(Some(message));
            }
            if !self.fill(deadline)? {
                return Ok(None);
            }
        }
    }

    /// The body of the next message if it is of this type, one of those that nobody but who asked for them has
    /// to see, and there; what is not is for [`next`](Self::next).
    #[inline]
    pub(super) fn next_of(&mut self, kind: u8) -> Option<&[u8]> {
        if self.ahead.is_owed() { None } else { self.inbox.next_of(kind) }
    }

    pub(super) fn body(&self, message: &Message) -> &[u8] {
        self.inbox.body(message)
    }

    /// What the server says in an error, after its final answer has come, too; nothing comes behind
    /// an error that ends the session.
    pub(super) fn refusal(&mut self, message: &Message) -> Result<Report> {
        let report = Report::read(self.body(message));
        let report = report.ok_or_else(|| broken("an error without a code"))?;
        // What went ahead and failed is why the request did.
        let report = self.ahead.take_refused().unwrap_or(report);
        if !report.is_final {
            // Where it does not come, what is still owed shows that nobody can use it any more.
            while self.next().is_ok_and(|message| message.kind != b'Z') {}
        }
        Ok(report)
    }

    /// The same as an error.
    pub(super) fn refused(&mut self, message: &Message) -> Error {
        self.refusal(message).map_or_else(|error| error, |report| errors::of_statement(&report))
    }

    /// Notes what passes, as the tap does; says whether it answers a request.
    fn note(&mut self, message: &Message) -> bool {
        let body = self.inbox.body(message);
        match message.kind {
            b'N' => self.notices.hear(report::code_in(body).unwrap_or_default()),
            b'S' => self.wire.parameter(body),
            // Nobody asks for what other sessions say.
            b'A' => {}
            b'C' => {
                self.wire.ended(body);
                return true;
            }
            b'G' | b'H' | b'W' => {
                self.wire.copying();
                return true;
            }
            b'Z' => {
                self.wire.ready(body.first().copied().unwrap_or_default());
                // What comes behind the last of the answers is the driver's.
                if self.wire.is_settled() {
                    let port = &*self.port;
                    self.inbox.empty(|left| port.leave(left));
                }
                return true;
            }
            _ => return true,
        }
        false
    }

    /// What a server that is gone said before it went, if that was said.
    fn last_words(&mut self, lost: Error) -> Error {
        loop {
            while let Ok(Some(message)) = self.inbox.next() {
                let report = (message.kind == b'E').then(|| Report::read(self.body(&message)));
                match report.flatten() {
                    Some(report) if report.is_final => return errors::of_statement(&report),
                    _ => {}
                }
            }
            let port = &*self.port;
            if !self.inbox.fill(|room| port.read(room)).is_ok_and(|count| count > 0) {
                return lost;
            }
        }
    }
}

pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

pub(super) fn lost(error: io::Error) -> Error {
    errors::disconnect("the connection to the server was lost").with_source(error)
}

pub(super) fn ended() -> Error {
    errors::disconnect("the connection to the server was lost")
}

pub(super) fn severed() -> Error {
    lost(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was cut"))
}

/// Without what is being sent or came: these are values of rows.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("wire", &self.wire).finish_non_exhaustive()
    }
}
