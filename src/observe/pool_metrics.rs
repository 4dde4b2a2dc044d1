//! Figures of a pool.

use super::names;
use crate::pool::{PoolEvent, PoolListener, PoolName, PoolStats};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Makes figures of what one pool tells; the names are in [`observe`](crate::observe).
///
/// It belongs to one pool, from the beginning of that pool on: it counts what it is told. It keeps
/// to the recorder that was installed when it was made, so that an event costs an addition and no
/// search.
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
        }
    }

    /// Sets the figures that no event tells: who waits, and the limit. To be called where figures
    /// are read, or every second.
    pub fn sample(&self, stats: &PoolStats) {
        self.waiting.set(stats.waiting);
        self.limit.set(stats.limit);
    }

    fn opened(&self) {
        self.total.increment(1.0);
        self.idle.increment(1.0);
    }

    fn gone(&self) {
        self.total.decrement(1.0);
        self.idle.decrement(1.0);
    }

    fn lent(&self) {
        self.in_use.increment(1.0);
        self.idle.decrement(1.0);
    }

    fn back(&self) {
        self.in_use.decrement(1.0);
        self.idle.increment(1.0);
    }
}

impl PoolListener for PoolMetrics {
    fn observe(&self, _: &PoolName, event: &PoolEvent<'_>) {
        match event {
            PoolEvent::Connect { took, .. } => {
                self.opened();
                self.connects.increment(1);
                self.connect.record(took.as_secs_f64());
            }
            PoolEvent::ConnectFailed { .. } => self.connect_failures.increment(1),
            PoolEvent::CheckOut { waited, .. } => {
                self.lent();
                self.wait.record(waited.as_secs_f64());
            }
            PoolEvent::CheckIn { used, .. } => {
                self.back();
                self.used.record(used.as_secs_f64());
            }
            // It is on loan no more, and the pool's no more.
            PoolEvent::Detach { .. } => {
                self.back();
                self.gone();
            }
            PoolEvent::Close { .. } => {
                self.gone();
                self.closes.increment(1);
            }
            PoolEvent::Timeout { waited, .. } => {
                self.timeouts.increment(1);
                self.wait.record(waited.as_secs_f64());
            }
            PoolEvent::Reset { leftovers, .. } if !leftovers.is_empty() => self.resets.increment(1),
            PoolEvent::Leak { .. } => self.leaks.increment(1),
            _ => {}
        }
    }
}

impl std::fmt::Debug for PoolMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolMetrics").finish_non_exhaustive()
    }
}
