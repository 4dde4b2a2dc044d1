//! A tap on the link to a server: it sees the messages pass, and can be cut.

use super::description::Description;
use super::frames::{Frames, PIECES};
use super::link::Link;
use super::port::Port;
use super::state::Wire;
use postgres::tls::{ChannelBinding, TlsStream};
use postgres::types::Type;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A link whose messages are noted in a [`Wire`] as they pass.
#[derive(Debug)]
pub(crate) struct Tap {
    link: Link,
    wire: Arc<Wire>,
    /// The socket, where others may use it, too.
    port: Option<Arc<Port>>,
    from_server: Frames,
    to_server: Frames,
    /// Whether the last request that asks for a final answer was one of the extended protocol.
    extended: bool,
    /// Whether what was sent last asks for no answer, so that more must come.
    unfinished: bool,
    /// Whether one final answer must not reach the driver.
    surplus: bool,
    /// The description that is just passing.
    description: Description,
    /// Where in what came a type stands that the driver must not see.
    hidden: Vec<usize>,
}

impl Tap {
    pub(crate) fn new(link: Link, wire: Arc<Wire>) -> Self {
        wire.begin();
        let port = link.shared().map(|flow| Arc::new(Port::new(flow)));
        if let Some(port) = &port {
            wire.attach(port);
        }
        Self {
            link,
            wire,
            port,
            from_server: Frames::of_server(),
            to_server: Frames::of_client(),
            extended: false,
            unfinished: false,
            surplus: false,
            description: Description::default(),
            hidden: Vec::new(),
        }
    }

    /// Looks at what came: where in it a message stands that the driver must not see; an error if
    /// the password would have to go out readable. Types that it must not see are replaced.
    fn note_received(&mut self, bytes: &mut [u8]) -> io::Result<Option<usize>> {
        let (wire, extended, surplus) = (&*self.wire, self.extended, &mut self.surplus);
        let (description, hidden) = (&mut self.description, &mut self.hidden);
        let (mut readable, mut cut) = (false, None);
        self.from_server.feed(bytes, wanted_of_server, &mut |kind, body, behind| match kind {
            b'Z' => {
                wire.ready(body.first().copied().unwrap_or_default());
                if *surplus && cut.is_none() {
                    (*surplus, cut) = (false, Some(bytes.len() - behind));
                }
            }
            b'C' => wire.ended(body),
            b'S' => wire.parameter(body),
            b'K' => wire.is_process(body),
            b'R' => readable |= body == CLEARTEXT,
            b't' | b'T' if body.is_empty() => *description = Description::begin(kind),
            b't' | b'T' => {
                let start = bytes.len() - behind - body.len();
                let (mut disguise, is_column) = (wire.disguise(), description.is_of_columns());
                description.feed(body, &mut |field| {
                    if disguise.note(is_column, field) {
                        hidden.extend(field.map(|field| start + field.position));
                    }
                });
            }
            b'G' => {
                wire.copying();
                if extended {
                    // The Sync that was sent along is ignored during a COPY.
                    wire.swallowed();
                }
            }
            _ => wire.copying(),
        });
        for start in hidden.drain(..) {
            bytes[start..start + 4].copy_from_slice(&Type::TEXT.oid().to_be_bytes());
        }
        if readable && !self.link.is_secure() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, ReadablePassword));
        }
        Ok(cut)
    }

    /// A COPY that the server refused to start is ended by the driver all the same, by `CopyFail`
    /// and `Sync`; it takes the answer to that for the answer to its next request.
    fn note_sent(&mut self, bytes: &[u8]) {
        let (wire, extended, surplus) = (&*self.wire, &mut self.extended, &mut self.surplus);
        let unfinished = &mut self.unfinished;
        self.to_server.feed(bytes, |_| Some(0), &mut |kind, _, _| {
            // What a password is sent in is all that the server waits for.
            *unfinished = !asks(kind) && kind != b'p';
            if kind == b'f' {
                *surplus = !wire.is_copying();
            } else if asks(kind) {
                *extended = kind == b'S';
                wire.sent();
            }
        });
    }

    /// Tells the others whether they may speak.
    fn rest(&self) {
        if let Some(port) = &self.port {
            let is_between = self.from_server.is_between() && self.to_server.is_between();
            port.rest(is_between && !self.unfinished);
        }
    }
}

/// The length of `ReadyForQuery`.
const READY: usize = 6;

/// Takes out the message that ends `end` bytes behind `start`; false if it did not all come at
/// once.
fn take_out(buffer: &mut ReadBuf<'_>, start: usize, end: usize) -> bool {
    if end < READY {
        return false;
    }
    let length = buffer.filled().len() - READY;
    buffer.filled_mut().copy_within(start + end.., start + end - READY);
    buffer.set_filled(length);
    true
}

/// The server asks for the password as it is.
const CLEARTEXT: &[u8] = &3_u32.to_be_bytes();

/// `ReadyForQuery`, `CommandComplete`, `ParameterStatus`, `Authentication*`, `Copy*Response`,
/// `ParameterDescription`, `RowDescription`, `BackendKeyData`.
fn wanted_of_server(kind: u8) -> Option<usize> {
    match kind {
        b'Z' => Some(1),
        b'C' => Some(32),
        b'S' => Some(64),
        b'R' | b'K' => Some(4),
        b'G' | b'H' | b'W' => Some(0),
        b't' | b'T' => Some(PIECES),
        _ => None,
    }
}

/// Whether a message has a final answer: the start-up message, `Query`, `Sync`, `FunctionCall`.
fn asks(kind: u8) -> bool {
    matches!(kind, 0 | b'Q' | b'S' | b'F')
}

/// The server asked for the password on a link that others can read.
#[derive(Debug)]
pub(crate) struct ReadablePassword;

impl fmt::Display for ReadablePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server asks for the password in clear text, and the link is not encrypted")
    }
}

impl std::error::Error for ReadablePassword {}

fn severed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was cut")
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        loop {
            if self.wire.wait(context) {
                return Poll::Ready(Err(severed()));
            }
            if !self.port.as_ref().is_some_and(|port| port.take_left(buffer)) {
                ready!(Pin::new(&mut self.link).poll_read(context, buffer))?;
            }
            let cut = self.note_received(&mut buffer.filled_mut()[before..])?;
            self.rest();
            let Some(end) = cut else { return Poll::Ready(Ok(())) };
            if !take_out(buffer, before, end) {
                self.wire.sever();
            } else if buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            // To return nothing would say that the server has gone.
        }
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.wire.wait(context) {
            return Poll::Ready(Err(severed()));
        }
        let written = Pin::new(&mut self.link).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.note_sent(&bytes[..count]);
            self.rest();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.wire.wait(context) {
            return Poll::Ready(Err(severed()));
        }
        Pin::new(&mut self.link).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.wire.wait(context) {
            return Poll::Ready(Err(severed()));
        }
        Pin::new(&mut self.link).poll_shutdown(context)
    }
}

impl TlsStream for Tap {
    fn channel_binding(&self) -> ChannelBinding {
        self.link.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_out_of_the_middle() {
        let mut bytes = *b"oldabcZ....Txyz\0\0";
        let mut buffer = ReadBuf::new(&mut bytes);
        buffer.set_filled(15);
        assert!(take_out(&mut buffer, 3, 9));
        assert_eq!(buffer.filled(), b"oldabcxyz");
        assert!(!take_out(&mut buffer, 3, 5));
    }
}
