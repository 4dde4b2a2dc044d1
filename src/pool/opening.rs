//! Opening a connection and making it ready.

use super::badge::Badge;
use super::circuit::Attempt;
use super::events::PoolEvent;
use super::failure::contained;
use super::hooks::{Hook, Hooked};
use super::link::Link;
use super::shared::Shared;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// By this share of the age at most, a connection is replaced sooner: 2.5 %.
const JITTER: f64 = 0.025;

/// Why a connection was not opened.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: Error,
    /// Whether another attempt would end in the same way.
    pub(super) is_final: bool,
}

impl Shared {
    /// Opens a connection and makes it ready, before `deadline`.
    pub(super) fn open(&self, attempt: Attempt, deadline: Instant) -> Result<Box<Link>, Refusal> {
        let since = Instant::now();
        // ORDER: before the attempt; what is lost while it lasts makes it doubtful.
        let generation = self.judge.generation();
        let end = since.checked_add(self.options.connect_timeout).unwrap_or(deadline);
        let connected = contained("the backend", || self.backend.connect(deadline.min(end)));
        let connection = connected.map_err(|error| {
            if error.kind() == ErrorKind::Unsupported {
                // The caller may not connect (it is inside an async runtime): that says nothing of
                // the server, and others may.
                self.ledger.gave_up(attempt);
            } else if Instant::now() >= deadline && error.sqlstate().is_none() {
                // It had no time to find out.
                self.ledger.cut_short(attempt, &error);
            } else {
                self.ledger.connected(attempt, Some(&error));
            }
            let is_final = !error.is_transient();
            self.refused(error, since, is_final)
        })?;
        let mut link = self.link(connection, generation);
        let is_first = match self.make_ready(&mut link) {
            Ok(is_first) => is_first,
            Err(error) => {
                let _ = contained("closing", || {
                    drop(link);
                    Ok(())
                });
                // The server did answer; what a hook says is no word of its own.
                self.ledger.gave_up(attempt);
                return Err(self.refused(error, since, true));
            }
        };
        self.ledger.connected(attempt, None);
        let connection = link.id();
        if is_first {
            self.emit(&PoolEvent::FirstConnect { connection });
        }
        self.emit(&PoolEvent::Connect { connection, took: since.elapsed() });
        Ok(link)
    }

    fn refused(&self, error: Error, since: Instant, is_final: bool) -> Refusal {
        self.emit(&PoolEvent::ConnectFailed { error: &error, took: since.elapsed() });
        Refusal { error, is_final }
    }

    fn link(&self, connection: Box<dyn Connection>, generation: u64) -> Box<Link> {
        let now = self.hooks.clock.now();
        let badge = Arc::new(Badge::new(connection.interrupt()));
        let lifetime =
            self.options.recycle.map(|age| age.saturating_sub(self.jitter(age, badge.id)));
        Box::new(Link {
            connection,
            badge,
            opened: now,
            expires: lifetime.and_then(|age| now.checked_add(age)),
            used: now,
            alive: now,
            generation,
            lost: None,
            has_news: false,
            is_doubtful: false,
            is_new: true,
            data: None,
            judge: Arc::clone(&self.judge),
            unit: None,
        })
    }

    fn jitter(&self, age: Duration, id: u64) -> Duration {
        let share = RandomState::new().hash_one(id) as f64 / u64::MAX as f64;
        self.options.recycle_jitter.unwrap_or_else(|| age.mul_f64(JITTER)).mul_f64(share)
    }

    /// Runs the hooks for a new connection; says whether it was the first.
    fn make_ready(&self, link: &mut Link) -> Result<bool> {
        let is_first = !self.is_initialized.load(Ordering::Acquire);
        if is_first {
            self.run(self.hooks.first_connect.as_deref(), "the first-connect hook", link)?;
        }
        self.run(self.hooks.connect.as_deref(), "the connect hook", link)?;
        if is_first {
            self.is_initialized.store(true, Ordering::Release);
        }
        Ok(is_first)
    }

    /// Runs a hook, which must leave the connection clean.
    fn run(&self, hook: Option<&Hook>, what: &'static str, link: &mut Link) -> Result<()> {
        let Some(hook) = hook else { return Ok(()) };
        let id = link.id();
        let Link { connection, data, .. } = link;
        let mut hooked = Hooked { id, connection: &mut **connection, data };
        self.run_hook(what, || hook(&mut hooked))?;
        if connection.in_transaction() || connection.is_broken() {
            let message = format!("{what} left the connection in a transaction or broken");
            return Err(Error::new(ErrorKind::Connect, message));
        }
        Ok(())
    }
}
