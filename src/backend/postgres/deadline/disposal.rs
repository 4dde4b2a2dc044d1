//! Closing connections without making anybody wait.
//!
//! Dropping the driver's client waits for every answer that is still owed, which a silent server
//! never gives; inside an async runtime it panics. So connections are closed on threads of their
//! own: at most [`MAX_THREADS`], started when there is something to close. What finds no thread
//! waits in a list; a connection there is already unused, only its socket is still open. One that
//! owes an answer is cut first, so that no thread stays in it; where there is no tap, nothing can be
//! cut, and the thread stays until the server answers or ends.

use super::interrupt::Interrupter;
use super::watchdog;
use crate::backend::postgres::statement::cache::Statements;
use crate::backend::postgres::wire::state::Wire;
use parking_lot::Mutex;
use postgres::Client;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

const MAX_THREADS: usize = 16;

/// How long taking leave of a server may take.
const LEAVE: Duration = Duration::from_secs(2);

/// A connection that nobody uses any more.
pub(crate) struct Remains {
    pub(crate) client: Client,
    pub(crate) statements: Statements,
    pub(crate) wire: Arc<Wire>,
    pub(crate) interrupter: Arc<Interrupter>,
    /// Whether a statement may still be running, which is to be cancelled first.
    pub(crate) running: bool,
}

struct Waiting {
    remains: Remains,
    done: Option<SyncSender<()>>,
}

struct Graveyard {
    waiting: Vec<Waiting>,
    threads: usize,
}

static GRAVEYARD: Mutex<Graveyard> = Mutex::new(Graveyard { waiting: Vec::new(), threads: 0 });

/// Closes a connection, some time.
pub(crate) fn close(remains: Remains) {
    enqueue(Waiting { remains, done: None });
}

/// Closes a connection and waits until it is closed, at most `patience`.
pub(crate) fn close_within(remains: Remains, patience: Duration) {
    let (sender, receiver) = sync_channel(1);
    enqueue(Waiting { remains, done: Some(sender) });
    // Both outcomes are fine: closed, or still being closed.
    let _ = receiver.recv_timeout(patience);
}

fn enqueue(waiting: Waiting) {
    let mut graveyard = GRAVEYARD.lock();
    graveyard.waiting.push(waiting);
    if graveyard.threads == MAX_THREADS {
        return;
    }
    // A thread that cannot be started leaves its connection to the next one that can.
    if thread::Builder::new().name("rowmill-close".into()).spawn(work).is_ok() {
        graveyard.threads += 1;
    }
}

fn work() {
    loop {
        let mut graveyard = GRAVEYARD.lock();
        let Some(Waiting { remains, done }) = graveyard.waiting.pop() else {
            graveyard.threads -= 1;
            return;
        };
        drop(graveyard);
        let _ = catch_unwind(AssertUnwindSafe(|| bury(remains)));
        if let Some(done) = done {
            let _ = done.send(());
        }
    }
}

fn bury(remains: Remains) {
    let Remains { client, statements, wire, interrupter, running } = remains;
    if running {
        // Without it the server would go on sending a result that nobody reads.
        interrupter.cancel_here();
    }
    // A connection that owes an answer is cut: there is nothing to take leave from.
    if running || !wire.is_settled() {
        wire.sever();
    }
    let _alarm = watchdog::sever_at(Instant::now() + LEAVE, &wire);
    // ORDER: before the statements, which would otherwise ask the server to forget them, one by one.
    drop(client);
    drop(statements);
}
