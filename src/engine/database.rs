//! The engine.

use super::acquire::{Acquire, Intent};
use super::builder::EngineBuilder;
use super::echo::EchoOptions;
use super::warnings;
use crate::backend::{Backend, JobLock, RowRef};
use crate::config::PoolOptions;
use crate::error::Result;
use crate::mapping::param::Param;
use crate::pool::{Pool, PoolHooks, PoolStats, Pooled};
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
    backend: Arc<dyn Backend>,
    pool: Pool,
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
        Self::assemble(EchoOptions::default().around(backend), options, hooks)
    }

    #[track_caller]
    pub(super) fn assemble(
        backend: Arc<dyn Backend>,
        options: PoolOptions,
        hooks: PoolHooks,
    ) -> Result<Self> {
        let notes = options.notes();
        let hooks = warnings::listening(hooks);
        let pool = Pool::with_hooks(Arc::clone(&backend), options, hooks)?;
        Ok(Self { shared: Arc::new(Shared { backend, pool, notes }) })
    }

    pub(super) fn with_notes(self, notes: Vec<String>) -> Self {
        let Shared { backend, pool, notes: own } = &*self.shared;
        let (backend, pool) = (Arc::clone(backend), pool.clone());
        let notes = notes.into_iter().chain(own.iter().cloned()).collect();
        Self { shared: Arc::new(Shared { backend, pool, notes }) }
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
        self.reach(self.shared.pool.options().connect_timeout)
    }

    /// As [`check`](Self::check), but a server that cannot be reached is tried again for
    /// `patience` only, where one that starts up is still waited for.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    #[track_caller]
    pub fn reach(&self, patience: Duration) -> Result<()> {
        let timeout = self.shared.pool.options().connect_timeout;
        let deadline = within(timeout);
        let mut connection = self.shared.pool.get_patiently(timeout, patience)?;
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
    #[track_caller]
    pub fn get(&self) -> Result<Pooled> {
        self.shared.pool.get()
    }

    /// Takes a connection, within `timeout`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_within(&self, timeout: Duration) -> Result<Pooled> {
        self.shared.pool.get_within(timeout)
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
        let deadline = within(self.shared.pool.options().timeout);
        self.shared.backend.lock_job(key, deadline)
    }

    /// Takes the lock of a job beside others that share it, outside of the pool; `None` if one
    /// holds it alone. It is held until it is dropped or this process dies.
    ///
    /// # Errors
    /// `Unsupported` where it cannot be shared; as [`lock_job`](Self::lock_job).
    pub fn share_job(&self, key: i64) -> Result<Option<Box<dyn JobLock>>> {
        let deadline = within(self.shared.pool.options().timeout);
        self.shared.backend.share_job(key, deadline)
    }

    /// Whether anybody holds the lock of each of these jobs. Takes none.
    ///
    /// # Errors
    /// As [`lock_job`](Self::lock_job).
    pub fn locked_jobs(&self, keys: &[i64]) -> Result<Vec<bool>> {
        let deadline = within(self.shared.pool.options().timeout);
        self.shared.backend.locked_jobs(keys, deadline)
    }

    /// Whether the database is there. One that is not is made by the first connection, as a file
    /// of SQLite is. Opens no connection, and says yes where only a connection can tell.
    ///
    /// # Errors
    /// `Connect` if it is not there and cannot be made.
    pub fn is_there(&self) -> Result<bool> {
        self.shared.backend.is_there()
    }

    /// Takes a connection for what `label` says; messages and events name it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_labelled(&self, label: impl Into<std::borrow::Cow<'static, str>>) -> Result<Pooled> {
        self.shared.pool.get_labelled(label)
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// How many connections may be open at once.
    pub fn capacity(&self) -> u32 {
        self.shared.pool.capacity()
    }

    /// The counts of the pool at this moment.
    pub fn stats(&self) -> PoolStats {
        self.shared.pool.stats()
    }

    /// The options of the pool.
    pub fn options(&self) -> &PoolOptions {
        self.shared.pool.options()
    }

    /// Closes the idle connections and turns away everybody who waits or comes; connections on
    /// loan are closed when they come back.
    pub fn dispose(&self) {
        self.shared.pool.dispose();
    }

    /// What it connects to, without the password.
    pub fn describe(&self) -> String {
        self.shared.backend.describe()
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
    fn acquire(&self, _: Intent) -> Result<Pooled> {
        self.get()
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(&self.shared.pool).finish()
    }
}
