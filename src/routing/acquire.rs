//! Who gets a connection to which server.

use super::branches::Standing;
use super::failure;
use super::freshness::{CommitToken, Freshness};
use super::intent::Intent;
use super::policy::Candidate;
use super::router::{Inner, Router, is_unreachable};
use super::state::State;
use crate::backend::server_state::LogPlace;
use crate::error::{Error, Result};
use crate::pool::Pooled;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A server that cannot be reached is tried for so long by its pool, before others are looked at.
const PATIENCE: Duration = Duration::from_millis(100);

/// How often those who wait look whether there is something new, if nobody tells them.
const LOOK: Duration = Duration::from_millis(100);

/// What a connection is wanted for.
#[derive(Clone, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) intent: Intent,
    pub(crate) freshness: Freshness,
    /// The label that a replica has to have.
    pub(crate) label: Option<&'a str>,
    /// For what it is taken, in messages.
    pub(crate) purpose: Option<Cow<'static, str>>,
    pub(crate) timeout: Duration,
    /// Replicas that have failed already, bit by bit.
    pub(crate) avoid: Avoid,
    /// How long a replica is waited for that has what a token stands for; as the options say where
    /// it is `None`.
    pub(crate) wait: Option<Duration>,
}

impl Wish<'_> {
    fn place(&self) -> Option<LogPlace> {
        match self.freshness {
            Freshness::After(token) => token.place(),
            _ => None,
        }
    }
}

/// Servers that are passed over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Avoid(Vec<usize>);

impl Avoid {
    pub(crate) fn add(&mut self, node: usize) {
        self.0.push(node);
    }

    fn has(&self, node: usize) -> bool {
        self.0.contains(&node)
    }
}

/// A connection on loan, and to whom.
#[derive(Debug)]
pub(crate) struct Lent {
    pub(crate) connection: Pooled,
    pub(crate) node: usize,
    pub(crate) is_replica: bool,
}

impl Router {
    /// Takes a connection for `wish`.
    ///
    /// # Errors
    /// `Connect` if there is no server for it, `Config` for a split brain or a server of another
    /// cluster; as [`Pool::get`](crate::Pool::get).
    #[track_caller]
    pub(crate) fn acquire(&self, wish: Wish<'_>) -> Result<Lent> {
        let since = Instant::now();
        let deadline = since + wish.timeout;
        self.inner.start(deadline)?;
        let time = Time { since, deadline };
        match (wish.intent, wish.freshness) {
            (Intent::Write, _) | (_, Freshness::Primary) => self.inner.to_primary(&wish, time),
            (Intent::Read, _) => self.inner.to_replica(wish, time),
        }
    }

    /// Waits until a replica shows what `wish` asks for, as long as the options allow.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub(crate) fn wait_until_shown(&self, wish: &Wish<'_>) -> Result<()> {
        let Some(place) = wish.place() else { return Ok(()) };
        let (since, wait) = (Instant::now(), self.inner.options.token_wait);
        self.inner.start(since + wish.timeout)?;
        let wish = Wish { wait: Some(wait), ..wish.clone() };
        // Nothing else waits for what is left.
        self.inner.wait_for(place, &wish, Time { since, deadline: since + wait * 2 })
    }

    /// Takes a connection to this server, whatever it is.
    ///
    /// # Errors
    /// As [`Pool::get`](crate::Pool::get).
    #[track_caller]
    pub(crate) fn take_from(&self, node: usize) -> Result<Pooled> {
        self.inner.nodes[node].pool.get()
    }

    /// Whether a promotion has lost what the token stands for.
    pub(crate) fn has_lost(&self, token: CommitToken) -> bool {
        let state = self.inner.state.lock();
        token.place().is_some_and(|place| matches!(state.standing(place), Standing::Lost(_)))
    }

    /// How many connections each server can lend at least.
    pub(crate) fn least_capacity(&self) -> u32 {
        self.inner.nodes.iter().map(|node| node.pool.capacity()).min().unwrap_or(1)
    }

    /// A transaction or a statement on a replica has failed with `error`: whether another server
    /// can help.
    pub(crate) fn can_be_moved(error: &Error) -> bool {
        // It was asked to end, or had no time left: that is what the caller wanted. It was going to
        // write: on the primary it would.
        let own = ["57014", "55P03", "25006"];
        let is_own = error.sqlstate().is_some_and(|state| own.contains(&state.code()));
        error.is_transient() && !is_own
    }
}

/// The time that a request has.
#[derive(Clone, Copy, Debug)]
struct Time {
    since: Instant,
    deadline: Instant,
}

impl Time {
    fn is_up(self) -> bool {
        self.left().is_zero()
    }

    fn left(self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Inner {
    #[track_caller]
    fn to_primary(self: &Arc<Self>, wish: &Wish<'_>, time: Time) -> Result<Lent> {
        let wait = self.options.primary_wait.unwrap_or(wish.timeout);
        let end = time.deadline.min(time.since + wait.min(wish.timeout));
        let mut last = None;
        loop {
            let node = self.state.lock().writable();
            if let Some(node) = node {
                let pool = &self.nodes[node].pool;
                match pool.take(wish.purpose.clone(), time.left(), PATIENCE) {
                    // While one waited for it, it may have lost its role, or have been started anew:
                    // then it is not written to before the others were asked too.
                    Ok(connection) if self.state.lock().writable() == Some(node) => {
                        self.admit(wish)?;
                        return Ok(Lent { connection, node, is_replica: false });
                    }
                    Ok(_) => {}
                    Err(error) if is_unreachable(&error) => last = Some(error),
                    Err(error) => return Err(error),
                }
            }
            let now = Instant::now();
            if now >= end {
                return Err(self.why_nobody(now - time.since, last.as_ref()));
            }
            self.signal.call_all();
            self.wait(end.min(now + LOOK));
        }
    }

    #[track_caller]
    fn to_replica(self: &Arc<Self>, mut wish: Wish<'_>, time: Time) -> Result<Lent> {
        if let Some(place) = wish.place() {
            self.wait_for(place, &wish, time)?;
        }
        let share = self.options.primary_share;
        if wish.label.is_none() && share > 0.0 && self.dice.share() < share {
            let is_there = self.state.lock().writable().is_some();
            if is_there {
                return self.to_primary(&wish, time);
            }
        }
        loop {
            let Some(node) = self.choose(&wish) else {
                if wish.freshness == Freshness::Any && self.is_asked_for() && !time.is_up() {
                    // It may answer within a moment, or turn out to be gone: then any replica will do.
                    self.signal.call_all();
                    self.wait(time.deadline.min(Instant::now() + LOOK));
                    continue;
                }
                break;
            };
            let pool = &self.nodes[node].pool;
            match pool.take(wish.purpose.clone(), time.left(), PATIENCE) {
                Ok(connection) => return Ok(Lent { connection, node, is_replica: true }),
                Err(error) if is_unreachable(&error) => {
                    self.doubt(node);
                    wish.avoid.add(node);
                }
                Err(error) => return Err(error),
            }
        }
        self.to_primary(&wish, time)
    }

    /// Whether the primary is doubted, and no answer has come yet.
    fn is_asked_for(&self) -> bool {
        let state = self.state.lock();
        state.writable().is_none() && !state.is_primary_gone()
    }

    /// Refuses a read after a token whose place no server here has.
    fn admit(&self, wish: &Wish<'_>) -> Result<()> {
        let Some(place) = wish.place() else { return Ok(()) };
        let state = self.state.lock();
        let timeline = state.roles.timeline();
        match state.standing(place) {
            Standing::Held | Standing::Unproven => Ok(()),
            Standing::Lost(left) => Err(failure::lost(place, timeline, left)),
            Standing::Ahead => Err(failure::ahead(place, timeline)),
            Standing::Strange => Err(failure::strange_token()),
        }
    }

    /// Waits until a replica has what is at `place`, or until its time is up; and until the promotion
    /// was heard of from after which it is.
    fn wait_for(&self, place: LogPlace, wish: &Wish<'_>, time: Time) -> Result<()> {
        let wait = wish.wait.unwrap_or(self.options.token_wait);
        let end = time.deadline.min(time.since + wait.min(time.left() / 2));
        loop {
            let state = self.state.lock();
            let is_ahead = state.standing(place) == Standing::Ahead;
            let waiting: Vec<_> =
                (0..self.nodes.len()).filter(|node| may_serve(&state, *node, wish)).collect();
            let has = waiting.iter().any(|node| state.shows(*node, place));
            drop(state);
            let now = Instant::now();
            if now >= end || (!is_ahead && (has || waiting.is_empty())) {
                return self.admit(wish);
            }
            if is_ahead {
                self.signal.call_all();
            }
            for node in waiting {
                self.signal.call(node);
            }
            self.wait(end.min(now + LOOK));
        }
    }

    /// The replica whose turn it is; `None` if none is fit. One with the label comes first.
    fn choose(&self, wish: &Wish<'_>) -> Option<usize> {
        let now = self.clock.now();
        let used: Vec<_> = self.nodes.iter().map(|node| node.pool.stats().in_use).collect();
        let state = self.state.lock();
        let all = 0..self.nodes.len();
        let is_fit =
            |node: &usize| may_serve(&state, *node, wish) && is_fresh(&state, *node, wish, now);
        let mut fit: Vec<_> = all.clone().filter(is_fit).collect();
        if fit.is_empty() && is_any_welcome(&state, wish) {
            fit = all.filter(|node| state.is_there(*node) && !wish.avoid.has(*node)).collect();
        }
        let candidates: Vec<_> = fit
            .into_iter()
            .map(|node| Candidate {
                node,
                weight: self.nodes[node].weight,
                warmth: state.seen[node].health.warmth(now, &self.options),
                in_use: used[node],
                latency: state.seen[node].latency,
            })
            .collect();
        drop(state);
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        if let Some(label) = wish.label {
            let labelled: Vec<_> =
                candidates.iter().copied().filter(|it| self.has_label(it.node, label)).collect();
            if let Some(node) = self.options.policy.choose(&labelled, turn, &self.dice) {
                return Some(node);
            }
        }
        self.options.policy.choose(&candidates, turn, &self.dice)
    }

    fn has_label(&self, node: usize, label: &str) -> bool {
        self.nodes[node].labels.iter().any(|it| it == label)
    }
}

fn may_serve(state: &State, node: usize, wish: &Wish<'_>) -> bool {
    state.is_readable(node) && !wish.avoid.has(node)
}

/// Whether any replica is better than nothing: there is no primary to read from.
fn is_any_welcome(state: &State, wish: &Wish<'_>) -> bool {
    wish.freshness == Freshness::Any && state.is_primary_gone()
}

fn is_fresh(state: &State, node: usize, wish: &Wish<'_>, now: Instant) -> bool {
    let seen = &state.seen[node];
    match wish.freshness {
        Freshness::Any => !seen.is_lagging,
        Freshness::MaxLag(most) => state.lag_now(node, now).is_some_and(|lag| lag <= most),
        Freshness::After(token) => token.place().is_some_and(|place| state.shows(node, place)),
        Freshness::Primary => false,
    }
}
