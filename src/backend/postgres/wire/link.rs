//! The link to a server, below its messages.

use super::flow::Flow;
#[cfg(feature = "tls")]
use super::tls::Session;
use postgres::Socket;
use postgres::tls::ChannelBinding;
use std::io;
use std::pin::Pin;
#[cfg(feature = "tls")]
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
    /// A TLS session on a socket of ours, and what the exchange of a password is bound to.
    #[cfg(feature = "tls")]
    Secure(Flow, Option<Vec<u8>>),
    /// A TLS session on the driver's socket, and the same.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<Carrier>>, Option<Vec<u8>>),
}

/// A socket to a server.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// The driver's.
    Driver(Socket),
    /// Ours.
    Own(Flow),
}

impl Link {
    /// A TLS session whose handshake is over, and what the exchange of a password is bound to.
    #[cfg(feature = "tls")]
    pub(crate) fn secured(session: TlsStream<Carrier>, end_point: Option<Vec<u8>>) -> Self {
        if matches!(session.get_ref().0, Carrier::Driver(_)) {
            return Self::Tls(Box::new(session), end_point);
        }
        match session.into_inner() {
            (Carrier::Own(flow), state) => {
                let session = Session::new(Arc::clone(flow.stream()), state);
                Self::Secure(Flow::Tls(Arc::new(session)), end_point)
            }
            // Seen above.
            (carrier, _) => Self::Plain(carrier),
        }
    }

    /// Whether nobody else can read along.
    pub(crate) fn is_secure(&self) -> bool {
        match self {
            Self::Plain(Carrier::Driver(_)) => false,
            Self::Plain(Carrier::Own(flow)) => flow.is_secure(),
            #[cfg(feature = "tls")]
            Self::Secure(..) | Self::Tls(..) => true,
        }
    }

    /// What others can use, too.
    pub(crate) fn shared(&self) -> Option<Flow> {
        match self {
            Self::Plain(Carrier::Own(flow)) => Some(flow.clone()),
            #[cfg(feature = "tls")]
            Self::Secure(flow, _) => Some(flow.clone()),
            _ => None,
        }
    }

    pub(crate) fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            #[cfg(feature = "tls")]
            Self::Secure(_, end_point) | Self::Tls(_, end_point) => end_point
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
            Self::Plain(carrier) => Pin::new(carrier).poll_read(context, buffer),
            #[cfg(feature = "tls")]
            Self::Secure(flow, _) => Pin::new(flow).poll_read(context, buffer),
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
            Self::Secure(flow, _) => Pin::new(flow).poll_write(context, bytes),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(carrier) => Pin::new(carrier).poll_flush(context),
            #[cfg(feature = "tls")]
            Self::Secure(flow, _) => Pin::new(flow).poll_flush(context),
            #[cfg(feature = "tls")]
            Self::Tls(session, _) => Pin::new(session).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(carrier) => Pin::new(carrier).poll_shutdown(context),
            #[cfg(feature = "tls")]
            Self::Secure(flow, _) => Pin::new(flow).poll_shutdown(context),
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
            Self::Own(flow) => Pin::new(flow).poll_read(context, buffer),
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
            Self::Own(flow) => Pin::new(flow).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Driver(socket) => Pin::new(socket).poll_flush(context),
            Self::Own(flow) => Pin::new(flow).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Driver(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Own(flow) => Pin::new(flow).poll_shutdown(context),
        }
    }
}
