//! Ctrl-C and `kill`.

use crate::error::{Error, ErrorKind, Result};
use crate::stop::{Stop, StopToken};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use std::thread::JoinHandle;

/// Turns SIGINT and SIGTERM into requests to stop, until it is dropped.
#[derive(Debug)]
pub(super) struct Listening {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Asks `token` to stop at every SIGINT and SIGTERM: the first one finishes the batches in flight,
/// the second one rolls them back. `heard` is told what was asked for, on a thread of its own.
///
/// # Errors
/// `Internal` if the system does not let a process catch them.
pub(super) fn listen(token: StopToken, heard: impl Fn(Stop) + Send + 'static) -> Result<Listening> {
    let refused =
        |error| Error::new(ErrorKind::Internal, "signals cannot be caught").with_source(error);
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(refused)?;
    let handle = signals.handle();
    let hear = move || {
        for _ in signals.forever() {
            token.ask();
            heard(token.asked());
        }
    };
    let thread = std::thread::Builder::new().name("rowmill-signals".to_owned()).spawn(hear);
    Ok(Listening { handle, thread: Some(thread.map_err(refused)?) })
}

/// What a person is told who asked for `stop`.
pub(super) fn answer(stop: Stop) -> &'static str {
    match stop {
        Stop::No | Stop::Drain => {
            "stopping: the batches in flight are finished; once more to roll them back"
        }
        Stop::Now => "stopping: the batches in flight are rolled back",
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // The thread ends as soon as the handle is closed, and has nothing to say.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal_hook::low_level::raise;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn the_second_signal_asks_for_more_than_the_first() {
        let token = StopToken::new();
        let (tell, told) = mpsc::channel();
        let listening = listen(token.clone(), move |stop| tell.send(stop).unwrap()).unwrap();
        for (signal, stop) in [(SIGTERM, Stop::Drain), (SIGINT, Stop::Now)] {
            raise(signal).unwrap();
            assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(stop));
            assert_eq!(token.asked(), stop);
        }
        drop(listening);
        // The thread is gone, and what it held with it.
        assert!(told.recv().is_err());
    }
}
