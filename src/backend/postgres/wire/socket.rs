//! A socket of ours.

use super::socket_table::Ends;
use rustix::net::{SendAncillaryBuffer, SendFlags, Shutdown, send, sendmsg};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// A socket that was opened by us. None of its calls waits.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// One that the user did not name.
    Found(UnixStream),
}

impl Stream {
    /// Whether nobody else can read along, and the user said who reads at the other end.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Its two ends, if it is one of TCP.
    pub(crate) fn ends(&self) -> Option<Ends> {
        let Self::Tcp(socket) = self else { return None };
        Some(Ends::new(socket.local_addr().ok()?, socket.peer_addr().ok()?))
    }

    /// Reads what is there; `WouldBlock` if nothing is, 0 at the end.
    pub(crate) fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self, bytes)?)
    }

    /// Writes as much as there is room for; `WouldBlock` if there is none.
    pub(crate) fn write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        // Most often there is one, of which the kernel need not be told by a list.
        let mut some = pieces.iter().filter(|piece| !piece.is_empty());
        if let (Some(one), None) = (some.next(), some.next()) {
            return Ok(send(self, one, SendFlags::NOSIGNAL)?);
        }
        let mut nothing = SendAncillaryBuffer::default();
        Ok(sendmsg(self, pieces, &mut nothing, SendFlags::NOSIGNAL)?)
    }

    /// Says that nothing more is written.
    pub(crate) fn end(&self) -> io::Result<()> {
        Ok(rustix::net::shutdown(self, Shutdown::Write)?)
    }

    /// Ends it in both directions: whoever waits for it goes on at once. Never blocks.
    pub(crate) fn shut_down(&self) {
        // One that was not connected any more has ended, too.
        let _ = rustix::net::shutdown(self, Shutdown::Both);
    }

    /// Has the driver's runtime wait for it.
    pub(super) fn poll_ready(
        &self,
        context: &mut Context<'_>,
        interest: Interest,
    ) -> Poll<io::Result<()>> {
        match (self, interest.is_writable()) {
            (Self::Tcp(socket), false) => socket.poll_read_ready(context),
            (Self::Tcp(socket), true) => socket.poll_write_ready(context),
            (Self::Unix(socket) | Self::Found(socket), false) => socket.poll_read_ready(context),
            (Self::Unix(socket) | Self::Found(socket), true) => socket.poll_write_ready(context),
        }
    }

    /// Has the driver's runtime notice when there was nothing to do.
    pub(super) fn try_io<T>(
        &self,
        interest: Interest,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        match self {
            Self::Tcp(socket) => socket.try_io(interest, work),
            Self::Unix(socket) | Self::Found(socket) => socket.try_io(interest, work),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) | Self::Found(socket) => socket.as_fd(),
        }
    }
}
