//! Where a server listens, and opening a socket to it.
//!
//! The driver is sent on a [detour], so that the socket is ours. Where there is no loopback interface,
//! it connects by itself: to a host with a name its socket is tapped all the same, over a Unix
//! socket nothing is between the two: see [`Wire::is_tapped`](super::state::Wire::is_tapped).

use super::connector::Connector;
use super::detour;
use super::socket::Stream;
use crate::backend::postgres::errors::code;
use crate::error::{Error, ErrorKind, Result};
use crate::url::{PostgresHost, Reach};
use postgres::Config;
use postgres::config::SslMode;
use socket2::{SockRef, TcpKeepalive};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// A server, as the user names it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    whereabouts: Whereabouts,
    port: u16,
    watch: Watch,
}

#[derive(Clone, Debug)]
enum Whereabouts {
    /// The directory of its socket.
    Unix(Arc<Path>),
    Name(Arc<str>),
    Address(IpAddr),
}

/// How the system notices that the other side is gone.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// `None` where it does not ask.
    pub(crate) keepalive: Option<TcpKeepalive>,
    /// How long what was sent may stay without an acknowledgement.
    pub(crate) unacknowledged: Duration,
}

/// One of the addresses of a server.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Unix(Arc<Path>),
    /// A socket that the user did not name, and whose it must be.
    Found(Arc<Path>, u32),
    Tcp(SocketAddr, Watch),
}

impl Server {
    pub(crate) fn new(host: &PostgresHost, watch: Watch) -> Self {
        let whereabouts = match &host.reach {
            Reach::Unix(directory) => Whereabouts::Unix(directory.as_path().into()),
            Reach::Name(name) => Whereabouts::Name(name.as_str().into()),
            Reach::Address { address, .. } => Whereabouts::Address(*address),
        };
        Self { whereabouts, port: host.port, watch }
    }

    /// Has the driver connect to our listener; says whether it does, or by itself because there is no
    /// other way.
    pub(crate) fn claim(&self, config: &mut Config) -> bool {
        if let Ok(port) = detour::listen() {
            config.host("localhost").hostaddr(Ipv4Addr::LOCALHOST.into()).port(port);
            Connector::claim(config);
            return true;
        }
        match &self.whereabouts {
            Whereabouts::Unix(directory) => {
                config.host_path(directory).ssl_mode(SslMode::Disable);
            }
            Whereabouts::Name(name) => {
                config.host(name);
                Connector::claim(config);
            }
            Whereabouts::Address(address) => {
                // The driver hands its socket over only for a host that has a name.
                config.host(&address.to_string()).hostaddr(*address);
                Connector::claim(config);
            }
        }
        config.port(self.port);
        false
    }

    /// Its addresses, in the order in which they are to be tried. Takes as long as the resolution
    /// of its name.
    pub(crate) fn places(&self) -> Result<Vec<Place>> {
        let tcp = |address| Place::Tcp(address, self.watch.clone());
        match &self.whereabouts {
            Whereabouts::Unix(directory) => {
                Ok(vec![Place::Unix(directory.join(format!(".s.PGSQL.{}", self.port)).into())])
            }
            Whereabouts::Address(address) => Ok(vec![tcp(SocketAddr::new(*address, self.port))]),
            Whereabouts::Name(name) => {
                let found = (&**name, self.port).to_socket_addrs();
                let places: Vec<_> = found.map_err(|error| unreachable(&error))?.map(tcp).collect();
                if places.is_empty() {
                    let nothing = io::Error::other("could not resolve any addresses");
                    return Err(unreachable(&nothing));
                }
                Ok(places)
            }
        }
    }
}

impl Place {
    /// Opens a socket to it, in the place of a connection to our listener.
    pub(crate) async fn open(&self, patience: Duration) -> Result<Stream> {
        detour::send_away();
        let opened = tokio::time::timeout(patience, self.connect()).await;
        let late = || io::Error::new(io::ErrorKind::TimedOut, "connection timed out");
        opened.unwrap_or_else(|_| Err(late())).map_err(|error| unreachable(&error))
    }

    async fn connect(&self) -> io::Result<Stream> {
        match self {
            Self::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
            Self::Found(path, owner) => {
                let opened = UnixStream::connect(path).await?;
                // Nothing was sent yet, and who listens cannot be another one later.
                if opened.peer_cred()?.uid() != *owner {
                    let whose = "the socket belongs to another user";
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, whose));
                }
                Ok(Stream::Found(opened))
            }
            Self::Tcp(address, watch) => {
                let opened = TcpStream::connect(address).await?;
                opened.set_nodelay(true)?;
                let socket = SockRef::from(&opened);
                #[cfg(target_os = "linux")]
                socket.set_tcp_user_timeout(Some(watch.unacknowledged))?;
                if let Some(keepalive) = &watch.keepalive {
                    socket.set_tcp_keepalive(keepalive)?;
                }
                Ok(Stream::Tcp(opened))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) | Self::Found(path, _) => path.display().fmt(f),
            Self::Tcp(address, _) => address.fmt(f),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    #[test]
    fn nothing_is_said_to_a_socket_of_another_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".s.PGSQL.5432");
        let listener = UnixListener::bind(&path).unwrap();
        let us = rustix::process::geteuid().as_raw();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let open = |owner| runtime.block_on(Place::Found(path.as_path().into(), owner).connect());
        let refused = open(us + 1).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let mut said = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut said).unwrap();
        assert!(said.is_empty());
        assert!(matches!(open(us).unwrap(), Stream::Found(_)));
    }
}
