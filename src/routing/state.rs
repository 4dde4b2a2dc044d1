//! What is known of all servers together, and what follows from it.

use super::branches::Branches;
use super::health::{Change, Health};
use super::history::History;
use super::node::is_certain;
use super::options::RoutingOptions;
use super::roles::{Heard, Roles, Said, Verdict};
use crate::backend::server_state::{LogPosition, ServerState};
use crate::error::{Error, Result};
use std::time::{Duration, Instant};

/// What is known of all servers together. It knows no clock: moments are given.
#[derive(Debug)]
pub(super) struct State {
    pub(super) roles: Roles,
    pub(super) history: History,
    pub(super) branches: Branches,
    pub(super) seen: Vec<Seen>,
    /// Counts the moments from which on all has to be asked anew.
    doubts: u64,
    /// Whether one of another cluster was found before anything was done.
    pub(super) stranger: Option<usize>,
}

/// What is known of one server.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) health: Health,
    pub(super) latency: Option<Duration>,
    pub(super) position: LogPosition,
    /// By how much it lagged at most when it and the primary were last heard of.
    pub(super) lag: Option<Duration>,
    /// The same, by what it says itself.
    own_lag: Option<Duration>,
    /// When it was asked for what it answered last.
    asked: Option<Instant>,
    pub(super) lag_bytes: Option<u64>,
    pub(super) is_lagging: bool,
    /// It has not lagged once.
    was_fresh: bool,
    /// It gave no answer, or a connection to it was lost, and it has not answered since.
    pub(super) is_doubtful: bool,
    pub(super) error: Option<Error>,
    /// How many doubts there were when it was asked last.
    asked_after: u64,
}

/// A question that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    node: usize,
    doubts: u64,
    asked: Instant,
}

/// What is to be done outside of the lock.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    /// The connections to these are cut.
    pub(super) cut: Vec<(usize, Why)>,
    /// All are asked at once.
    pub(super) ask_all: bool,
}

/// Why connections are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It gave no answer.
    Gone,
    /// Another one is the primary now.
    Deposed { by: usize },
    /// It is no primary any more.
    Demoted,
}

/// The last answers count by this part.
const NEWEST: f64 = 0.2;

impl State {
    pub(super) fn new(nodes: usize) -> Self {
        let seen = || Seen {
            health: Health::new(),
            latency: None,
            position: LogPosition::default(),
            lag: None,
            own_lag: None,
            asked: None,
            lag_bytes: None,
            is_lagging: false,
            was_fresh: false,
            is_doubtful: false,
            error: None,
            asked_after: 0,
        };
        Self {
            roles: Roles::new(nodes),
            history: History::default(),
            branches: Branches::default(),
            seen: (0..nodes).map(|_| seen()).collect(),
            doubts: 0,
            stranger: None,
        }
    }

    /// A question to `node` begins at `asked`.
    pub(super) fn question(&self, node: usize, asked: Instant) -> Question {
        Question { node, doubts: self.doubts, asked }
    }

    /// What came of a question, at `now`; `share` is a throw of the dice.
    pub(super) fn heard(
        &mut self,
        question: Question,
        answer: Result<(ServerState, Duration)>,
        now: Instant,
        share: f64,
        options: &RoutingOptions,
    ) -> Consequences {
        let node = question.node;
        let was_settled = self.roles.verdict() != Verdict::Unsettled;
        let before = (self.roles.last_primary(), self.roles.said(node).cloned());
        let mut consequences = Consequences::default();
        let seen = &mut self.seen[node];
        seen.asked_after = question.doubts;
        let heard = match answer {
            Ok((state, took)) => {
                seen.answered(&state, took, question.asked);
                seen.health.answered(now, options);
                Heard::Said(Said::from(&state))
            }
            Err(error) => {
                let certain = is_certain(&error);
                seen.is_doubtful |= certain || before.0 != Some(node);
                seen.error = Some(error);
                if seen.health.failed(now, certain, share, options) == Change::Went {
                    seen.is_doubtful = true;
                    // Reads can be done again elsewhere. Those who write wait for a primary that may
                    // only have much to do, until another takes its place.
                    if before.0 != Some(node) {
                        consequences.cut.push((node, Why::Gone));
                    }
                }
                Heard::Silence
            }
        };
        let deposed = self.roles.hear(node, heard);
        if let (Some(old), Some(by)) = (deposed, self.roles.last_primary()) {
            consequences.cut.push((old, Why::Deposed { by }));
        }
        if self.roles.last_primary() != before.0 {
            self.history.clear();
        }
        self.look_at_change(node, before.1.as_ref(), &mut consequences);
        if !was_settled && self.roles.verdict() != Verdict::Unsettled {
            self.stranger = self.roles.stranger();
        }
        // The others were heard of before there was anything to measure them by.
        consequences.ask_all |= self.measure(node, question.asked, now, options);
        consequences
    }

    /// A primary that was started anew, or is none any more: another may have taken its place.
    fn look_at_change(&mut self, node: usize, before: Option<&Said>, then: &mut Consequences) {
        let (Some(before), Some(said)) = (before, self.roles.said(node)) else { return };
        if before.takes_writes && !said.takes_writes {
            then.cut.push((node, Why::Demoted));
        }
        if before.takes_writes && before != said {
            self.doubts += 1;
            then.ask_all = true;
        }
    }

    /// Says whether this was the first that was heard of a primary.
    fn measure(
        &mut self,
        node: usize,
        asked: Instant,
        now: Instant,
        options: &RoutingOptions,
    ) -> bool {
        let primary = self.primary();
        let was_known = self.history.last().is_some();
        if primary == Some(node) && self.roles.said(node).is_some() {
            self.history.push(asked, self.seen[node].position);
        }
        let (last, heard) = (self.history.last(), self.history.last_heard());
        for (number, seen) in self.seen.iter_mut().enumerate() {
            if Some(number) == primary || !self.roles.is_replica(number) {
                (seen.lag, seen.lag_bytes, seen.is_lagging) = (None, None, false);
                continue;
            }
            // As of when both were heard of: that the one was asked later than the other is no lag.
            seen.lag = [seen.asked, heard]
                .into_iter()
                .flatten()
                .min()
                .and_then(|at| seen.lag_at(at, &self.history));
            seen.lag_bytes = last.map(|last| last.bytes_since(seen.position));
            if seen.judge_lag(last.is_some(), options) {
                seen.health.warm_up(now);
            }
        }
        !was_known && last.is_some()
    }

    /// A connection to `node` was lost, or could not be opened.
    pub(super) fn doubt(&mut self, node: usize) {
        if let Some(seen) = self.seen.get_mut(node) {
            seen.is_doubtful = true;
        }
        // Another may take the place of a primary, and of nobody else.
        self.doubts += u64::from(self.primary() == Some(node));
    }

    /// The primary, or the last one while there is none.
    pub(super) fn primary(&self) -> Option<usize> {
        self.roles.last_primary()
    }

    /// The one that can be written to now.
    pub(super) fn writable(&self) -> Option<usize> {
        let Verdict::Primary(node) = self.roles.verdict() else { return None };
        let seen = self.seen.get(node)?;
        // ORDER: whoever answers was asked after the last doubt: another may have been promoted
        // since.
        let is_asked = |number: usize| self.roles.said(number).is_none() || self.is_current(number);
        let all = (0..self.seen.len()).all(is_asked);
        (seen.health.is_up() && !seen.is_doubtful && all).then_some(node)
    }

    fn is_current(&self, node: usize) -> bool {
        self.seen.get(node).is_some_and(|seen| seen.asked_after >= self.doubts)
    }

    /// Whether `node` can be read from as a replica.
    pub(super) fn is_readable(&self, node: usize) -> bool {
        self.seen.get(node).is_some_and(|seen| !seen.is_doubtful) && self.is_there(node)
    }

    /// Whether `node` is a replica that may answer, though a question to it was missed.
    pub(super) fn is_there(&self, node: usize) -> bool {
        self.seen.get(node).is_some_and(|seen| seen.health.is_up())
            && self.roles.may_be_replica(node)
            && self.primary() != Some(node)
    }

    /// Whether there is no primary, or it was asked after the last doubt and gave no answer. One
    /// that is only doubted may answer within a moment.
    pub(super) fn is_primary_gone(&self) -> bool {
        let Verdict::Primary(node) = self.roles.verdict() else { return true };
        let is_silent = |seen: &Seen| seen.is_doubtful && self.is_current(node);
        self.seen.get(node).is_none_or(|seen| !seen.health.is_up() || is_silent(seen))
    }

    /// The most by which a replica lags behind at `now`: while there is a primary, it may have gone
    /// on since it was last heard of.
    pub(super) fn lag_now(&self, node: usize, now: Instant) -> Option<Duration> {
        let seen = self.seen.get(node)?;
        let at =
            if self.is_primary_gone() { self.history.last_heard().or(seen.asked)? } else { now };
        seen.lag_at(at, &self.history)
    }
}

impl Seen {
    fn answered(&mut self, state: &ServerState, took: Duration, asked: Instant) {
        self.position = state.position;
        (self.own_lag, self.asked) = (state.behind, Some(asked));
        (self.is_doubtful, self.error) = (false, None);
        self.latency = Some(match self.latency {
            Some(latency) => latency.mul_f64(1.0 - NEWEST) + took.mul_f64(NEWEST),
            None => took,
        });
    }

    /// The most by which it lags behind at `at`: what it has shown since it answered is not known, so
    /// that what passes counts. Only where it was behind all that is known of the primary is what
    /// it says itself believed, which depends on the clocks of two servers.
    fn lag_at(&self, at: Instant, history: &History) -> Option<Duration> {
        if let Some(shown) = history.shown(self.position) {
            return Some(at.saturating_duration_since(shown));
        }
        let own = self.own_lag? + at.saturating_duration_since(self.asked?);
        let least = history.first_heard().map(|first| at.saturating_duration_since(first));
        Some(own.max(least.unwrap_or_default()))
    }

    /// Judges whether it lags too much; says whether it does not any more, and did not before. One that is left out has
    /// to come closer than one that is not.
    fn judge_lag(&mut self, is_known: bool, options: &RoutingOptions) -> bool {
        let part = if self.is_lagging { 2 } else { 1 };
        let in_time = match (options.max_lag, self.lag) {
            (None, _) => true,
            (Some(most), Some(lag)) => lag <= most / part,
            // The primary was never seen: nothing is known, and nobody can be read instead.
            (Some(_), None) => !is_known,
        };
        let in_bytes = match (options.max_lag_bytes, self.lag_bytes) {
            (Some(most), Some(bytes)) => bytes <= most / u64::from(part),
            _ => true,
        };
        let was_lagging = std::mem::replace(&mut self.is_lagging, !(in_time && in_bytes));
        // At first, nothing is known of its lag.
        let is_back = was_lagging && !self.is_lagging && self.was_fresh;
        self.was_fresh |= !self.is_lagging;
        is_back
    }
}

#[cfg(test)]
mod tests;
