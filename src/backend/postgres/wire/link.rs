//! The link to a server, below its messages.

use postgres::Socket;
use postgres::tls::ChannelBinding;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

/// What carries the bytes.
#[derive(Debug)]
pub(crate) enum Link {
    /// The socket itself.
    Plain(Socket),
    /// A Unix socket.
    Unix(UnixStream),
    /// A TLS session on the socket, and what the exchange of a password is bound to.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<Socket>>, Option<Vec<u8>>),
}

impl Link {
    /// Whether nobody else can read along.
    pub(crate) fn is_secure(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Unix(_) => true,
            #[cfg(feature = "tls")]
            Self::Tls(..) => true,
        }
    }

    pub(crate) fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) | Self::Unix(_) => ChannelBinding::none(),
            #[cfg(feature = "tls")]
            Self::Tls(_, end_point) => end_point
                .clone()
                .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point),
        }
    }
}

impl AsyncRead for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Self::Unix(socket) => Pin::new(socket).poll_read(context, buffer),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Unix(socket) => Pin::new(socket).poll_write(context, bytes),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(context),
            Self::Unix(socket) => Pin::new(socket).poll_flush(context),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Unix(socket) => Pin::new(socket).poll_shutdown(context),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_shutdown(context),
        }
    }
}
