//! Who may try to connect now.
//!
//! A server that answers is asked by all who need a connection, at once. One that is not known to
//! answer (nothing was opened yet, the last attempt failed, a connection was lost) is asked by one
//! at a time, for the whole pool, after pauses that grow; the others wait for what comes of it. So
//! a server that starts up is not stormed, a wrong password is tried once and not by every thread,
//! and the set-up of the first connection is done before there is a second.

use super::backoff::Backoff;
use crate::error::Error;
use std::time::{Duration, Instant};

/// For so long a refusal that no patience would change is given to all who ask.
const MEMORY: Duration = Duration::from_secs(1);

/// Who may try to connect now.
#[derive(Debug)]
pub(super) struct Circuit {
    answers: bool,
    is_probed: bool,
    next: Option<Instant>,
    failure: Option<Error>,
    /// When the last refusal was that no patience would change, by the pool's clock.
    refused: Option<Instant>,
    backoff: Backoff,
}

/// Whether one may try.
#[derive(Debug)]
pub(super) enum Admission {
    /// Yes, alone or beside others.
    Go(Attempt),
    /// Not now: after this moment, or when another's attempt has ended.
    Wait(Option<Instant>),
    /// No: another was refused just now, for a reason that stays.
    Refused(Error),
}

/// An attempt to connect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    is_probe: bool,
}

impl Circuit {
    pub(super) fn new() -> Self {
        Self {
            answers: false,
            is_probed: false,
            next: None,
            failure: None,
            refused: None,
            backoff: Backoff::new(),
        }
    }

    /// Whether one may try at `now`, which the pool's clock calls `dated`.
    pub(super) fn admit(&mut self, now: Instant, dated: Instant) -> Admission {
        if self.answers {
            return Admission::Go(Attempt { is_probe: false });
        }
        if let (Some(failure), Some(refused)) = (&self.failure, self.refused)
            && dated.saturating_duration_since(refused) < MEMORY
        {
            return Admission::Refused(failure.without_source());
        }
        if self.is_probed {
            return Admission::Wait(None);
        }
        match self.next.filter(|next| *next > now) {
            Some(next) => Admission::Wait(Some(next)),
            None => {
                self.is_probed = true;
                Admission::Go(Attempt { is_probe: true })
            }
        }
    }

    /// An attempt succeeded.
    pub(super) fn succeeded(&mut self, attempt: Attempt) {
        self.is_probed &= !attempt.is_probe;
        self.answers = true;
        self.next = None;
        self.failure = None;
        self.refused = None;
        self.backoff.restart();
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, attempt: Attempt, error: &Error, dated: Instant) {
        // Of several that fail together, one sets the pause.
        if attempt.is_probe || self.answers {
            self.next = Some(Instant::now() + self.backoff.pause());
        }
        self.is_probed &= !attempt.is_probe;
        self.answers = false;
        self.refused = (!error.is_transient()).then_some(dated);
        self.failure = Some(error.without_source());
    }

    /// An attempt ended with its borrower's time: the next one need not wait.
    pub(super) fn cut_short(&mut self, attempt: Attempt, error: &Error) {
        self.is_probed &= !attempt.is_probe;
        self.failure = Some(error.without_source());
    }

    /// An attempt ended without saying anything of the server.
    pub(super) fn given_up(&mut self, attempt: Attempt) {
        self.is_probed &= !attempt.is_probe;
    }

    /// A connection was lost: the server may be gone.
    pub(super) fn doubt(&mut self) {
        self.answers = false;
    }

    /// The last failure, if nothing succeeded since.
    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn go(circuit: &mut Circuit, now: Instant) -> Attempt {
        match circuit.admit(now, now) {
            Admission::Go(attempt) => attempt,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_server_that_is_not_known_is_asked_by_one_at_a_time() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        let attempt = go(&mut circuit, now);
        assert!(matches!(circuit.admit(now, now), Admission::Wait(None)));
        circuit.succeeded(attempt);
        go(&mut circuit, now);
        go(&mut circuit, now);
        circuit.doubt();
        go(&mut circuit, now);
        assert!(matches!(circuit.admit(now, now), Admission::Wait(None)));
    }

    #[test]
    fn after_a_failure_the_next_one_waits() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        let attempt = go(&mut circuit, now);
        circuit.failed(attempt, &Error::new(ErrorKind::Connect, "x"), now);
        let Admission::Wait(Some(next)) = circuit.admit(now, now) else { panic!("no pause") };
        assert!(next > now && next < now + Duration::from_secs(2));
        let attempt = go(&mut circuit, next);
        circuit.given_up(attempt);
        go(&mut circuit, next);
    }

    #[test]
    fn a_refusal_that_stays_is_remembered_for_a_second() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        let attempt = go(&mut circuit, now);
        circuit.failed(attempt, &Error::new(ErrorKind::Config, "x"), now);
        assert!(matches!(circuit.admit(now, now), Admission::Refused(_)));
        go(&mut circuit, now + MEMORY);
    }
}
