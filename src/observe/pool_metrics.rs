//! Figures of a pool.

use super::names;
use crate::pool::{PoolEvent, PoolListener, PoolName, PoolStats};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use parking_lot::Mutex;
use std::collections::HashSet;

/// Makes figures of what one pool tells; the names are in [`observe`](crate::observe).
///
/// It belongs to one pool, from the beginning of that pool on: it counts what it is told. It keeps
/// to the recorder that was installed when it was made, so that no event has to look it up.
pub struct PoolMetrics {
    in_use: Gauge,
    idle: Gauge,
    total: Gauge,
    waiting: Gauge,
    limit: Gauge,
    wait: Histogram,
    used: Histogram,
    connect: Histogram,
    connects: Counter,
    connect_failures: Counter,
    closes: Counter,
    timeouts: Counter,
    resets: Counter,
    leaks: Counter,
    connections: Mutex<Connections>,
}

impl PoolMetrics {
    /// Figures with the label `pool` = `name`, for the recorder that is installed.
    pub fn of(name: impl Into<String>) -> Self {
        let name = name.into();
        let gauge = |of: &'static str| gauge!(of, "pool" => name.clone());
        let histogram = |of: &'static str| histogram!(of, "pool" => name.clone());
        let counter = |of: &'static str| counter!(of, "pool" => name.clone());
        Self {
            in_use: gauge(names::POOL_IN_USE),
            idle: gauge(names::POOL_IDLE),
            total: gauge(names::POOL_TOTAL),
            waiting: gauge(names::POOL_WAITING),
            limit: gauge(names::POOL_LIMIT),
            wait: histogram(names::POOL_WAIT),
            used: histogram(names::POOL_USE),
            connect: histogram(names::POOL_CONNECT),
            connects: counter(names::POOL_CONNECTS),
            connect_failures: counter(names::POOL_CONNECT_FAILURES),
            closes: counter(names::POOL_CLOSES),
            timeouts: counter(names::POOL_TIMEOUTS),
            resets: counter(names::POOL_RESETS),
            leaks: counter(names::POOL_LEAKS),
            connections: Mutex::default(),
        }
    }

    /// Sets the figures that change without an event: who waits, and the limit. To be called where
    /// figures are read, or every second. A pool with `min_idle`, `idle_timeout`, `keepalive` or
    /// `leak_after` does it by itself at each round of its housekeeper, which may be rare: once a
    /// second with `min_idle`, otherwise after a quarter of the shortest of those times, 20 ms to 30 s.
    pub fn sample(&self, stats: &PoolStats) {
        self.waiting.set(stats.waiting);
        self.limit.set(stats.limit);
    }

    /// Notes a change of what is open and what is on loan.
    fn change(&self, change: impl FnOnce(&mut Connections)) {
        let mut connections = self.connections.lock();
        change(&mut connections);
        // ORDER: under the lock, so that the last one to set a gauge knows of all changes.
        let Connections { open, lent } = &*connections;
        self.total.set(open.len() as f64);
        self.in_use.set(lent.len() as f64);
        self.idle.set(open.len().saturating_sub(lent.len()) as f64);
    }
}

/// The connections of the pool, by their numbers. Not just how many: one that is given up by its
/// holder is closed and never comes back.
#[derive(Debug, Default)]
struct Connections {
    open: HashSet<u64>,
    lent: HashSet<u64>,
}

impl Connections {
    fn left(&mut self, connection: u64) {
        self.open.remove(&connection);
        self.lent.remove(&connection);
    }
}

impl PoolListener for PoolMetrics {
    fn observe(&self, _: &PoolName, event: &PoolEvent<'_>) {
        match *event {
            PoolEvent::Connect { connection, took } => {
                self.change(|connections| _ = connections.open.insert(connection));
                self.connects.increment(1);
                self.connect.record(took.as_secs_f64());
            }
            PoolEvent::ConnectFailed { .. } => self.connect_failures.increment(1),
            PoolEvent::CheckOut { connection, waited, .. } => {
                self.change(|connections| _ = connections.lent.insert(connection));
                self.wait.record(waited.as_secs_f64());
            }
            PoolEvent::CheckIn { connection, used, .. } => {
                self.change(|connections| _ = connections.lent.remove(&connection));
                self.used.record(used.as_secs_f64());
            }
            PoolEvent::Detach { connection, .. } => {
                self.change(|connections| connections.left(connection));
            }
            PoolEvent::Close { connection, .. } => {
                self.change(|connections| connections.left(connection));
                self.closes.increment(1);
            }
            PoolEvent::Timeout { waited, .. } => {
                self.timeouts.increment(1);
                self.wait.record(waited.as_secs_f64());
            }
            PoolEvent::Reset { leftovers, .. } if !leftovers.is_empty() => self.resets.increment(1),
            PoolEvent::Leak { .. } => self.leaks.increment(1),
            PoolEvent::Counts { stats } => self.sample(stats),
            _ => {}
        }
    }
}

impl std::fmt::Debug for PoolMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolMetrics").finish_non_exhaustive()
    }
}
