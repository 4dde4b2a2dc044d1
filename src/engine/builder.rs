//! Typed options over those of the URL.

use super::database::Engine;
use super::open_backend::open_backend;
use crate::config::PoolOptions;
use crate::error::Result;
use crate::url::{Database, DatabaseUrl, PoolQuery};
use std::time::Duration;

/// Makes an [`Engine`] with options that win over those of its URL.
///
/// The options are those of [`PoolOptions`], where each is explained.
#[derive(Debug)]
#[must_use = "it makes nothing until `build` is called"]
pub struct EngineBuilder {
    url: Result<DatabaseUrl>,
    typed: PoolQuery,
    read_only: bool,
    statement_timeout: Option<Duration>,
    prepared_statements: Option<bool>,
}

impl EngineBuilder {
    pub(super) fn new(url: Result<DatabaseUrl>) -> Self {
        Self {
            url,
            typed: PoolQuery::default(),
            read_only: false,
            statement_timeout: None,
            prepared_statements: None,
        }
    }

    /// Sets how many connections are kept. Default: the URL's `pool_size`, else 5.
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.typed.pool_size = Some(connections);
        self
    }

    /// Sets how many connections may exist beyond `pool_size`. Default: the URL's `max_overflow`,
    /// else 10.
    pub fn max_overflow(mut self, connections: u32) -> Self {
        self.typed.max_overflow = Some(connections);
        self
    }

    /// Sets how long a check-out may take. Default: the URL's `pool_timeout`, else 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.typed.pool_timeout = Some(timeout);
        self
    }

    /// Replaces connections older than this when they are next asked for. Default: the URL's
    /// `pool_recycle`, else never.
    pub fn recycle(mut self, age: Duration) -> Self {
        self.typed.pool_recycle = Some(age);
        self
    }

    /// Sets whether a kept connection is asked for a sign of life before it is handed out.
    /// Default: the URL's `pool_pre_ping`, else no.
    pub fn pre_ping(mut self, pre_ping: bool) -> Self {
        self.typed.pool_pre_ping = Some(pre_ping);
        self
    }

    /// Sets how long opening one connection may take. Default: the URL's `connect_timeout`, else
    /// 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.typed.connect_timeout = Some(timeout);
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
    /// call ends all the same, about a second later. Over a Unix socket nothing can be cut: there
    /// a server that was stopped in its tracks (`SIGSTOP`) is waited for.
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

    /// The engine; it opens no connection yet.
    ///
    /// # Errors
    /// `Url` if the URL cannot be used, `Config` if an option cannot, `Unsupported` if there is no
    /// backend for it.
    pub fn build(self) -> Result<Engine> {
        let mut url = self.url?;
        match &mut url.database {
            Database::Sqlite(settings) => settings.read_only = self.read_only,
            Database::Postgres(settings) => {
                if let Some(limit) = self.statement_timeout {
                    settings.statement_timeout = Some(limit).filter(|limit| !limit.is_zero());
                }
                settings.prepared_statements =
                    self.prepared_statements.unwrap_or(settings.prepared_statements);
            }
            _ => {}
        }
        let options = PoolOptions::from_url(&url).with(&self.typed);
        options.validate()?;
        let backend = open_backend(&url)?;
        Ok(Engine::from_backend(backend, options)?.with_notes(url.notes))
    }
}
