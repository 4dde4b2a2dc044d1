//! Putting a tap on the driver's socket.
//!
//! With `SslNegotiation::Direct` the driver sends no `SSLRequest` of its own and hands the bare
//! socket to its connector, so that what lies between its messages and the wire is up to us. It
//! does that only for a host that has a name, which a Unix socket has not: that one stays bare.

use super::link::Link;
use super::tap::Tap;
use super::wire::Wire;
use postgres::Socket;
use postgres::config::{Config, SslMode, SslNegotiation};
use postgres::tls::{MakeTlsConnect, TlsConnect};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

/// Taps the connections that the driver opens.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    wire: Arc<Wire>,
}

impl Connector {
    /// A connector that notes in `wire` what passes.
    pub(super) fn new(wire: Arc<Wire>) -> Self {
        Self { wire }
    }

    /// The same for another connection.
    pub(super) fn elsewhere(&self, wire: Arc<Wire>) -> Self {
        let mut other = self.clone();
        other.wire = wire;
        other
    }

    /// Has the driver hand its sockets to a connector.
    pub(super) fn claim(config: &mut Config) {
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
    }
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Tap;
    type TlsConnect = Self;
    type Error = io::Error;

    fn make_tls_connect(&mut self, _host: &str) -> io::Result<Self> {
        Ok(self.clone())
    }
}

impl TlsConnect<Socket> for Connector {
    type Stream = Tap;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Tap>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move { Ok(Tap::new(Link::Plain(socket), self.wire)) })
    }
}
