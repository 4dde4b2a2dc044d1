//! The options of a pool, one method each.

use super::choices::{Order, Overflow, PoolKind, ResetPolicy, Start};
use super::pool_options::PoolOptions;
use std::time::Duration;

impl PoolOptions {
    /// Sets which kind of pool it is. Default: [`PoolKind::Queue`].
    #[must_use]
    pub fn kind(mut self, kind: PoolKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets how many connections are kept open when nobody uses them; 0 keeps all that were ever
    /// opened, whatever `max_overflow` says.
    ///
    /// Default: 5.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.pool_size = connections;
        self
    }

    /// Sets how many connections may exist beyond `pool_size`.
    ///
    /// They are opened when every pooled connection is in use and closed when they come back: at
    /// most `pool_size + max_overflow` exist, at most `pool_size` sleep.
    ///
    /// Default: 10. With 0, `pool_size` is a hard limit.
    #[must_use]
    pub fn max_overflow(mut self, connections: u32) -> Self {
        self.max_overflow = Overflow::AtMost(connections);
        self
    }

    /// Lets as many connections exist beyond `pool_size` as are asked for; see
    /// [`capacity`](Self::capacity) for what that means.
    #[must_use]
    pub fn unlimited_overflow(mut self) -> Self {
        self.max_overflow = Overflow::Unlimited;
        self
    }

    /// Sets which of the kept connections is lent next. Default: [`Order::Lifo`].
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Sets what the pool does when it is made. Default: [`Start::Lazy`].
    #[must_use]
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Keeps at least so many connections asleep, as far as the capacity allows: they are opened in
    /// the background, at the start and whenever there are fewer.
    ///
    /// Default: 0. At most `pool_size`.
    #[must_use]
    pub fn min_idle(mut self, connections: u32) -> Self {
        self.min_idle = connections;
        self
    }

    /// Lets at most so many threads wait; one more is turned away at once with `PoolFull`.
    ///
    /// Default: any number may wait.
    #[must_use]
    pub fn max_waiting(mut self, threads: u32) -> Self {
        self.max_waiting = Some(threads);
        self
    }

    /// Lets each of `threads` threads hold so many connections at once.
    ///
    /// Threads that each hold some and wait for more wait for each other for ever, unless
    /// `threads x (connections - 1) + 1` is within the capacity; [`validate`](Self::validate)
    /// refuses what is not. That no more threads than that do it is for the caller to see to.
    ///
    /// Default: one thread, one connection; a second check-out on the same thread is an error.
    #[must_use]
    pub fn allow_nested(mut self, connections: u32, threads: u32) -> Self {
        self.nested = connections;
        self.nested_threads = threads;
        self
    }

    /// Sets how long a check-out may take: waiting for a connection, opening one and asking it for
    /// a sign of life together.
    ///
    /// Default: 30 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long opening one connection may take: TCP, authentication and set-up together.
    /// The check-out's own time-out holds beside it.
    ///
    /// Default: 10 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets whether a kept connection is asked for a sign of life before it is handed out; one
    /// that gives none is replaced.
    ///
    /// Default: no. It costs a round trip for each check-out of a connection that slept for longer
    /// than `ping_bypass`.
    #[must_use]
    pub fn pre_ping(mut self, pre_ping: bool) -> Self {
        self.pre_ping = pre_ping;
        self
    }

    /// Sets how long a sign of life may take; the check-out's time-out holds beside it.
    ///
    /// Default: 5 seconds.
    #[must_use]
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.ping_timeout = timeout;
        self
    }

    /// Does not ask connections that were in use for less than this long ago. With zero, `pre_ping`
    /// asks every kept connection.
    ///
    /// Default: 500 milliseconds.
    #[must_use]
    pub fn ping_bypass(mut self, age: Duration) -> Self {
        self.ping_bypass = age;
        self
    }

    /// Replaces connections older than this, when they are next asked for or when they come back.
    ///
    /// Default: never. Set it below the limit of the server or of a firewall.
    #[must_use]
    pub fn recycle(mut self, age: Duration) -> Self {
        self.recycle = Some(age);
        self
    }

    /// Lets each connection be replaced by up to this much sooner, so that connections that were
    /// opened together do not end together.
    ///
    /// Default: 2.5 % of `recycle`.
    #[must_use]
    pub fn recycle_jitter(mut self, most: Duration) -> Self {
        self.recycle_jitter = Some(most);
        self
    }

    /// Closes connections that sleep for longer than this, but not those of `min_idle`.
    ///
    /// Default: never.
    #[must_use]
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.idle_timeout = Some(time);
        self
    }

    /// Asks connections that sleep for longer than this for a sign of life, so that no server and
    /// no firewall takes them for dead; one that gives none is closed.
    ///
    /// Default: never.
    #[must_use]
    pub fn keepalive(mut self, time: Duration) -> Self {
        self.keepalive = Some(time);
        self
    }

    /// Sets what happens to a transaction that is open when a connection comes back. Default:
    /// [`ResetPolicy::Rollback`].
    #[must_use]
    pub fn reset_on_return(mut self, policy: ResetPolicy) -> Self {
        self.reset = policy;
        self
    }

    /// Sets how long making a connection clean may take when it comes back.
    ///
    /// Default: 5 seconds.
    #[must_use]
    pub fn reset_timeout(mut self, timeout: Duration) -> Self {
        self.reset_timeout = timeout;
        self
    }

    /// Reports a connection that is on loan for longer than this: once, and again when it comes
    /// back.
    ///
    /// Default: never.
    #[must_use]
    pub fn leak_after(mut self, time: Duration) -> Self {
        self.leak_after = Some(time);
        self
    }
}
