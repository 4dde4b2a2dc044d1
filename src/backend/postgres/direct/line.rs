//! Messages to the server and from it.

use super::begin::Begin;
use super::broken;
use super::inbox::{Inbox, Message};
use super::prepared::{no_text, unexpected};
use crate::backend::postgres::errors;
use crate::backend::postgres::report::{self, Report};
use crate::backend::postgres::session::notices::Notices;
use crate::backend::postgres::wire::port::Port;
use crate::backend::postgres::wire::state::Wire;
use crate::error::{Error, Result};
use postgres::types::private::BytesMut;
use postgres_protocol::message::frontend;
use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Instant;

/// What is kept of the room for messages to the server.
const KEPT: usize = 256 * 1024;

/// The way to one server, for whoever speaks without the driver.
pub(crate) struct Line {
    port: Arc<Port>,
    wire: Arc<Wire>,
    notices: Arc<Notices>,
    inbox: Inbox,
    /// Messages that are about to be sent.
    pub(super) outbox: BytesMut,
    pub(super) begin: Begin,
    /// Whether nothing is likely to be there yet, so that it is waited for first.
    is_dry: bool,
    ahead: Ahead,
}

/// Statements that go ahead of the next request, in the same write.
#[derive(Default)]
struct Ahead {
    sql: String,
    /// Whether their answers come before that of the request.
    is_owed: bool,
    /// What they failed with, until the request has its final answer.
    refused: Option<Report>,
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
            ahead: Ahead::default(),
        })
    }

    /// Has statements go ahead of the next request, behind those that do so already.
    pub(crate) fn put_ahead(&mut self, sql: &str) {
        if self.forget_begin() {
            self.ahead.sql.push_str("BEGIN;");
        }
        self.ahead.sql.extend([sql, ";"]);
    }

    /// Whether there are statements that are to go ahead of the next request.
    pub(crate) fn has_ahead(&self) -> bool {
        !self.ahead.sql.is_empty()
    }

    /// Takes them back.
    pub(crate) fn forget_ahead(&mut self) {
        self.ahead.sql.clear();
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
        if self.has_ahead() {
            let request = std::mem::take(&mut self.outbox);
            let sql = std::mem::take(&mut self.ahead.sql);
            frontend::query(&sql, &mut self.outbox).map_err(|_| no_text())?;
            self.outbox.extend_from_slice(&request);
            self.wire.sent();
            self.ahead.is_owed = true;
        }
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
                if !self.note(&message) {
                    continue;
                }
                if self.ahead.is_owed {
                    self.pass(&message)?;
                    continue;
                }
                if self.answers_begin(message.kind) {
                    continue;
                }
                // ORDER: when nothing is owed any more; the request may have run all the same.
                match self.ahead.refused.take_if(|_| message.kind == b'Z') {
                    Some(report) => return Err(errors::of_statement(&report)),
                    None => return Ok(Some(message)),
                }
            }
            if !self.fill(deadline)? {
                return Ok(None);
            }
        }
    }

    /// Reads on in the answers to what went ahead.
    fn pass(&mut self, message: &Message) -> Result<()> {
        match message.kind {
            b'T' | b'D' | b'C' | b'I' => {}
            b'Z' => self.ahead.is_owed = false,
            b'E' => {
                let report = Report::read(self.body(message));
                let report = report.ok_or_else(|| broken("an error without a code"))?;
                if report.is_final {
                    return Err(errors::of_statement(&report));
                }
                self.ahead.refused = Some(report);
            }
            _ => return Err(unexpected()),
        }
        Ok(())
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
        let report = self.ahead.refused.take().unwrap_or(report);
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

    /// Waits for more; false if nothing came before the deadline.
    fn fill(&mut self, deadline: Option<Instant>) -> Result<bool> {
        loop {
            if self.wire.is_severed() {
                return Err(severed());
            }
            if self.is_dry {
                match self.port.wait(false, deadline) {
                    Ok(false) => return Ok(false),
                    Err(error) if !is_passing(&error) => return Err(lost(error)),
                    _ => self.is_dry = false,
                }
            }
            let (port, mut room_for) = (&*self.port, 0);
            let read = self.inbox.fill(|room| {
                room_for = room.len();
                port.read(room)
            });
            match read {
                Ok(0) if self.wire.is_severed() => return Err(severed()),
                Ok(0) => return Err(ended()),
                Ok(count) => {
                    self.is_dry = count < room_for;
                    return Ok(true);
                }
                Err(error) if is_passing(&error) => self.is_dry = true,
                Err(error) => return Err(lost(error)),
            }
        }
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

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn lost(error: io::Error) -> Error {
    errors::disconnect("the connection to the server was lost").with_source(error)
}

fn ended() -> Error {
    errors::disconnect("the connection to the server was lost")
}

fn severed() -> Error {
    lost(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was cut"))
}

/// Without what is being sent or came: these are values of rows.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("wire", &self.wire).finish_non_exhaustive()
    }
}
