//! Asking the server for TLS, and the handshake.

use super::super::link::{Carrier, Link};
use super::{binding, faults, security};
use crate::error::{Error, Result};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

/// The length of the message, and the number that stands where others have their version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// What a connection needs to begin TLS.
#[derive(Clone)]
pub(crate) struct Handshake {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
    /// Whether a server without TLS is refused.
    pub(super) demanded: bool,
    /// Whether the server is not asked first.
    pub(super) direct: bool,
}

impl Handshake {
    /// Begins TLS on a new connection.
    ///
    /// # Errors
    /// What the mode of the host does not allow, and what failed: see `faults`.
    pub(crate) async fn begin(self, mut socket: Carrier) -> Result<Link> {
        if !self.direct && !ask(&mut socket).await? {
            return if self.demanded { Err(faults::no_tls()) } else { Ok(Link::Plain(socket)) };
        }
        let connector = TlsConnector::from(self.config);
        let session = match connector.connect(self.name, socket).await {
            Ok(session) => session,
            Err(error) => return Err(faults::broken(&error, self.direct)),
        };
        let (_, state) = session.get_ref();
        // A server that knows nothing of it may speak another protocol: libpq, too, insists.
        if self.direct && state.alpn_protocol() != Some(security::PROTOCOL) {
            return Err(faults::not_agreed());
        }
        let shown = state.peer_certificates().and_then(<[_]>::first);
        let end_point = shown.and_then(|certificate| binding::end_point(certificate));
        Ok(Link::secured(session, end_point))
    }
}

/// Without the configuration, which holds the key of the client.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether the server can. Exactly one byte is read: what somebody on the way sent behind it is
/// no TLS, and ends the handshake instead of being taken for what came through it
/// (CVE-2021-23222).
async fn ask(socket: &mut Carrier) -> Result<bool> {
    let lost = |error| faults::lost(&error);
    socket.write_all(&SSL_REQUEST).await.map_err(lost)?;
    socket.flush().await.map_err(lost)?;
    match socket.read_u8().await.map_err(lost)? {
        b'S' => Ok(true),
        b'N' => Ok(false),
        answer => Err(answered(answer)),
    }
}

fn answered(answer: u8) -> Error {
    match answer {
        // What follows is not read, because anybody can have written it (CVE-2024-10977).
        b'E' => faults::cannot_now(),
        _ => faults::no_protocol("the server's answer to the request for TLS is none"),
    }
}
