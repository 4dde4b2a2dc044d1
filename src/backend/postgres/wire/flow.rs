//! Bytes to a server and from it, over a socket of ours.

use super::socket::Stream;
use super::tls::Session;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

/// A socket, or a TLS session on it. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) enum Flow {
    Plain(Arc<Stream>),
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "there is no such session then"))]
    Tls(Arc<Session>),
}

impl Flow {
    pub(crate) fn stream(&self) -> &Arc<Stream> {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(session) => session.stream(),
        }
    }

    /// Whether nobody else can read along.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self, Self::Tls(_)) || self.stream().is_secure()
    }

    /// Whether something may be there that the socket does not show.
    pub(crate) fn has_read(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(session) => session.has_read(),
        }
    }

    /// Reads what is there; `WouldBlock` if nothing is, 0 at the end.
    pub(crate) fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(bytes),
            Self::Tls(session) => session.read(bytes),
        }
    }

    /// Takes as much as there is room for; `WouldBlock` if there is none.
    pub(crate) fn write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(pieces),
            Self::Tls(session) => session.write(pieces),
        }
    }

    /// Sends what was taken; `WouldBlock` if not all of it could be.
    pub(crate) fn flush(&self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(session) => session.flush(),
        }
    }

    /// Does what can be done without waiting, or else waits for the socket, as the driver's runtime
    /// does that.
    fn poll<T>(
        &self,
        context: &mut Context<'_>,
        interest: Interest,
        mut work: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(self.stream().poll_ready(context, interest))?;
            match self.stream().try_io(interest, &mut work) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl AsyncRead for Flow {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut read = || self.read(buffer.initialize_unfilled());
        let mut done = if self.has_read() { Poll::Ready(read()) } else { Poll::Pending };
        if !matches!(&done, Poll::Ready(read) if !is_blocked(read)) {
            done = self.poll(context, Interest::READABLE, read);
        }
        let count = ready!(done)?;
        if matches!(&*self, Self::Plain(_)) && 0 < count && count < buffer.remaining() {
            // Nothing is left, so that the next one need not find out by trying.
            let _ = self.stream().try_io(Interest::READABLE, || -> io::Result<()> {
                Err(io::ErrorKind::WouldBlock.into())
            });
        }
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flow {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(context, Interest::WRITABLE, || self.write(&[IoSlice::new(bytes)]))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.flush() {
            blocked if is_blocked(&blocked) => {
                self.poll(context, Interest::WRITABLE, || self.flush())
            }
            done => Poll::Ready(done),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Self::Tls(session) = &*self {
            ready!(self.poll(context, Interest::WRITABLE, || session.close()))?;
        }
        Poll::Ready(self.stream().end())
    }
}

fn is_blocked<T>(outcome: &io::Result<T>) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}
