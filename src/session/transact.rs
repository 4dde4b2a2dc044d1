//! A closure that is run in a transaction, and run again where that helps.

use super::options::TransactionOptions;
use super::transaction::Transaction;
use crate::backend::fate::{Fate, TransactionId};
use crate::engine::{Acquire, Engine, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::retry::{Attempts, RetryPolicy};
use crate::sqlstate::SqlState;
use std::thread;
use std::time::{Duration, Instant};

/// How long a transaction that is still ending is asked for, and how often.
const FATE_PATIENCE: Duration = Duration::from_secs(30);
const FATE_PAUSE: Duration = Duration::from_millis(50);

impl Engine {
    /// Begins a transaction; dropping it rolls it back.
    ///
    /// # Errors
    /// As [`Engine::get`]; `Database` or `Disconnect`.
    #[track_caller]
    pub fn begin(&self) -> Result<Transaction> {
        Transaction::begin(self, &TransactionOptions::new())
    }

    /// Runs `work` once in a transaction, and commits what it did if it succeeds.
    ///
    /// ```
    /// use rowmill::Engine;
    /// let engine = Engine::open("sqlite::memory:")?;
    /// engine.run("create table accounts (id integer primary key, cents integer not null)")?;
    /// let changed = engine.transaction(|transaction| {
    ///     transaction.execute("insert into accounts values ($1, $2)", &[1.into(), 500.into()])?;
    ///     transaction.execute("update accounts set cents = cents - 100 where id = 1", &[])
    /// })?;
    /// assert_eq!(changed, 1);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What `work` returns; as [`begin`](Self::begin) and [`Transaction::commit`].
    #[track_caller]
    pub fn transaction<T>(&self, work: impl FnOnce(&mut Transaction) -> Result<T>) -> Result<T> {
        let mut transaction = self.begin()?;
        let value = work(&mut transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Runs `work` in a transaction as `options` say, as a whole, again where they allow it and
    /// the run before has certainly left nothing behind.
    ///
    /// ```
    /// use rowmill::{Engine, RetryPolicy, TransactionOptions};
    /// let engine = Engine::open("sqlite::memory:")?;
    /// engine.run("create table counters (id integer primary key, n integer not null)")?;
    /// let options = TransactionOptions::new().retry(RetryPolicy::default());
    /// engine.transact(&options, |transaction| {
    ///     transaction.execute("insert into counters values (1, 1)", &[])
    /// })?;
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What `work` returns last; as [`begin`](Self::begin) and [`Transaction::commit`];
    /// `Unsupported` if the database cannot do what `options` ask for.
    #[track_caller]
    pub fn transact<T>(
        &self,
        options: &TransactionOptions,
        mut work: impl FnMut(&mut Transaction) -> Result<T>,
    ) -> Result<T> {
        let start = Instant::now();
        let once = RetryPolicy { attempts: 1, patience: Duration::ZERO };
        let mut attempts = Attempts::new(options.retry.unwrap_or(once));
        let mut number = 1;
        loop {
            // A pool that has nothing to give has waited already.
            let intent = if options.read_only { Intent::Read } else { Intent::Write };
            let connection = self.acquire(intent)?;
            let done = Transaction::begin_on(connection, options, number)
                .and_then(|transaction| run(self, options, transaction, &mut work));
            let error = match done {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let delay = if is_final(&error, options) {
                None
            } else {
                attempts.after(&error, Instant::now())
            };
            let ends = |deadline: Duration| start.elapsed() >= deadline;
            let Some(delay) = delay.filter(|_| !options.deadline.is_some_and(ends)) else {
                return Err(error);
            };
            thread::sleep(delay);
            number += 1;
        }
    }
}

/// Whether another run cannot be allowed, or cannot help.
fn is_final(error: &Error, options: &TransactionOptions) -> bool {
    // From elsewhere it would mean that the server has become a standby.
    let refused_as_asked = || error.sqlstate() == SqlState::parse("25006");
    error.kind() == ErrorKind::CommitUnknown || (options.read_only && refused_as_asked())
}

fn run<T>(
    engine: &Engine,
    options: &TransactionOptions,
    mut transaction: Transaction,
    work: &mut impl FnMut(&mut Transaction) -> Result<T>,
) -> Result<T> {
    let changes = engine.primary_changes();
    let value = work(&mut transaction)?;
    let id = if options.resolve_commit { transaction.id()? } else { None };
    let ended = transaction.end();
    let hooks = transaction.take_hooks();
    // ORDER: the connection goes back before another is asked for, and before the hooks are called.
    drop(transaction);
    match (ended, id) {
        (Err(error), Some(id)) if error.kind() == ErrorKind::CommitUnknown => {
            resolve(engine, changes, &id, error)?;
        }
        (ended, _) => ended?,
    }
    for hook in hooks {
        hook();
    }
    Ok(value)
}

/// Asks on another connection what became of a transaction; nothing is an answer until its
/// session has ended.
fn resolve(engine: &Engine, changes: u64, id: &TransactionId, unknown: Error) -> Result<()> {
    let deadline = Instant::now() + FATE_PATIENCE;
    loop {
        let fate = engine.get().and_then(|mut connection| connection.fate(id));
        // ORDER: after it was asked. A server that took the place of another may have given the
        // same number to another transaction.
        if engine.primary_changes() != changes {
            return Err(unknown);
        }
        match fate {
            Ok(Fate::Committed) => return Ok(()),
            Ok(Fate::RolledBack) => {
                let message = "the connection was lost, and the transaction was rolled back";
                return Err(Error::new(ErrorKind::Disconnect, message).with_source(unknown));
            }
            Ok(Fate::InProgress) => {}
            Err(error) if error.is_transient() => {}
            Ok(Fate::Unknown) | Err(_) => return Err(unknown),
        }
        if Instant::now() >= deadline {
            return Err(unknown);
        }
        thread::sleep(FATE_PAUSE);
    }
}
