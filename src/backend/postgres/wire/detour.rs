//! A listener of ours, to which the driver connects in the place of a server.
//!
//! The driver gives its socket to a connector only for a host that has a name, which a Unix socket
//! has not; it lets nobody at the descriptor of one, and takes no socket from outside. So it is told to
//! connect to a listener on the loopback interface; the connector throws that connection away, over
//! which nothing has gone, and goes on with a socket that it opens itself. Whoever else comes to the
//! listener is sent away.

use parking_lot::Mutex;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// Opened when it is first needed; one for all connections of the process, which may have to come
/// again to ask for a statement to be cancelled.
static LISTENER: Mutex<Option<TcpListener>> = Mutex::new(None);

/// How long the listener's own interface is waited for when it is opened.
const PROBE: Duration = Duration::from_millis(100);

/// The port of the listener.
pub(crate) fn listen() -> io::Result<u16> {
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
pub(crate) fn send_away() {
    if let Some(listener) = &*LISTENER.lock() {
        accept_all(listener);
    }
}

fn accept_all(listener: &TcpListener) {
    while listener.accept().is_ok() {}
}
