//! Unix sockets, for a driver that hands none of them over.
//!
//! The driver gives its socket to a connector only for a host that has a name, which a Unix socket
//! has not, and takes no socket from outside. So it is told to connect to a listener of ours on the
//! loopback interface; the connector throws that connection away, over which nothing has gone, and
//! goes on with a Unix socket that it opens itself. Whoever else comes to the listener is sent away.
//!
//! Where there is no such interface, the driver connects to the socket by itself, and nothing
//! is between the two: see [`Wire::is_tapped`](super::state::Wire::is_tapped).

use super::connector::Connector;
use crate::backend::postgres::errors::code;
use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use postgres::Config;
use postgres::config::SslMode;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;

/// Opened when it is first needed; one for all connections of the process, which may have to come
/// again to ask for a statement to be cancelled.
static LISTENER: Mutex<Option<TcpListener>> = Mutex::new(None);

/// How long the listener's own interface is waited for when it is opened.
const PROBE: Duration = Duration::from_millis(100);

/// The Unix socket of a server.
#[derive(Clone, Debug)]
pub(crate) struct UnixSocket {
    directory: Arc<Path>,
    port: u16,
}

impl UnixSocket {
    pub(crate) fn new(directory: &Path, port: u16) -> Self {
        Self { directory: directory.into(), port }
    }

    /// Has the driver connect so that it hands over what it takes for its socket, or by itself
    /// where there is no other way.
    pub(crate) fn claim(&self, config: &mut Config) {
        match listen() {
            Ok(port) => {
                config.host("localhost").hostaddr(Ipv4Addr::LOCALHOST.into()).port(port);
                Connector::claim(config);
            }
            Err(_) => {
                config.host_path(&self.directory).port(self.port).ssl_mode(SslMode::Disable);
            }
        }
    }

    /// Opens it, in the place of a connection to our listener.
    pub(crate) async fn open(&self) -> Result<UnixStream> {
        send_away();
        let opened = UnixStream::connect(self.path()).await;
        opened.map_err(|error| unreachable(&error))
    }

    /// As the server names it.
    fn path(&self) -> PathBuf {
        self.directory.join(format!(".s.PGSQL.{}", self.port))
    }
}

/// The port of the listener.
fn listen() -> io::Result<u16> {
    let mut listener = LISTENER.lock();
    let listening = match &mut *listener {
        Some(listening) => listening,
        none => none.insert(open_listener()?),
    };
    accept_all(listening);
    Ok(listening.local_addr()?.port())
}

fn open_listener() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    // There are machines that let nobody through.
    TcpStream::connect_timeout(&listener.local_addr()?, PROBE)?;
    Ok(listener)
}

/// Makes room for those who come next. The others close first, so that no port of theirs is kept
/// by a connection that has ended.
fn send_away() {
    if let Some(listener) = &*LISTENER.lock() {
        accept_all(listener);
    }
}

fn accept_all(listener: &TcpListener) {
    while listener.accept().is_ok() {}
}

fn unreachable(error: &io::Error) -> Error {
    let refused = Error::new(ErrorKind::Connect, error.to_string()).with_sqlstate(code("08001"));
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            refused.with_hint("start the server, or correct the URL")
        }
        _ => refused,
    }
}
