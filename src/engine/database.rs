//! The engine.

use super::acquire::{Acquire, Intent};
use super::builder::EngineBuilder;
use super::echo::EchoOptions;
use super::steady::Steady;
use super::warnings;
use super::wires::{Reading, Wires};
use crate::backend::{Backend, JobLock, RowRef};
use crate::config::PoolOptions;
use crate::error::Result;
use crate::mapping::param::Param;
use crate::pool::{Pool, PoolHooks, PoolStats, Pooled};
use crate::routing::{Freshness, NodeSpec, Router, RoutingOptions};
use crate::url::DatabaseUrl;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A database and a pool of connections to it. It is made once; all clones are one engine.
///
/// ```no_run
/// use rowmill::Engine;
/// let engine = Engine::open("postgresql://localhost/warehouse")?;
/// engine.execute("update runways set closed = true where id = $1", &[7_i64.into()])?;
/// let mut connection = engine.get()?;
/// connection.begin()?;
/// connection.execute("delete from runways where closed", &[])?;
/// connection.commit()?;
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    wires: Wires,
    notes: Vec<String>,
}

impl Engine {
    /// An engine for `url` with the options that it names; see [`DatabaseUrl`] for what a URL can
    /// be. It opens no connection yet: [`check`](Self::check) does.
    ///
    /// # Errors
    /// `Url` if the URL cannot be used, `Config` if an option in it cannot, `Unsupported` if there
    /// is no backend for it.
    pub fn open(url: &str) -> Result<Self> {
        Self::builder(url).build()
    }

    /// Starts an engine for `url` whose options win over those that the URL names.
    pub fn builder(url: &str) -> EngineBuilder {
        EngineBuilder::new(DatabaseUrl::parse(url))
    }

    /// Starts an engine for a URL that was read before.
    pub fn builder_for(url: DatabaseUrl) -> EngineBuilder {
        EngineBuilder::new(Ok(url))
    }

    /// An engine for a backend that is there already.
    ///
    /// # Errors
    /// `Config` if an option cannot be used; as [`get`](Self::get) if the options ask for a
    /// connection at the start.
    #[track_caller]
    pub fn from_backend(backend: Arc<dyn Backend>, options: PoolOptions) -> Result<Self> {
        Self::from_backend_with(backend, options, PoolHooks::default())
    }

    /// An engine for a backend that is there already, with what a user adds to its pool.
    ///
    /// # Errors
    /// As [`from_backend`](Self::from_backend).
    #[track_caller]
    pub fn from_backend_with(
        backend: Arc<dyn Backend>,
        options: PoolOptions,
        hooks: PoolHooks,
    ) -> Result<Self> {
        let notes = options.notes();
        let backend = EchoOptions::default().around(backend);
        let spec = NodeSpec { backend, options, labels: Vec::new(), weight: 1.0 };
        Self::of_one(spec, warnings::listening(hooks), notes)
    }

    /// An engine for a primary and its replicas whose backends are there already; which is which is
    /// asked of the servers.
    ///
    /// # Errors
    /// `Config` if an option cannot be used; as [`from_backend`](Self::from_backend).
    #[track_caller]
    pub fn from_backends(
        backends: Vec<Arc<dyn Backend>>,
        options: &PoolOptions,
        hooks: PoolHooks,
        routing: RoutingOptions,
    ) -> Result<Self> {
        let notes = options.notes();
        let spec = |backend| NodeSpec {
            backend: EchoOptions::default().around(backend),
            options: options.clone(),
            labels: Vec::new(),
            weight: 1.0,
        };
        let specs = backends.into_iter().map(spec).collect();
        let router = Router::new(specs, routing, &warnings::listening(hooks))?;
        Ok(Self::on(Wires::Many(router), notes))
    }

    #[track_caller]
    pub(super) fn of_one(spec: NodeSpec, hooks: PoolHooks, notes: Vec<String>) -> Result<Self> {
        let NodeSpec { backend, options, .. } = spec;
        let pool = Pool::with_hooks(Arc::clone(&backend), options, hooks)?;
        Ok(Self::on(Wires::One { backend, pool }, notes))
    }

    pub(super) fn on(wires: Wires, notes: Vec<String>) -> Self {
        Self { shared: Arc::new(Shared { wires, notes }) }
    }

    #[inline]
    pub(super) fn wires(&self) -> &Wires {
        &self.shared.wires
    }

    /// Opens a connection, if none is there, and asks for a sign of life: for a program that
    /// wants to fail at its start and not in the middle of its work.
    ///
    /// It takes `connect_timeout` at most. A server that starts up is waited for so long.
    ///
    /// # Errors
    /// As [`get`](Self::get); `Disconnect` if there is no sign of life.
    #[track_caller]
    pub fn check(&self) -> Result<()> {
        self.reach(self.options().connect_timeout)
    }

    /// As [`check`](Self::check), but a server that cannot be reached is tried again for
    /// `patience` only, where one that starts up is still waited for.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    #[track_caller]
    pub fn reach(&self, patience: Duration) -> Result<()> {
        let timeout = self.options().connect_timeout;
        let deadline = within(timeout);
        let mut connection = match self.wires() {
            Wires::One { pool, .. } => pool.get_patiently(timeout, patience)?,
            Wires::Many(_) => self.wires().take(None, timeout.min(patience))?,
        };
        let is_alive = connection.ping(deadline);
        if is_alive.is_err() {
            connection.invalidate();
        }
        is_alive
    }

    /// Takes a connection; dropping it gives it back.
    ///
    /// # Errors
    /// `PoolTimeout` if none was free in time, `Connect` if none could be opened, `PoolClosed`
    /// after [`dispose`](Self::dispose), `NestedCheckout` if this thread holds one already.
    #[inline]
    #[track_caller]
    pub fn get(&self) -> Result<Pooled> {
        self.wires().take(None, self.options().timeout)
    }

    /// Takes a connection, within `timeout`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_within(&self, timeout: Duration) -> Result<Pooled> {
        self.wires().take(None, timeout)
    }

    /// Runs one statement on a connection of its own and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`get`](Self::get); `Database` or `Disconnect`.
    #[track_caller]
    pub fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.get()?.execute(sql, params)
    }

    /// Runs statements without parameters on a connection of its own.
    ///
    /// # Errors
    /// As [`get`](Self::get); `Database` or `Disconnect`.
    #[track_caller]
    pub fn run(&self, sql: &str) -> Result<()> {
        self.get()?.run(sql)
    }

    /// Runs one query on a connection of its own and hands each row to `each`, which must not ask
    /// this engine for a connection.
    ///
    /// # Errors
    /// As [`get`](Self::get); `Database` or `Disconnect`; what `each` returns.
    #[track_caller]
    pub fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut each: impl FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        self.get()?.query(sql, params, &mut each)
    }

    /// Takes the lock of a job, outside of the pool; `None` if another holds it. It is held until
    /// it is dropped or this process dies.
    ///
    /// # Errors
    /// `Connect` or `Database` if it cannot be asked for.
    pub fn lock_job(&self, key: i64) -> Result<Option<Box<dyn JobLock>>> {
        let deadline = within(self.options().timeout);
        self.wires().backend().lock_job(key, deadline)
    }

    /// Takes the lock of a job beside others that share it, outside of the pool; `None` if one
    /// holds it alone. It is held until it is dropped or this process dies.
    ///
    /// # Errors
    /// `Unsupported` where it cannot be shared; as [`lock_job`](Self::lock_job).
    pub fn share_job(&self, key: i64) -> Result<Option<Box<dyn JobLock>>> {
        let deadline = within(self.options().timeout);
        self.wires().backend().share_job(key, deadline)
    }

    /// Whether anybody holds the lock of each of these jobs. Takes none.
    ///
    /// # Errors
    /// As [`lock_job`](Self::lock_job).
    pub fn locked_jobs(&self, keys: &[i64]) -> Result<Vec<bool>> {
        let deadline = within(self.options().timeout);
        self.wires().backend().locked_jobs(keys, deadline)
    }

    /// Whether the database is there. One that is not is made by the first connection, as a file
    /// of SQLite is. Opens no connection, and says yes where only a connection can tell.
    ///
    /// # Errors
    /// `Connect` if it is not there and cannot be made.
    pub fn is_there(&self) -> Result<bool> {
        self.wires().backend().is_there()
    }

    /// Takes a connection for what `label` says; messages and events name it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_labelled(&self, label: impl Into<std::borrow::Cow<'static, str>>) -> Result<Pooled> {
        self.wires().take(Some(label.into()), self.options().timeout)
    }

    /// The pool; of several servers, that of the primary.
    #[inline]
    pub fn pool(&self) -> &Pool {
        self.wires().pool()
    }

    /// How many connections may be open at once; of several servers, to the primary.
    pub fn capacity(&self) -> u32 {
        self.pool().capacity()
    }

    /// The counts of the pool at this moment.
    pub fn stats(&self) -> PoolStats {
        self.pool().stats()
    }

    /// The options of the pool.
    #[inline]
    pub fn options(&self) -> &PoolOptions {
        self.pool().options()
    }

    /// Closes the idle connections and turns away everybody who waits or comes; connections on
    /// loan are closed when they come back.
    pub fn dispose(&self) {
        self.wires().dispose();
    }

    /// What it connects to, without the password; of several servers, the primary.
    pub fn describe(&self) -> String {
        self.wires().backend().describe()
    }

    /// What the user should be told of the URL although it is no error.
    pub fn notes(&self) -> &[String] {
        &self.shared.notes
    }
}

/// The pool has checked that no time-out is longer than ten years.
fn within(timeout: Duration) -> Instant {
    Instant::now() + timeout
}

impl Acquire for Engine {
    #[track_caller]
    fn acquire(&self, intent: Intent) -> Result<Pooled> {
        match intent {
            Intent::Read => self.wires().take_to_read(Reading::default()),
            Intent::Write => self.get(),
        }
    }

    #[track_caller]
    fn look(&self) -> Result<Pooled> {
        match self.wires() {
            Wires::One { pool, .. } => pool.get(),
            Wires::Many(_) => self.get(),
        }
    }

    #[track_caller]
    fn steady(&self, one_server: bool) -> Result<Option<Arc<dyn Acquire>>> {
        Steady::begin(self, Freshness::Any, None, one_server)
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(self.pool()).finish()
    }
}
