//! The servers of an engine, and who gets a connection to which.

use super::dice::Dice;
use super::failure;
use super::housekeeper;
use super::node::{Node, NodeSpec};
use super::options::RoutingOptions;
use super::roles::Verdict;
use super::signal::Signal;
use super::state::{Consequences, State, Why};
use super::watch;
use crate::backend::Backend;
use crate::backend::server_state::{Fork, ServerState};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{Clock, Pool, PoolHooks};
use parking_lot::{Condvar, Mutex};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One primary and its replicas; all clones are one.
#[derive(Clone)]
pub(crate) struct Router {
    pub(super) inner: Arc<Inner>,
}

/// What a router and those who ask its servers have in common.
pub(super) struct Inner {
    pub(super) nodes: Vec<Node>,
    pub(super) options: RoutingOptions,
    pub(super) state: Mutex<State>,
    /// Something was heard of a server.
    pub(super) changed: Condvar,
    pub(super) signal: Arc<Signal>,
    pub(super) dice: Dice,
    pub(super) clock: Clock,
    /// Counts the reads.
    pub(super) turns: AtomicUsize,
    starting: Mutex<bool>,
    is_started: AtomicBool,
}

impl Router {
    /// A router for these servers. Nothing is connected yet, unless the options of the pools say so.
    ///
    /// # Errors
    /// `Config` if an option cannot be used; as [`Pool::new`].
    #[track_caller]
    pub(crate) fn new(
        specs: Vec<NodeSpec>,
        options: RoutingOptions,
        hooks: &PoolHooks,
    ) -> Result<Self> {
        options.validate()?;
        let (count, clock) = (specs.len(), hooks.clock_of().clone());
        let link = watch::Link::default();
        let nodes: Result<Vec<_>> = specs
            .into_iter()
            .enumerate()
            .map(|(number, mut spec)| {
                // Who has not opened one in that time is silent, and another may help.
                let connect_timeout = &mut spec.options.connect_timeout;
                *connect_timeout = options.probe_timeout.min(*connect_timeout);
                Node::new(spec, watch::watching(hooks, &link, number))
            })
            .collect();
        let inner = Arc::new(Inner {
            nodes: nodes?,
            dice: Dice::new(options.seed),
            options,
            state: Mutex::new(State::new(count)),
            changed: Condvar::new(),
            signal: Arc::new(Signal::new(count)),
            clock,
            turns: AtomicUsize::new(0),
            starting: Mutex::new(false),
            is_started: AtomicBool::new(false),
        });
        link.join(&inner);
        Ok(Self { inner })
    }

    /// The pool of the primary, or of the last one, or of the one that was declared.
    pub(crate) fn pool(&self) -> &Pool {
        &self.primary_node().pool
    }

    /// The backend of the primary, or of the last one, or of the one that was declared.
    pub(crate) fn backend(&self) -> &Arc<dyn Backend> {
        &self.primary_node().backend
    }

    /// How often the primary has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.inner.state.lock().roles.changes()
    }

    fn primary_node(&self) -> &Node {
        let primary = self.inner.state.lock().primary().unwrap_or(0);
        &self.inner.nodes[primary]
    }

    /// Closes all pools, and asks nobody any more.
    pub(crate) fn dispose(&self) {
        self.inner.signal.end();
        for node in &self.inner.nodes {
            node.pool.dispose();
            node.forget_monitor();
        }
    }

    /// Has all servers asked now, and waits for what comes of it.
    ///
    /// # Errors
    /// None of a server: what it says, or that it says nothing, is in its state.
    pub(crate) fn look(&self) {
        std::thread::scope(|scope| {
            for node in 0..self.inner.nodes.len() {
                let inner = &self.inner;
                let ask = move || inner.ask(node);
                let name = std::thread::Builder::new().name("rowmill-ask".into());
                // Without a thread, one after the other.
                if name.spawn_scoped(scope, ask).is_err() {
                    self.inner.ask(node);
                }
            }
        });
    }
}

impl Inner {
    /// Begins to ask the servers, and waits until each was asked once, or until `deadline`.
    pub(super) fn start(self: &Arc<Self>, deadline: Instant) -> Result<()> {
        if !self.is_started.load(Ordering::Acquire) {
            let mut has_begun = self.starting.lock();
            if !*has_begun {
                housekeeper::start(self)?;
                *has_begun = true;
            }
            drop(has_begun);
            let mut state = self.state.lock();
            while state.roles.verdict() == Verdict::Unsettled
                && state.seen.iter().any(|it| !it.health.is_known())
            {
                if self.changed.wait_until(&mut state, deadline).timed_out() {
                    break;
                }
            }
            self.is_started.store(true, Ordering::Release);
        }
        self.refuse_strangers(&self.state.lock())
    }

    fn refuse_strangers(&self, state: &State) -> Result<()> {
        let Some(stranger) = state.stranger else { return Ok(()) };
        let other = state.primary().filter(|node| *node != stranger).unwrap_or(0);
        Err(failure::stranger(&self.nodes[stranger].name, &self.nodes[other].name))
    }

    /// Asks a server how it does.
    pub(super) fn ask(&self, node: usize) {
        let Some(target) = self.nodes.get(node) else { return };
        self.signal.answer(node);
        let question = self.state.lock().question(node, self.clock.now());
        let mut answer = target.ask(self.options.probe_timeout);
        let learnt = match &answer {
            Ok((state, _)) => self.learn(target, state),
            Err(_) => Ok(None),
        };
        let (now, share) = (self.clock.now(), self.dice.share());
        let mut state = self.state.lock();
        // ORDER: what its log has kept, then that it is the primary: no token is judged in between.
        match learnt {
            Ok(Some((timeline, forks))) => state.branches.learn(timeline, forks),
            Ok(None) => {}
            Err(error) => answer = Err(error),
        }
        let then = state.heard(question, answer, now, share, &self.options);
        drop(state);
        self.follow_up(&then);
        self.changed.notify_all();
    }

    /// Where the log of one that takes writes left those before, if that is not known yet.
    fn learn(&self, node: &Node, said: &ServerState) -> Result<Option<(u32, Option<Vec<Fork>>)>> {
        let timeline = said.timeline;
        if !said.takes_writes || !self.state.lock().branches.lack(timeline) {
            return Ok(None);
        }
        Ok(Some((timeline, node.ask_forks(timeline, self.options.probe_timeout)?)))
    }

    /// ORDER: connections are cut before anybody learns of another primary.
    fn follow_up(&self, then: &Consequences) {
        for (node, why) in &then.cut {
            let target = &self.nodes[*node];
            target.pool.sever_all(self.reason(*node, *why));
        }
        if then.ask_all {
            self.signal.call_all();
        }
    }

    fn reason(&self, node: usize, why: Why) -> String {
        let name = &self.nodes[node].name;
        match why {
            Why::Gone => format!("{name} gave no answer, and its connections were cut"),
            Why::Deposed { by } => format!(
                "{name} is not the primary any more, {} is: run the transaction again",
                self.nodes[by].name
            ),
            Why::Demoted => {
                format!("{name} takes no writes any more: run the transaction again")
            }
        }
    }

    /// How long it is until a server is to be asked.
    pub(super) fn pause(&self, node: usize) -> Duration {
        let now = self.clock.now();
        let due = self.state.lock().seen.get(node).and_then(|seen| seen.health.due());
        due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now))
    }

    /// A connection to `node` was lost, or could not be opened.
    pub(super) fn doubt(&self, node: usize) {
        let mut state = self.state.lock();
        state.doubt(node);
        let is_primary = state.primary() == Some(node);
        drop(state);
        // Another may have been promoted.
        if is_primary { self.signal.call_all() } else { self.signal.call(node) }
    }

    /// Waits until something is heard of a server, or until `deadline`.
    pub(super) fn wait(&self, deadline: Instant) {
        let mut state = self.state.lock();
        self.changed.wait_until(&mut state, deadline);
    }

    /// Why nobody can be written to.
    pub(super) fn why_nobody(&self, waited: Duration, last: Option<&Error>) -> Error {
        let state = self.state.lock();
        let name = |node: usize| self.nodes[node].name.as_str();
        match state.roles.verdict() {
            Verdict::Split(one, other) => failure::split(name(one), name(other)),
            Verdict::Unsettled => {
                failure::no_primary("not every server has been heard of yet", waited, last)
            }
            Verdict::Nobody => {
                let reason = "every server that answers is a replica, or was overtaken";
                failure::no_primary(reason, waited, last)
            }
            Verdict::Primary(node) => {
                let error = state.seen[node].error.as_ref().or(last);
                let reason = match error {
                    Some(error) => format!("the primary {}: {}", name(node), error.message()),
                    None => format!("the primary {} was asked and has not answered", name(node)),
                };
                failure::no_primary(&reason, waited, error)
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.signal.end();
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("nodes", &self.inner.nodes).finish_non_exhaustive()
    }
}

/// Whether an error says that the server could not be reached, so that another may help.
pub(super) fn is_unreachable(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connect | ErrorKind::Disconnect => true,
        // Why none could be opened is its source.
        ErrorKind::PoolTimeout => std::error::Error::source(error).is_some(),
        _ => false,
    }
}
