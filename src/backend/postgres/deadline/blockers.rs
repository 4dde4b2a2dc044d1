//! Who holds up a statement that waits for a lock.
//!
//! With its error the wait is over, and the server does not say then what it was for. So it is asked
//! shortly before the statement's time is up, over a session of its own that ends at once; at most
//! [`MAX_THREADS`] at a time. Where there can be none, the error says less. Behind a pooler nobody
//! knows which session is whose, and nobody asks.

use super::watchdog::{self, Alarm};
use crate::backend::postgres::connecting;
use crate::backend::postgres::session::setup::Purpose;
use crate::backend::postgres::settings::Target;
use crate::backend::postgres::wire::state::Wire;
use parking_lot::Mutex;
use postgres::SimpleQueryMessage;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const MAX_THREADS: usize = 2;

/// A limit that is shorter is not worth a session.
const LEAST: Duration = Duration::from_secs(1);

/// How long before the end of its time a statement is asked for, at most half of that time.
const AHEAD: Duration = Duration::from_secs(1);

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Finds out who holds up the statements of one connection.
#[derive(Debug)]
pub(crate) struct Blockers {
    target: Target,
    wire: Arc<Wire>,
}

/// A statement that may have to be asked for; dropping it ends that.
#[derive(Debug)]
pub(crate) struct Watch {
    // Held for its drop.
    _alarm: Alarm,
    told: Arc<Mutex<Option<Blocker>>>,
}

/// Who holds up a statement.
#[derive(Clone, Debug)]
pub(crate) struct Blocker {
    processes: String,
    table: Option<String>,
}

impl Blockers {
    /// For the connection of `wire` to a host of the target; `None` behind a pooler.
    pub(crate) fn new(target: &Target, host: usize, wire: Arc<Wire>) -> Option<Self> {
        (!target.pooled).then(|| Self { target: target.only(host), wire })
    }

    /// Has a statement asked for that began at `started` and runs until its time is almost up.
    pub(crate) fn watch(self: &Arc<Self>, started: Instant, limit: Duration) -> Option<Watch> {
        if limit < LEAST {
            return None;
        }
        let told = Arc::default();
        let (blockers, tell) = (Arc::clone(self), Arc::clone(&told));
        let due = started + limit.saturating_sub(AHEAD.min(limit / 2));
        let ask = move || blockers.ask_on_a_thread(tell);
        Some(Watch { _alarm: watchdog::call_at(due, &self.wire, Box::new(ask)), told })
    }

    fn ask_on_a_thread(self: Arc<Self>, told: Arc<Mutex<Option<Blocker>>>) {
        let Some(process) = self.wire.process() else { return };
        if THREADS.fetch_add(1, Ordering::AcqRel) < MAX_THREADS {
            let ask = move || {
                *told.lock() = self.ask(process);
                THREADS.fetch_sub(1, Ordering::AcqRel);
            };
            if thread::Builder::new().name("rowmill-blockers".into()).spawn(ask).is_ok() {
                return;
            }
        }
        THREADS.fetch_sub(1, Ordering::AcqRel);
    }

    fn ask(&self, process: i32) -> Option<Blocker> {
        let deadline = Instant::now() + AHEAD;
        let asked = connecting::open(&self.target, Purpose::Work, deadline, move |mut asking| {
            asking.with_client(|client, _| client.simple_query(&sql(process)))
        });
        asked.ok()?.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(Blocker {
                processes: row.try_get(0).ok()??.to_owned(),
                table: row.try_get(1).ok()?.map(str::to_owned),
            }),
            _ => None,
        })
    }
}

/// Whoever waits for a row holds the lock of its place.
fn sql(process: i32) -> String {
    format!(
        "SELECT pg_catalog.string_agg(blocker::text, ', '),
                (SELECT l.relation::pg_catalog.regclass FROM pg_catalog.pg_locks l
                 WHERE l.pid = {process} AND l.relation IS NOT NULL
                       AND (NOT l.granted OR l.locktype = 'tuple')
                 ORDER BY l.granted LIMIT 1)
         FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({process})) blocker"
    )
}

impl Watch {
    /// Who held up the statement, as far as that was told in time.
    pub(crate) fn stop(self) -> Option<Blocker> {
        self.told.lock().take()
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it waited for a lock")?;
        if let Some(table) = &self.table {
            write!(f, " on {table}")?;
        }
        write!(f, " that process {} holds", self.processes)
    }
}
