//! One server: its pool, and the connection over which it is asked how it does.

use super::failure;
use crate::backend::server_state::{Fork, ServerState};
use crate::backend::{Backend, Connection};
use crate::config::PoolOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{Pool, PoolHooks};
use crate::sqlstate::SqlState;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A server that an engine is to know.
#[derive(Debug)]
pub(crate) struct NodeSpec {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) options: PoolOptions,
    pub(crate) labels: Vec<String>,
    pub(crate) weight: f64,
}

/// One server.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    pub(super) weight: f64,
    pub(super) pool: Pool,
    pub(super) backend: Arc<dyn Backend>,
    /// Outside of the pool: the question must not wait for those who have taken all connections.
    monitor: Mutex<Option<Box<dyn Connection>>>,
}

impl Node {
    pub(super) fn new(spec: NodeSpec, hooks: PoolHooks) -> Result<Self> {
        let NodeSpec { backend, options, labels, weight } = spec;
        let name = backend.describe();
        let pool = Pool::with_hooks(Arc::clone(&backend), options, hooks)?;
        Ok(Self { name, labels, weight, pool, backend, monitor: Mutex::new(None) })
    }

    /// Asks how it does, within `timeout`; how long the answer took, connecting left out.
    pub(super) fn ask(&self, timeout: Duration) -> Result<(ServerState, Duration)> {
        let deadline = Instant::now() + timeout;
        let mut monitor = self.monitor.lock();
        if let Some(mut connection) = monitor.take() {
            // A connection that was lost says nothing of the server that is there now.
            if let Ok(answer) = answer(&mut *connection, deadline, &self.name) {
                *monitor = Some(connection);
                return Ok(answer);
            }
        }
        let mut connection = self.backend.connect(deadline)?;
        let answer = answer(&mut *connection, deadline, &self.name)?;
        *monitor = Some(connection);
        Ok(answer)
    }

    /// Asks where its log left those before `timeline`, within `timeout`.
    pub(super) fn ask_forks(&self, timeline: u32, timeout: Duration) -> Result<Option<Vec<Fork>>> {
        let deadline = Instant::now() + timeout;
        let mut monitor = self.monitor.lock();
        let mut connection = match monitor.take() {
            Some(connection) => connection,
            None => self.backend.connect(deadline)?,
        };
        let forks = connection.log_forks(timeline, deadline)?;
        *monitor = Some(connection);
        Ok(forks)
    }

    /// Closes the connection over which it was asked.
    pub(super) fn forget_monitor(&self) {
        if let Some(mut monitor) = self.monitor.try_lock() {
            monitor.take();
        }
    }
}

fn answer(
    connection: &mut dyn Connection,
    deadline: Instant,
    name: &str,
) -> Result<(ServerState, Duration)> {
    let since = Instant::now();
    let state = connection.server_state(deadline)?;
    state.map(|state| (state, since.elapsed())).ok_or_else(|| failure::without_replicas(name))
}

/// Whether an error says for certain that nobody is there, or that nobody is let in: no answer in
/// time is a matter of the network, or of a server that has much to do.
pub(super) fn is_certain(error: &Error) -> bool {
    let is_full = error.sqlstate() == SqlState::parse("53300");
    error.kind() == ErrorKind::Connect
        && !is_full
        && !error.message().ends_with("no answer in time")
}
