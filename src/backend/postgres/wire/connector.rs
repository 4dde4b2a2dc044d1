//! Putting a tap on a socket of ours, or on the driver's, and TLS between the two where the host
//! has it.
//!
//! With `SslNegotiation::Direct` the driver sends no `SSLRequest` of its own and hands the bare
//! socket to its connector, so that what lies between its messages and the wire is up to us: also
//! whether that socket is used at all, or one of ours in its place.

use super::flow::Flow;
use super::link::{Carrier, Link};
use super::server::Place;
use super::state::Wire;
use super::tap::Tap;
use super::tls::Handshake;
use crate::backend::postgres::errors::code;
use crate::error::{Error, ErrorKind, Result};
use postgres::Socket;
use postgres::config::{Config, SslMode, SslNegotiation};
use postgres::tls::{MakeTlsConnect, TlsConnect};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Taps the connections that the driver opens.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    wire: Arc<Wire>,
    handshake: Option<Handshake>,
    /// Where a socket of ours is opened; `None` for the driver's.
    place: Option<Place>,
    /// How long opening it may take.
    patience: Duration,
}

impl Connector {
    /// A connector that notes in `wire` what passes; with a handshake, or without TLS.
    pub(crate) fn new(wire: Arc<Wire>, handshake: Option<Handshake>, patience: Duration) -> Self {
        Self { wire, handshake, place: None, patience }
    }

    /// Has it open a socket there, in the place of what the driver hands over.
    pub(crate) fn aim(&mut self, place: &Place) {
        self.place = Some(place.clone());
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
            let wire = Arc::clone(&self.wire);
            let mut opened = pin!(self.open(socket));
            // There is no tap yet, and a server that is silent now must not be waited for either.
            let link = poll_fn(|context| match wire.wait(context) {
                true => Poll::Ready(Err(cut())),
                false => opened.as_mut().poll(context),
            });
            let link = link.await?;
            Ok(Tap::new(link, wire))
        })
    }
}

impl Connector {
    async fn open(self, socket: Socket) -> Result<Link> {
        let carrier = match self.place {
            None => Carrier::Driver(socket),
            Some(place) => {
                let opened = place.open(self.patience).await?;
                drop(socket);
                Carrier::Own(Flow::Plain(Arc::new(opened)))
            }
        };
        match self.handshake {
            Some(handshake) => handshake.begin(carrier).await,
            None => Ok(Link::Plain(carrier)),
        }
    }
}

fn cut() -> Error {
    Error::new(ErrorKind::Connect, "the connection was cut").with_sqlstate(code("08001"))
}
