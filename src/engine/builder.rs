//! Typed options over those of the URL.

use super::database::Engine;
use super::echo::{EchoOptions, StatementEvent};
use super::replica::Replica;
use super::servers::Common;
use super::warnings;
use super::wires::Wires;
use crate::config::PoolOptions;
use crate::error::Result;
use crate::pool::PoolHooks;
use crate::routing::{Router, RoutingOptions};
use crate::url::{DatabaseUrl, PasswordRequest, PasswordSource, Secret};
use std::sync::Arc;
use std::time::Duration;

/// Makes an [`Engine`] with options that win over those of its URL.
///
/// The options are those of [`PoolOptions`], where each is explained.
#[derive(Debug)]
#[must_use = "it makes nothing until `build` is called"]
pub struct EngineBuilder {
    url: Result<DatabaseUrl>,
    /// Those of the URL, as far as they were not set to something else since.
    options: PoolOptions,
    hooks: PoolHooks,
    read_only: bool,
    statement_timeout: Option<Duration>,
    prepared_statements: Option<bool>,
    password_source: Option<PasswordSource>,
    echo: EchoOptions,
    replicas: Vec<Replica>,
    each_host: bool,
    routing: RoutingOptions,
}

impl EngineBuilder {
    pub(super) fn new(url: Result<DatabaseUrl>) -> Self {
        let options = url.as_ref().map(PoolOptions::from_url).unwrap_or_default();
        Self {
            url,
            options,
            hooks: PoolHooks::default(),
            read_only: false,
            statement_timeout: None,
            prepared_statements: None,
            password_source: None,
            echo: EchoOptions::default(),
            replicas: Vec::new(),
            each_host: false,
            routing: RoutingOptions::default(),
        }
    }

    /// Sets how many connections are kept. Default: the URL's `pool_size`, else 5.
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.options = self.options.pool_size(connections);
        self
    }

    /// Sets how many connections may exist beyond `pool_size`. Default: the URL's `max_overflow`,
    /// else 10.
    pub fn max_overflow(mut self, connections: u32) -> Self {
        self.options = self.options.max_overflow(connections);
        self
    }

    /// Sets how long a check-out may take. Default: the URL's `pool_timeout`, else 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// Replaces connections older than this when they are next asked for. Default: the URL's
    /// `pool_recycle`, else never.
    pub fn recycle(mut self, age: Duration) -> Self {
        self.options = self.options.recycle(age);
        self
    }

    /// Sets whether a kept connection is asked for a sign of life before it is handed out.
    /// Default: the URL's `pool_pre_ping`, else no.
    pub fn pre_ping(mut self, pre_ping: bool) -> Self {
        self.options = self.options.pre_ping(pre_ping);
        self
    }

    /// Sets how long opening one connection may take. Default: the URL's `connect_timeout`, else
    /// 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.connect_timeout(timeout);
        self
    }

    /// Sets whether an SQLite database is only looked at: nothing can write, and the file is not
    /// switched to the journal (WAL) that writers want. Other databases know users for that.
    ///
    /// Default: no.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Sets how long one statement of PostgreSQL may take. One that takes longer is cancelled;
    /// where that does not help, because the server is silent, the connection is cut, so that the
    /// call ends all the same, about a second later. Over a Unix socket that takes a loopback
    /// interface (`127.0.0.1`); on a machine without one, a server that was stopped in its tracks
    /// (`SIGSTOP`) is waited for.
    ///
    /// From a second on, a statement whose time is almost up is asked for, over one more session that
    /// ends at once: if it waits for a lock, the error names the table and the processes that hold it.
    ///
    /// Default: the URL's `statement_timeout` (milliseconds), else as long as it wants. Zero is no
    /// limit.
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = Some(limit);
        self
    }

    /// Sets whether PostgreSQL's statements may be prepared and kept. `false` is for a pooler in
    /// transaction mode (`PgBouncer`), behind which every transaction may be on another session:
    /// nothing is then left in one, and the lock of a job is that of an open transaction. Settings
    /// of the session (time zone, date style) hold in transactions only, and columns of types that
    /// the server has not built in must be cast in queries.
    ///
    /// Default: the URL's `prepared_statements`, else yes.
    pub fn prepared_statements(mut self, prepared: bool) -> Self {
        self.prepared_statements = Some(prepared);
        self
    }

    /// Has `source` asked for the password of each new connection to PostgreSQL, in the place of the
    /// URL's, of `PGPASSWORD` and of the passfile: for passwords that change while the engine is in use,
    /// such as the tokens of a cloud's identity service. It is also asked for the replicas.
    ///
    /// It is asked on a thread that opens a connection, and several may at once; its time is part of
    /// `connect_timeout`. Whoever has to fetch a token keeps it as long as it is valid. An error of the
    /// source is that of the connection; it must not show the password.
    ///
    /// Default: nobody is asked.
    ///
    /// ```
    /// use rowmill::Engine;
    /// use rowmill::url::Secret;
    /// # fn token(user: &str, host: &str) -> rowmill::Result<String> { Ok(format!("{user}@{host}")) }
    /// let engine = Engine::builder("postgresql://etl@db.example/warehouse")
    ///     .password_from(|asked| Ok(Secret::new(token(asked.user, &asked.host.to_string())?)))
    ///     .build()?;
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn password_from(
        mut self,
        source: impl Fn(&PasswordRequest<'_>) -> Result<Secret> + Send + Sync + 'static,
    ) -> Self {
        self.password_source = Some(PasswordSource::new(source));
        self
    }

    /// Sets options that have no method here: `change` gets those of the URL, with what was set
    /// since, and returns the new ones.
    ///
    /// ```
    /// use rowmill::{Engine, PoolKind};
    /// let engine = Engine::builder("sqlite::memory:").pool(|pool| pool.kind(PoolKind::Null)).build()?;
    /// assert_eq!(engine.options().kind, PoolKind::Null);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn pool(mut self, change: impl FnOnce(PoolOptions) -> PoolOptions) -> Self {
        self.options = change(self.options);
        self
    }

    /// Adds listeners, hooks, a budget: `change` gets what was added before.
    pub fn hooks(mut self, change: impl FnOnce(PoolHooks) -> PoolHooks) -> Self {
        self.hooks = change(self.hooks);
        self
    }

    /// Tells `sink` of every statement, after it was run: the text, the time, the rows, the error.
    /// Parameters are counted and not shown. Default: nobody is told, and it costs nothing.
    ///
    /// The sink is called on the thread that ran the statement, while the connection is held: it
    /// must be quick, and must not ask this engine for a connection. What the pool does by itself
    /// is told where it changed anything: a transaction that was left open and rolled back.
    ///
    /// ```
    /// let engine = rowmill::Engine::builder("sqlite::memory:")
    ///     .echo(|statement| eprintln!("{statement}"))
    ///     .build()?;
    /// engine.run("create table runways (id integer primary key)")?;
    /// // [1] 104.207us: create table runways (id integer primary key)
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn echo(mut self, sink: impl Fn(&StatementEvent<'_>) + Send + Sync + 'static) -> Self {
        self.echo.to(Arc::new(sink));
        self
    }

    /// Tells the sink of [`echo`](Self::echo) only of statements that take so long or longer.
    /// Default: 0, which is all of them.
    pub fn slow_statements(mut self, threshold: Duration) -> Self {
        self.echo.slower_than(threshold);
        self
    }

    /// Shows the sink of [`echo`](Self::echo) the parameters too, which are the values of rows:
    /// for a developer's own machine. Default: they are hidden.
    pub fn show_parameters_in_echo(mut self) -> Self {
        self.echo.show_parameters();
        self
    }

    /// Adds a server that reads may go to, beside the primary of the engine's URL. Which of them is
    /// the primary is asked of the servers, also later on: after a promotion, writes follow it.
    ///
    /// Each has a pool of its own with the options of this builder, and one more connection over
    /// which it is asked how it does. Reads are what is declared to be one: queries of entities, a
    /// read session, [`Engine::reading`]; everything else goes to the primary.
    ///
    /// ```no_run
    /// use rowmill::{Engine, Policy, Replica};
    /// let engine = Engine::builder("postgresql://etl@db1/warehouse")
    ///     .replica("postgresql://etl@db2/warehouse")
    ///     .replica_with(Replica::new("postgresql://etl@db3/warehouse").label("reporting"))
    ///     .routing(|options| options.policy(Policy::LeastInUse).primary_share(0.1))
    ///     .build()?;
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn replica(self, url: &str) -> Self {
        self.replica_with(Replica::new(url))
    }

    /// As [`replica`](Self::replica), with a weight and labels.
    pub fn replica_with(mut self, replica: Replica) -> Self {
        self.replicas.push(replica);
        self
    }

    /// Makes each host of the URL a server of its own, as if it had been added by
    /// [`replica`](Self::replica). Default: no; several hosts are then tried in their order, as by
    /// libpq, and all connections go to the first that is as `target_session_attrs` says.
    pub fn each_host(mut self, each: bool) -> Self {
        self.each_host = each;
        self
    }

    /// Sets how reads are spread, and when a server is left out: `change` gets what was set before.
    /// It means nothing without a second server.
    pub fn routing(mut self, change: impl FnOnce(RoutingOptions) -> RoutingOptions) -> Self {
        self.routing = change(self.routing);
        self
    }

    /// The engine; it opens no connection yet, unless the options ask for some at the start.
    ///
    /// # Errors
    /// `Url` if a URL cannot be used, `Config` if an option cannot, `Unsupported` if there is no
    /// backend for it, or if it cannot have replicas.
    #[track_caller]
    pub fn build(self) -> Result<Engine> {
        let mut url = self.url?;
        self.options.validate()?;
        let mut notes = std::mem::take(&mut url.notes);
        notes.extend(self.options.notes());
        let hooks = warnings::listening(self.hooks);
        let common = Common {
            options: &self.options,
            echo: &self.echo,
            read_only: self.read_only,
            statement_timeout: self.statement_timeout,
            prepared_statements: self.prepared_statements,
            password_source: self.password_source.as_ref(),
        };
        if self.replicas.is_empty() && !self.each_host {
            return Engine::of_one(common.one(url)?, hooks, notes);
        }
        let specs = common.all(&url, self.replicas, self.each_host)?;
        let router = Router::new(specs, self.routing, &hooks)?;
        Ok(Engine::on(Wires::Many(router), notes))
    }
}
