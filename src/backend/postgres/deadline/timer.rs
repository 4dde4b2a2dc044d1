//! How long one statement may take.
//!
//! The server has the first word (`statement_timeout`): it keeps the connection usable. Where it
//! does not act, because it stands still, waits for us or is out of reach, the watchdog does.

use super::blockers::{Blockers, Watch};
use super::interrupt::Interrupter;
use super::watchdog::{self, Alarm, Rung};
use crate::backend::postgres::errors::{self, code};
use crate::backend::postgres::wire::state::Wire;
use crate::error::{Error, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the server gets beyond the limit before it is asked to cancel.
const SLACK: Duration = Duration::from_millis(250);

/// The limit of a statement that runs.
pub(crate) struct Timer {
    limit: Duration,
    started: Instant,
    alarm: Alarm,
    watch: Option<Watch>,
}

impl Timer {
    pub(crate) fn start(
        limit: Duration,
        wire: &Arc<Wire>,
        who: &Arc<Interrupter>,
        blockers: Option<&Arc<Blockers>>,
    ) -> Self {
        let started = Instant::now();
        let watch = blockers.and_then(|blockers| blockers.watch(started, limit));
        let alarm = watchdog::cancel_at(started + limit + SLACK, wire, who);
        Self { limit, started, alarm, watch }
    }

    /// The statement ended; gives its error another text if the limit ended it.
    pub(crate) fn stop<T>(self, outcome: Result<T, Error>) -> Result<T, Error> {
        let Self { limit, started, alarm, watch } = self;
        let rung = alarm.stop();
        let blocker = watch.and_then(Watch::stop);
        outcome.map_err(|error| {
            let is_cancelled = is_cancelled(&error);
            if rung == Rung::Severed && error.kind() == ErrorKind::Disconnect {
                let message =
                    format!("no answer within {limit:?}, nor to a request to cancel: cut off");
                errors::disconnect(&message).with_hint(HINT)
            } else if is_cancelled && (rung != Rung::Never || started.elapsed() >= limit) {
                let why = blocker.map(|blocker| format!("; {blocker}")).unwrap_or_default();
                let message = format!("the statement took longer than {limit:?}: cancelled{why}");
                Error::new(ErrorKind::Database, message)
                    .with_sqlstate(code("57014"))
                    .with_hint(HINT)
            } else {
                error
            }
        })
    }
}

const HINT: &str = "the limit is the statement timeout";

/// Whether the server cancelled the statement.
pub(crate) fn is_cancelled(error: &Error) -> bool {
    error.sqlstate() == Some(code("57014"))
}
