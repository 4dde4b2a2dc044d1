//! Putting a tap on the driver's socket, or on one of ours, and TLS between the two where the host
//! has it.
//!
//! With `SslNegotiation::Direct` the driver sends no `SSLRequest` of its own and hands the bare
//! socket to its connector, so that what lies between its messages and the wire is up to us. It
//! does that only for a host that has a name, so that a Unix socket takes a detour.

use super::link::Link;
use super::state::Wire;
use super::tap::Tap;
use super::tls::Handshake;
use super::unix::UnixSocket;
use crate::backend::postgres::errors::code;
use crate::error::{Error, ErrorKind, Result};
use postgres::Socket;
use postgres::config::{Config, SslMode, SslNegotiation};
use postgres::tls::{MakeTlsConnect, TlsConnect};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

/// Taps the connections that the driver opens.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    wire: Arc<Wire>,
    handshake: Option<Handshake>,
    unix: Option<UnixSocket>,
}

impl Connector {
    /// A connector that notes in `wire` what passes; with a handshake, or without TLS.
    pub(crate) fn new(wire: Arc<Wire>, handshake: Option<Handshake>) -> Self {
        Self { wire, handshake, unix: None }
    }

    /// The same, that opens this socket in the place of what the driver hands over.
    pub(crate) fn instead(self, unix: Option<UnixSocket>) -> Self {
        Self { unix, ..self }
    }

    /// The same for another connection.
    pub(crate) fn elsewhere(&self, wire: Arc<Wire>) -> Self {
        let mut other = self.clone();
        other.wire = wire;
        other
    }

    /// Has the driver hand its sockets to a connector.
    pub(crate) fn claim(config: &mut Config) {
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
    }
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Tap;
    type TlsConnect = Self;
    type Error = Error;

    fn make_tls_connect(&mut self, _host: &str) -> Result<Self> {
        Ok(self.clone())
    }
}

impl TlsConnect<Socket> for Connector {
    type Stream = Tap;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Tap>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            if let Some(unix) = self.unix {
                let opened = unix.open().await?;
                drop(socket);
                return Ok(Tap::new(Link::Unix(opened), self.wire));
            }
            let Some(handshake) = self.handshake else {
                return Ok(Tap::new(Link::Plain(socket), self.wire));
            };
            let mut shaken = pin!(handshake.begin(socket));
            // There is no tap yet, and a server that is silent now must not be waited for either.
            let link = poll_fn(|context| match self.wire.wait(context) {
                true => Poll::Ready(Err(cut())),
                false => shaken.as_mut().poll(context),
            });
            let link = link.await?;
            Ok(Tap::new(link, self.wire))
        })
    }
}

fn cut() -> Error {
    Error::new(ErrorKind::Connect, "the connection was cut").with_sqlstate(code("08001"))
}
