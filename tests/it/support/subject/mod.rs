//! The pools that an experiment is run against: ours, and the naive baseline.
//!
//! - `ours`:    rowmill's [`Engine`](rowmill::Engine)
//! - `naive`:   `r2d2` and `r2d2_postgres` as their READMEs show them
//! - `failure`: what went wrong, in words that both have
//!
//! An experiment that both pass proves nothing.

mod failure;
mod naive;
mod ours;

pub use failure::Failure;
pub use naive::naive_pool;
pub use ours::engine;

use std::time::{Duration, Instant};

/// A pool under test.
pub trait Subject: Send + Sync {
    /// Takes a connection, within the pool's time-out.
    fn get(&self) -> Result<Box<dyn Lent>, Failure>;
}

/// A connection on loan; dropping it gives it back.
pub trait Lent {
    /// Runs statements.
    fn run(&mut self, sql: &str) -> Result<(), Failure>;

    /// The one value of a query, which must be text.
    fn text(&mut self, sql: &str) -> Result<String, Failure>;

    /// Reads the first row of a query, and then no more.
    fn read_one_row_of(&mut self, sql: &str);
}

/// Which pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rowmill,
    Naive,
}

impl Kind {
    /// Its name in a record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rowmill => "rowmill",
            Self::Naive => "naive",
        }
    }
}

/// What a pool under test is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    pub url: String,
    pub size: u32,
    /// How long a check-out may take.
    pub timeout: Duration,
    /// How long opening a connection may take; the naive pool has no such bound.
    pub connect_timeout: Duration,
    pub pre_ping: bool,
}

impl Setup {
    /// A pool of `size` for `url` with a time-out of 10 seconds and no ping.
    pub fn new(url: impl Into<String>, size: u32) -> Self {
        Self {
            url: url.into(),
            size,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            pre_ping: false,
        }
    }

    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    #[must_use]
    pub fn pre_ping(mut self, pre_ping: bool) -> Self {
        self.pre_ping = pre_ping;
        self
    }

    /// The pool; the naive one opens its connections here, all of them, and waits for them.
    pub fn open(&self, kind: Kind) -> Result<Box<dyn Subject>, Failure> {
        Ok(match kind {
            Kind::Rowmill => Box::new(engine(self)),
            Kind::Naive => Box::new(naive_pool(self)?),
        })
    }
}

/// The process id of the server's process behind a connection.
pub fn pid(lent: &mut dyn Lent) -> Result<i32, Failure> {
    let pid = lent.text("select pg_backend_pid()::text")?;
    pid.parse().map_err(|_| Failure::said(&pid))
}

/// Takes a connection and asks it for a value.
pub fn ask(pool: &dyn Subject) -> Result<String, Failure> {
    pool.get()?.text("select 'here'::text")
}

/// How long `work` takes, and what comes of it.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let since = Instant::now();
    let outcome = work();
    (outcome, since.elapsed())
}
