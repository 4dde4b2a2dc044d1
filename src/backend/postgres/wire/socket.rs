//! A socket of ours.

use rustix::net::Shutdown;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A socket that was opened by us.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    pub(crate) fn is_unix(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Ends it in both directions: whoever waits for it goes on at once. Never blocks.
    pub(crate) fn shut_down(&self) {
        // One that was not connected any more has ended, too.
        let _ = rustix::net::shutdown(self, Shutdown::Both);
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}

/// A socket as the driver's runtime uses it; others may have it, too.
#[derive(Clone, Debug)]
pub(crate) struct Shared(pub(crate) Arc<Stream>);

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let read = match &*self.0 {
                Stream::Tcp(socket) => {
                    ready!(socket.poll_read_ready(context))?;
                    socket.try_read(buffer.initialize_unfilled())
                }
                Stream::Unix(socket) => {
                    ready!(socket.poll_read_ready(context))?;
                    socket.try_read(buffer.initialize_unfilled())
                }
            };
            match read {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let written = match &*self.0 {
                Stream::Tcp(socket) => {
                    ready!(socket.poll_write_ready(context))?;
                    socket.try_write(bytes)
                }
                Stream::Unix(socket) => {
                    ready!(socket.poll_write_ready(context))?;
                    socket.try_write(bytes)
                }
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = rustix::net::shutdown(&*self.0, Shutdown::Write);
        Poll::Ready(done.map_err(io::Error::from))
    }
}
