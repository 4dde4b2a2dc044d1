//! How a session behaves.

use super::options::TransactionOptions;
use super::repeated_gets::{Listener, RepeatedGets};
use std::fmt;
use std::sync::Arc;

/// How a session behaves.
///
/// ```
/// use rowmill::{Engine, SessionOptions};
/// let engine = Engine::open("sqlite::memory:")?;
/// let options = SessionOptions::new().autoflush(false).expire_on_commit(false);
/// let session = engine.session_with(options)?;
/// # drop(session);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone)]
pub struct SessionOptions {
    pub(super) autoflush: bool,
    pub(super) expire_on_commit: bool,
    pub(super) transaction: TransactionOptions,
    pub(super) repeated_gets: u32,
    pub(super) listener: Option<Listener>,
}

/// As many rows are read one by one before it is told.
const REPEATED_GETS: u32 = 10;

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            autoflush: true,
            expire_on_commit: true,
            transaction: TransactionOptions::new(),
            repeated_gets: REPEATED_GETS,
            listener: None,
        }
    }
}

impl SessionOptions {
    /// What each method says is the default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether what is to be written is written before each query, so that the query sees it.
    /// Default: yes.
    #[must_use]
    pub fn autoflush(mut self, autoflush: bool) -> Self {
        self.autoflush = autoflush;
        self
    }

    /// Whether a row is read again where it is asked for after a commit, since others may have
    /// changed it. What a handle shows is not changed before. Default: yes.
    #[must_use]
    pub fn expire_on_commit(mut self, expire: bool) -> Self {
        self.expire_on_commit = expire;
        self
    }

    /// What its transactions are to be like; nothing is run again in a session. Default: as
    /// [`TransactionOptions::new`].
    #[must_use]
    pub fn transaction(mut self, options: TransactionOptions) -> Self {
        self.transaction = options;
        self
    }

    /// How many rows of one entity a transaction may read one by one before it is told, as a
    /// warning of `tracing` and to [`on_repeated_gets`](Self::on_repeated_gets). Default: 10.
    #[must_use]
    pub fn repeated_gets(mut self, threshold: u32) -> Self {
        self.repeated_gets = threshold;
        self
    }

    /// Calls `listener` when that many rows were read one by one. Default: nobody.
    #[must_use]
    pub fn on_repeated_gets(
        mut self,
        listener: impl Fn(&RepeatedGets) + Send + Sync + 'static,
    ) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }
}

impl fmt::Debug for SessionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionOptions")
            .field("autoflush", &self.autoflush)
            .field("expire_on_commit", &self.expire_on_commit)
            .field("transaction", &self.transaction)
            .field("repeated_gets", &self.repeated_gets)
            .finish_non_exhaustive()
    }
}
