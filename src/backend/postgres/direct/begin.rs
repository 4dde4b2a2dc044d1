//! The BEGIN of a transaction, which goes ahead of its first statement, in the same write.
//!
//! A transaction that has no statement yet is nothing to the server. So BEGIN is kept until there is
//! one, and costs no round trip. Both are in front of the same `Sync`: where BEGIN is refused, the
//! server passes over the statement, too (PostgreSQL, "Message Flow", "Pipelining"), and never runs
//! it on its own.

use super::line::Line;
use super::prepared::no_text;
use crate::error::Result;
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend::{self, BindError};

/// Where a BEGIN is that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Begin {
    /// Nowhere: none was asked for, or it is answered.
    #[default]
    None,
    /// It goes out with what is sent next.
    Kept,
    /// It stands first in what is about to be sent.
    Written,
    /// Its answers come before those to what was sent with it.
    Sent,
    /// The server refused it.
    Refused,
}

impl Line {
    /// Keeps a BEGIN for what is sent next.
    pub(crate) fn begin_later(&mut self) {
        self.begin = Begin::Kept;
    }

    /// Whether a BEGIN was asked for of which the server knows nothing yet.
    pub(crate) fn is_begin_kept(&self) -> bool {
        matches!(self.begin, Begin::Kept | Begin::Written)
    }

    /// Forgets a BEGIN that was not sent; says whether there was one.
    pub(crate) fn forget_begin(&mut self) -> bool {
        let was_kept = self.is_begin_kept();
        if was_kept {
            self.begin = Begin::None;
        }
        was_kept
    }

    /// Whether the server refused a BEGIN, so that whoever goes on would do so without a transaction.
    pub(crate) fn is_begin_refused(&self) -> bool {
        self.begin == Begin::Refused
    }

    /// Sends a BEGIN that was kept, by itself: for what cannot be sent behind it.
    pub(crate) fn begin_now(&mut self) -> Result<()> {
        if self.forget_begin() { self.batch("BEGIN") } else { Ok(()) }
    }

    /// Starts what is sent next: with a BEGIN, if one was kept.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.outbox.clear();
        if self.is_begin_kept() {
            self.write_parsed("BEGIN")?;
            self.begin = Begin::Written;
        }
        Ok(())
    }

    /// Writes what runs one statement without parameters, up to where a `Sync` is due.
    pub(super) fn write_parsed(&mut self, sql: &str) -> Result<()> {
        let out = &mut self.outbox;
        frontend::parse("", sql, [], out).map_err(|_| no_text())?;
        let none: [(); 0] = [];
        let bound = frontend::bind("", "", [], none, |(), _| Ok(IsNull::Yes), [], out);
        bound.map_err(|_: BindError| no_text())?;
        frontend::execute("", 0, out).map_err(|_| no_text())
    }

    /// What was written goes out now.
    pub(super) fn goes_out(&mut self) {
        if self.begin == Begin::Written {
            self.begin = Begin::Sent;
        }
    }

    /// Whether a message answers a BEGIN that went ahead, and not what came behind it.
    pub(super) fn answers_begin(&mut self, kind: u8) -> bool {
        match (self.begin, kind) {
            (Begin::Sent, b'1' | b'2') => true,
            (Begin::Sent, b'C') => {
                self.begin = Begin::None;
                true
            }
            (Begin::Sent, _) => {
                self.begin = Begin::Refused;
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::postgres::session::notices::Notices;
    use crate::backend::postgres::wire::flow::Flow;
    use crate::backend::postgres::wire::port::Port;
    use crate::backend::postgres::wire::socket::Stream;
    use crate::backend::postgres::wire::state::{Status, Wire};
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    /// A line whose server answers `answer` to whatever it is sent, and what the server was sent.
    fn ask(answer: &[u8], work: impl FnOnce(&mut Line)) -> (Vec<u8>, Line, Arc<Wire>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (ours, mut server) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let guard = runtime.enter();
        let stream = Stream::Unix(tokio::net::UnixStream::from_std(ours).unwrap());
        drop(guard);
        let port = Arc::new(Port::new(Flow::Plain(Arc::new(stream))));
        let wire = Arc::new(Wire::default());
        wire.begin();
        wire.attach(&port);
        let mut line = Line::new(&wire, &Arc::new(Notices::default())).unwrap();
        // All that the line waits for is there before it asks.
        server.write_all(answer).unwrap();
        work(&mut line);
        drop(port);
        server.set_nonblocking(true).unwrap();
        let mut sent = vec![0; 1024];
        let count = server.read(&mut sent).unwrap_or(0);
        sent.truncate(count);
        (sent, line, wire)
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = body.len() as u32 + 4;
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    #[test]
    fn begin_and_its_first_statement_are_before_one_sync() {
        let begun = [message(b'1', b""), message(b'2', b""), message(b'C', b"BEGIN\0")].concat();
        let saved =
            [message(b'1', b""), message(b'2', b""), message(b'C', b"SAVEPOINT\0")].concat();
        let answer = [begun, saved, message(b'Z', b"T")].concat();
        let (sent, line, wire) = ask(&answer, |line| {
            line.begin_later();
            line.batch("SAVEPOINT a").unwrap();
        });
        assert_eq!(sent.windows(5).filter(|part| part == b"S\0\0\0\x04").count(), 1, "one Sync");
        assert!(sent.windows(6).any(|part| part == b"BEGIN\0"));
        assert!(sent.ends_with(b"S\0\0\0\x04"));
        assert_eq!(wire.status(), Some(Status::Open));
        assert!(!line.is_begin_kept() && !line.is_begin_refused());
    }

    #[test]
    fn a_begin_that_is_refused_is_the_failure_of_its_statement_and_is_remembered() {
        let refused = message(b'E', b"SERROR\0VERROR\0C57014\0Mcanceling\0\0");
        let answer = [refused, message(b'Z', b"I")].concat();
        let (_, line, wire) = ask(&answer, |line| {
            line.begin_later();
            assert_eq!(line.batch("SAVEPOINT a").unwrap_err().sqlstate().unwrap().code(), "57014");
        });
        assert_eq!(wire.status(), Some(Status::Idle));
        assert!(line.is_begin_refused());
    }

    #[test]
    fn a_begin_that_is_forgotten_sends_nothing() {
        let (sent, line, _) = ask(b"", |line| {
            line.begin_later();
            assert!(line.forget_begin() && !line.forget_begin());
        });
        assert!(sent.is_empty() && !line.is_begin_kept());
    }
}
