//! One who stands between a client and a server.

use crate::support::tls::Certified;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// What a relay does with a connection.
#[derive(Clone)]
pub enum Manner {
    /// Passes everything on.
    Pass,
    /// Answers the request for TLS with a no, and passes on the rest.
    Refuse,
    /// Answers the request for TLS with these bytes, and says no more.
    Answer(&'static [u8]),
    /// Ends the client's TLS.
    Terminate(Terminal),
}

/// One who ends the client's TLS and reads along.
#[derive(Clone)]
pub struct Terminal {
    /// What it shows; the key may be another one.
    pub shown: Certified,
    /// The PEM of the server's authority and the server's name, to speak TLS to the server, too.
    pub upstream: Option<(String, &'static str)>,
    /// Whether it says that it speaks the protocol of PostgreSQL.
    pub agrees: bool,
}

/// An address between a client and a server.
pub struct Relay {
    port: u16,
    first: Arc<Mutex<Vec<[u8; 8]>>>,
}

impl Relay {
    pub fn to(server: u16, manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let first = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&first);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, manner, seen) = (client.unwrap(), manner.clone(), Arc::clone(&seen));
                // A client that goes away in the middle is no fault of the relay.
                thread::spawn(move || serve(client, server, &manner, &seen).unwrap_or_default());
            }
        });
        Self { port, first }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The first eight bytes of each connection so far.
    pub fn first_bytes(&self) -> Vec<[u8; 8]> {
        self.first.lock().unwrap().clone()
    }
}

/// Whether these bytes ask for TLS.
pub fn asks_for_tls(first: [u8; 8]) -> bool {
    first == SSL_REQUEST
}

fn serve(
    mut client: TcpStream,
    server: u16,
    manner: &Manner,
    seen: &Mutex<Vec<[u8; 8]>>,
) -> std::io::Result<()> {
    let mut first = [0; 8];
    while client.peek(&mut first)? < first.len() {}
    seen.lock().unwrap().push(first);
    if asks_for_tls(first) || !matches!(manner, Manner::Terminate(_)) {
        client.read_exact(&mut first)?;
    }
    let mut server = TcpStream::connect(("127.0.0.1", server))?;
    match manner {
        Manner::Refuse if asks_for_tls(first) => client.write_all(b"N")?,
        Manner::Pass | Manner::Refuse => server.write_all(&first)?,
        Manner::Answer(answer) => {
            client.write_all(answer)?;
            // Until the client is gone.
            client.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
        Manner::Terminate(terminal) => {
            if asks_for_tls(first) {
                client.write_all(b"S")?;
            }
            return terminate(client, server, terminal);
        }
    }
    pass(client.try_clone()?, server.try_clone()?);
    pass(server, client);
    Ok(())
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        // Not in both directions: who is full of what nobody may read any more is not told so for a minute.
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn terminate(client: TcpStream, mut server: TcpStream, terminal: &Terminal) -> std::io::Result<()> {
    let mut client = rustls::StreamOwned::new(accepting(terminal), client);
    while client.conn.is_handshaking() {
        client.conn.complete_io(&mut client.sock)?;
    }
    client.sock.set_read_timeout(Some(Duration::from_millis(2)))?;
    let Some((root, name)) = &terminal.upstream else {
        server.set_read_timeout(Some(Duration::from_millis(2)))?;
        return shovel(&mut client, &mut server);
    };
    server.write_all(&SSL_REQUEST)?;
    server.read_exact(&mut [0])?;
    let mut server = rustls::StreamOwned::new(connecting(root, name), server);
    while server.conn.is_handshaking() {
        server.conn.complete_io(&mut server.sock)?;
    }
    server.sock.set_read_timeout(Some(Duration::from_millis(2)))?;
    shovel(&mut client, &mut server)
}

/// Passes bytes in both directions by turns, until one side ends.
fn shovel(
    client: &mut (impl Read + Write),
    server: &mut (impl Read + Write),
) -> std::io::Result<()> {
    loop {
        if !pass_once(client, server)? || !pass_once(server, client)? {
            return Ok(());
        }
    }
}

fn pass_once(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<bool> {
    let mut buffer = [0; 4096];
    match from.read(&mut buffer) {
        Ok(0) => Ok(false),
        Ok(length) => to.write_all(&buffer[..length]).and_then(|()| to.flush()).map(|()| true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

fn accepting(terminal: &Terminal) -> ServerConnection {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = CertificateDer::pem_slice_iter(terminal.shown.certificate.as_bytes());
    let chain = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(terminal.shown.key.as_bytes()).unwrap();
    // It is not looked at whether they belong together.
    let shown = CertifiedKey::new(chain, provider.key_provider.load_private_key(key).unwrap());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    if terminal.agrees {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    ServerConnection::new(Arc::new(config)).unwrap()
}

fn connecting(root: &str, name: &'static str) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap()
}
