//! The link to a server, below its messages.

use super::socket::{Shared, Stream};
use postgres::Socket;
use postgres::tls::ChannelBinding;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

/// What carries the bytes.
#[derive(Debug)]
pub(crate) enum Link {
    /// The socket itself.
    Plain(Carrier),
    /// A TLS session on the socket, and what the exchange of a password is bound to.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<Carrier>>, Option<Vec<u8>>),
}

/// A socket to a server.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// The driver's.
    Driver(Socket),
    /// Ours.
    Own(Shared),
}

impl Link {
    /// Whether nobody else can read along.
    pub(crate) fn is_secure(&self) -> bool {
        match self {
            Self::Plain(carrier) => carrier.is_unix(),
            #[cfg(feature = "tls")]
            Self::Tls(..) => true,
        }
    }

    /// The socket, if it is ours and others can use it as it is.
    pub(crate) fn shared(&self) -> Option<Arc<Stream>> {
        match self {
            Self::Plain(Carrier::Own(shared)) => Some(Arc::clone(&shared.0)),
            _ => None,
        }
    }

    pub(crate) fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            #[cfg(feature = "tls")]
            Self::Tls(_, end_point) => end_point
                .clone()
                .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point),
        }
    }
}

impl Carrier {
    fn is_unix(&self) -> bool {
        matches!(self, Self::Own(shared) if shared.0.is_unix())
    }
}

impl AsyncRead for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(carrier) => Pin::new(carrier).poll_read(context, buffer),
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
            Self::Plain(carrier) => Pin::new(carrier).poll_write(context, bytes),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(carrier) => Pin::new(carrier).poll_flush(context),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(carrier) => Pin::new(carrier).poll_shutdown(context),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_shutdown(context),
        }
    }
}

impl AsyncRead for Carrier {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Driver(socket) => Pin::new(socket).poll_read(context, buffer),
            Self::Own(socket) => Pin::new(socket).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Driver(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Own(socket) => Pin::new(socket).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Driver(socket) => Pin::new(socket).poll_flush(context),
            Self::Own(socket) => Pin::new(socket).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Driver(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Own(socket) => Pin::new(socket).poll_shutdown(context),
        }
    }
}
