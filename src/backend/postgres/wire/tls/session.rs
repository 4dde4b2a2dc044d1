//! A TLS session, for the driver's runtime and for those who speak without it.
//!
//! Each call does what can be done without waiting. Whoever has to wait waits for the socket; what was
//! written and did not fit into the socket is sent by the next call.

use super::super::socket::Stream;
use parking_lot::Mutex;
use rustls::ClientConnection;
use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A session whose handshake is over, and its socket.
pub(crate) struct Session {
    stream: Arc<Stream>,
    state: Mutex<ClientConnection>,
    /// Whether something was decrypted that nobody has read.
    has_read: AtomicBool,
    /// Whether something was encrypted that was not sent.
    has_unsent: AtomicBool,
}

/// The socket, below the session.
struct Below<'a>(&'a Stream);

impl Read for Below<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for Below<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Session {
    pub(crate) fn new(stream: Arc<Stream>, state: ClientConnection) -> Self {
        // The server may have sent something with the end of the handshake.
        let (has_read, has_unsent) = (AtomicBool::new(true), AtomicBool::new(true));
        Self { stream, state: Mutex::new(state), has_read, has_unsent }
    }

    pub(crate) fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Whether something may be there to be read without waiting for the socket.
    pub(crate) fn has_read(&self) -> bool {
        self.has_read.load(Ordering::Acquire)
    }

    /// Whether the socket must take something before all is sent.
    pub(crate) fn has_unsent(&self) -> bool {
        self.has_unsent.load(Ordering::Acquire)
    }

    /// Reads what is there; `WouldBlock` if nothing is, 0 at the end.
    pub(crate) fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.lock();
        loop {
            match state.reader().read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    // Where there was less than room, nothing is left.
                    let is_full = read.as_ref().is_ok_and(|count| *count == bytes.len());
                    self.has_read.store(is_full, Ordering::Release);
                    return read;
                }
            }
            self.has_read.store(false, Ordering::Release);
            state.read_tls(&mut Below(&self.stream))?;
            if let Err(error) = state.process_new_packets() {
                // The other side is told why, if it listens.
                let _ = state.write_tls(&mut Below(&self.stream));
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
            // What the session itself has to say (a new key) goes as soon as there is room.
            let _ = self.send(&mut state);
        }
    }

    /// Takes what there is room for; `WouldBlock` if there is none.
    pub(crate) fn write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.state.lock();
        self.send(&mut state)?;
        let count = state.writer().write_vectored(pieces)?;
        match self.send(&mut state) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    /// Sends what was written before; `WouldBlock` if not all of it could be.
    pub(crate) fn flush(&self) -> io::Result<()> {
        if self.has_unsent() { self.send(&mut self.state.lock()) } else { Ok(()) }
    }

    /// Says that nothing more is written.
    pub(crate) fn close(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        state.send_close_notify();
        self.send(&mut state)
    }

    fn send(&self, state: &mut ClientConnection) -> io::Result<()> {
        self.has_unsent.store(true, Ordering::Release);
        while state.wants_write() {
            match state.write_tls(&mut Below(&self.stream)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
            }
        }
        self.has_unsent.store(false, Ordering::Release);
        Ok(())
    }
}

/// Without the keys.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("stream", &self.stream).finish_non_exhaustive()
    }
}
