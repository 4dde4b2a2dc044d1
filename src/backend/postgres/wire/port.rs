//! What the driver and those who speak without it share of one socket.
//!
//! The driver looks at its socket only inside its own calls, and each of them is over before the next
//! statement begins. So between two of them the socket is free for others, as long as neither
//! direction stands within a message. What the others read beyond what they asked for, the next one
//! gets first, whoever it is.

use super::flow::Flow;
use super::socket_table::Ends;
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::ReadBuf;

/// The way to one server.
#[derive(Debug)]
pub(crate) struct Port {
    flow: Flow,
    /// Whether the driver is between two messages, in both directions, and has asked for an answer to
    /// whatever it sent.
    is_at_rest: AtomicBool,
    has_left: AtomicBool,
    left: Mutex<Vec<u8>>,
}

impl Port {
    pub(crate) fn new(flow: Flow) -> Self {
        let (is_at_rest, has_left) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { flow, is_at_rest, has_left, left: Mutex::default() }
    }

    /// Whether others than the driver may speak.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_at_rest.load(Ordering::Acquire)
    }

    pub(crate) fn rest(&self, is_at_rest: bool) {
        self.is_at_rest.store(is_at_rest, Ordering::Release);
    }

    /// Leaves what was read to whoever reads next.
    pub(crate) fn leave(&self, bytes: &[u8]) {
        self.left.lock().extend_from_slice(bytes);
        self.has_left.store(true, Ordering::Release);
    }

    /// Takes as much of what was left as there is room for; says whether that was anything.
    pub(crate) fn take_left(&self, buffer: &mut ReadBuf<'_>) -> bool {
        if !self.has_left.load(Ordering::Acquire) {
            return false;
        }
        let mut left = self.left.lock();
        let count = buffer.remaining().min(left.len());
        buffer.put_slice(&left[..count]);
        left.drain(..count);
        self.has_left.store(!left.is_empty(), Ordering::Release);
        count > 0
    }

    /// Its two ends, if it is one of TCP.
    pub(crate) fn ends(&self) -> Option<Ends> {
        self.flow.stream().ends()
    }

    /// Reads what is there: without waiting, `WouldBlock` if nothing is; 0 at the end.
    pub(crate) fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(bytes);
        if self.take_left(&mut buffer) {
            return Ok(buffer.filled().len());
        }
        self.flow.read(bytes)
    }

    /// Writes as much as there is room for: without waiting, `WouldBlock` if there is none.
    pub(crate) fn write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flow.write(pieces)
    }

    /// Sends what was taken: without waiting, `WouldBlock` if there is no room for all of it.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.flow.flush()
    }

    /// Waits until it can be read, or, if that is wanted, written; says whether it can be read, as one
    /// that has ended can, too. At the deadline it cannot.
    pub(crate) fn wait(&self, to_write: bool, deadline: Option<Instant>) -> io::Result<bool> {
        if self.has_left.load(Ordering::Acquire) || self.flow.has_read() {
            return Ok(true);
        }
        let wanted = if to_write { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut polled = [PollFd::new(&**self.flow.stream(), wanted)];
        let left =
            deadline.map(|deadline| timespec(deadline.saturating_duration_since(Instant::now())));
        poll(&mut polled, left.as_ref())?;
        Ok(polled[0].revents().intersects(!PollFlags::OUT))
    }

    /// Waits until the server has closed it, or the deadline is over.
    pub(crate) fn wait_for_end(&self, deadline: Instant) {
        let mut bytes = [0; 512];
        while self.wait(false, Some(deadline)).unwrap_or(false) {
            match self.read(&mut bytes) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    }

    /// Ends it: whoever waits for it goes on at once. Never blocks.
    pub(crate) fn shut_down(&self) {
        self.flow.stream().shut_down();
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: duration.subsec_nanos().into() }
}

#[cfg(test)]
mod tests {
    use super::super::socket::Stream;
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::thread;

    /// A port, and the other side of its socket.
    fn port() -> (tokio::runtime::Runtime, Port, UnixStream) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (ours, other) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let guard = runtime.enter();
        let stream = Stream::Unix(tokio::net::UnixStream::from_std(ours).unwrap());
        drop(guard);
        (runtime, Port::new(Flow::Plain(Arc::new(stream))), other)
    }

    #[test]
    fn what_was_left_comes_before_what_the_socket_has() {
        let (_runtime, port, mut other) = port();
        other.write_all(b"later").unwrap();
        port.leave(b"now");
        let mut bytes = [0; 2];
        let mut read = || {
            assert!(port.wait(false, None).unwrap());
            let count = port.read(&mut bytes).unwrap();
            bytes[..count].to_vec()
        };
        assert_eq!([read(), read(), read()], [b"no".to_vec(), b"w".to_vec(), b"la".to_vec()]);
    }

    #[test]
    fn a_wait_ends_at_its_deadline_and_when_the_socket_is_shut_down() {
        let (_runtime, port, _other) = port();
        assert!(!port.wait(false, Some(Instant::now() + Duration::from_millis(5))).unwrap());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| port.wait(false, None).unwrap());
            port.shut_down();
            assert!(waiting.join().unwrap());
        });
        assert_eq!(port.read(&mut [0; 8]).unwrap(), 0);
    }
}
