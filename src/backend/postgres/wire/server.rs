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

fn unreachable(error: &io::Error) -> Error {
    let refused = Error::new(ErrorKind::Connect, error.to_string()).with_sqlstate(code("08001"));
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            refused.with_hint("start the server, or correct the URL")
        }
        _ => refused,
    }
}
