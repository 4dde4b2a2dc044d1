//! Ending, from another thread, what a connection does.
//!
//! A request to cancel goes over a connection of its own and can take long where the server is
//! silent, so it is made on a thread: at most [`MAX_THREADS`] at once, and as many more wait as
//! [`MAX_WAITING`]. What finds no place is not cancelled; what has a deadline is then severed.

use super::watchdog;
use crate::backend::interrupt::Interrupt;
use crate::backend::postgres::wire::connector::Connector;
use crate::backend::postgres::wire::state::Wire;
use parking_lot::Mutex;
use postgres::CancelToken;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const MAX_THREADS: usize = 8;
const MAX_WAITING: usize = 256;

/// What a request to cancel may take.
const PATIENCE: Duration = Duration::from_secs(5);

struct Requests {
    waiting: Vec<Request>,
    threads: usize,
}

#[derive(Clone)]
struct Request {
    token: CancelToken,
    connector: Connector,
}

static REQUESTS: Mutex<Requests> = Mutex::new(Requests { waiting: Vec::new(), threads: 0 });

/// Ends what one connection does.
pub(crate) struct Interrupter {
    wire: Arc<Wire>,
    request: Request,
    /// Whether a request was made that may still be on its way.
    sent: AtomicBool,
}

impl Interrupter {
    /// For the connection of `token`; requests go through copies of `connector`.
    pub(crate) fn new(wire: Arc<Wire>, token: CancelToken, connector: &Connector) -> Self {
        let connector = connector.elsewhere(Arc::default());
        Self { wire, request: Request { token, connector }, sent: AtomicBool::new(false) }
    }

    /// Whether a request was made since the last time this was asked.
    pub(crate) fn take_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire) && self.sent.swap(false, Ordering::AcqRel)
    }

    /// Asks the server to end the statement that runs, on a thread.
    pub(crate) fn cancel_now(&self) {
        self.sent.store(true, Ordering::Release);
        let mut requests = REQUESTS.lock();
        if requests.waiting.len() >= MAX_WAITING {
            return;
        }
        requests.waiting.push(self.request.clone());
        if requests.threads < MAX_THREADS
            && thread::Builder::new().name("rowmill-cancel".into()).spawn(work).is_ok()
        {
            requests.threads += 1;
        }
    }

    /// Asks the server to end the statement that runs, and waits until it was asked.
    pub(crate) fn cancel_here(&self) {
        send(self.request.clone());
    }
}

impl Interrupt for Interrupter {
    fn cancel(&self) {
        // Where nothing runs, it would hit whatever runs next.
        let is_idle = self.wire.is_tapped() && self.wire.is_settled();
        if !is_idle {
            self.cancel_now();
        }
    }

    fn sever(&self) {
        self.wire.sever();
    }
}

fn work() {
    loop {
        let mut requests = REQUESTS.lock();
        let Some(request) = requests.waiting.pop() else {
            requests.threads -= 1;
            return;
        };
        drop(requests);
        send(request);
    }
}

fn send(Request { token, connector }: Request) {
    let wire = Arc::new(Wire::default());
    let _alarm = watchdog::sever_at(Instant::now() + PATIENCE, &wire);
    let connector = connector.elsewhere(wire);
    // Without an answer to the request there is nothing to learn from its error.
    let _ = catch_unwind(AssertUnwindSafe(|| token.cancel_query(connector)));
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupter").field("wire", &self.wire).finish_non_exhaustive()
    }
}
