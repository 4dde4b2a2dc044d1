//! What is known of the code in a database, by all connections of an engine.

use super::inventory;
use super::reach::Reach;
use crate::backend::postgres::connection::PostgresConnection;
use crate::error::{ErrorKind, Result};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it is relied upon.
const LASTS: Duration = Duration::from_secs(10);
const LASTS_AT_MOST: Duration = Duration::from_mins(5);

/// Reading takes at most this part of the time.
const SHARE: u32 = 100;

/// What is known of the code in a database.
#[derive(Debug, Default)]
pub(crate) struct Knowledge(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// How often something was created; what is read meanwhile is old.
    changes: u64,
    is_being_read: bool,
}

#[derive(Clone, Debug)]
struct Known {
    reach: Arc<Reach>,
    since: Instant,
    lasts: Duration,
}

/// What is to be done about a session whose statements were judged by what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// Nothing: that is still known.
    Fresh,
    /// It is read again, by whoever is told so.
    Due(u64),
    /// It is too old, and another reads it.
    Old,
}

impl State {
    fn is_within(&self, times: u32, now: Instant) -> bool {
        self.known
            .as_ref()
            .is_some_and(|known| now.saturating_duration_since(known.since) < known.lasts * times)
    }
}

impl Knowledge {
    /// What is known now.
    pub(crate) fn reach(&self) -> Option<Arc<Reach>> {
        self.0.lock().known.as_ref().map(|known| Arc::clone(&known.reach))
    }

    /// Something was created that may run by itself.
    pub(crate) fn forget(&self) {
        let mut state = self.0.lock();
        state.known = None;
        state.changes += 1;
    }

    /// Whether it is not time yet to read the catalog.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.0.lock().is_within(1, now)
    }

    fn age(&self, now: Instant) -> Age {
        let mut state = self.0.lock();
        if state.is_within(1, now) || (state.is_being_read && state.is_within(2, now)) {
            return Age::Fresh;
        }
        if std::mem::replace(&mut state.is_being_read, true) {
            return Age::Old;
        }
        Age::Due(state.changes)
    }

    /// Keeps what was read at `since`, if nothing was created after that; says whether it was known.
    fn keep(&self, reach: Reach, changes: u64, since: Instant, now: Instant) -> bool {
        let mut state = self.0.lock();
        state.is_being_read = false;
        let lasts = (now.saturating_duration_since(since) * SHARE).clamp(LASTS, LASTS_AT_MOST);
        let is_known = state.known.as_ref().is_some_and(|known| *known.reach == reach);
        if state.changes == changes {
            state.known = Some(Known { reach: Arc::new(reach), since, lasts });
        }
        is_known
    }
}

/// Whether what the statements of a session were judged by still holds, after reading the catalog
/// if it is time to; `is_judged` says whether anything was known when they ran. A catalog that
/// cannot be read is one in which everything is possible.
pub(crate) fn holds(connection: &mut PostgresConnection, is_judged: bool) -> Result<bool> {
    let knowledge = Arc::clone(&connection.setup.knowledge);
    let since = Instant::now();
    let changes = match knowledge.age(since) {
        Age::Fresh => {
            return Ok(is_judged || knowledge.reach().is_some_and(|reach| reach.is_nothing()));
        }
        Age::Old => return Ok(false),
        Age::Due(changes) => changes,
    };
    let mut reading = Reading { knowledge: &knowledge, changes, since, is_kept: false };
    let read = inventory::read(connection);
    let reach = read.as_ref().map_or_else(|_| Reach::anywhere(), Reach::of);
    let is_nothing = reach.is_nothing();
    // Also where the time was not enough: the next one would only lose it again.
    let is_known = reading.keep(reach);
    match read {
        Err(error) if error.kind() != ErrorKind::Database => Err(error),
        _ => Ok(is_nothing || (is_judged && is_known)),
    }
}

/// One who reads. Others must not wait for one who was interrupted.
struct Reading<'a> {
    knowledge: &'a Knowledge,
    changes: u64,
    since: Instant,
    is_kept: bool,
}

impl Reading<'_> {
    fn keep(&mut self, reach: Reach) -> bool {
        self.is_kept = true;
        self.knowledge.keep(reach, self.changes, self.since, Instant::now())
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.knowledge.0.lock().is_being_read = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reads_and_the_others_go_on_for_a_while() {
        let (knowledge, start) = (Knowledge::default(), Instant::now());
        assert!(!knowledge.is_fresh(start));
        assert_eq!(knowledge.age(start), Age::Due(0));
        assert_eq!(knowledge.age(start), Age::Old);
        assert!(!knowledge.keep(Reach::default(), 0, start, start));
        assert!(knowledge.is_fresh(start) && knowledge.reach().is_some());
        let later = start + LASTS;
        assert_eq!(knowledge.age(later), Age::Due(0));
        assert_eq!(knowledge.age(later), Age::Fresh);
        assert_eq!(knowledge.age(later + LASTS), Age::Old);
        assert!(knowledge.keep(Reach::default(), 0, later, later));
        assert_eq!(knowledge.age(later), Age::Fresh);
    }

    #[test]
    fn what_takes_long_is_done_more_rarely() {
        let (knowledge, start) = (Knowledge::default(), Instant::now());
        let second = Duration::from_secs(1);
        knowledge.keep(Reach::default(), 0, start, start + second);
        assert!(
            knowledge.is_fresh(start + 99 * second) && !knowledge.is_fresh(start + 100 * second)
        );
    }

    #[test]
    fn what_was_read_while_something_was_created_is_not_kept() {
        let (knowledge, start) = (Knowledge::default(), Instant::now());
        let Age::Due(changes) = knowledge.age(start) else { panic!("it is due") };
        knowledge.forget();
        knowledge.keep(Reach::default(), changes, start, start);
        assert!(knowledge.reach().is_none());
        assert_eq!(knowledge.age(start), Age::Due(1));
    }
}
