//! Statements that hold together.

use super::options::TransactionOptions;
use super::together;
use crate::backend::fate::TransactionId;
use crate::backend::{Connection, RowRef};
use crate::engine::{Acquire, CommitToken, Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::param::Param;
use crate::pool::Pooled;
use crate::sqlstate::{Class, SqlState};
use std::cell::RefCell;
use std::{fmt, mem};

/// What is called after a commit.
pub(super) type Hook = Box<dyn FnOnce() + Send>;

/// A transaction on a connection of its own; dropping it rolls it back.
///
/// ```
/// use rowmill::Engine;
/// let engine = Engine::open("sqlite::memory:")?;
/// engine.run("create table accounts (id integer primary key, cents integer not null)")?;
/// let mut transaction = engine.begin()?;
/// transaction.execute("insert into accounts values ($1, $2)", &[1.into(), 500.into()])?;
/// // What fails within a savepoint is taken back alone.
/// let failed = transaction.savepoint(|transaction| {
///     transaction.execute("insert into accounts values ($1, $2)", &[1.into(), 900.into()])
/// });
/// assert!(failed.is_err());
/// transaction.commit()?;
/// # Ok::<(), rowmill::Error>(())
/// ```
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction {
    inner: RefCell<Inner>,
    attempt: u32,
    hooks: Vec<Hook>,
}

struct Inner {
    connection: Pooled,
    /// The first statement that failed; the database may refuse everything since then.
    first_failure: Option<Error>,
    savepoints: u32,
}

impl Transaction {
    /// Begins a transaction on a connection of `from`.
    ///
    /// # Errors
    /// As [`Acquire::acquire`]; `Unsupported` if the database cannot do what `options` ask for;
    /// `Database` or `Disconnect`.
    #[track_caller]
    pub fn begin(from: &dyn Acquire, options: &TransactionOptions) -> Result<Self> {
        let intent = if options.read_only { Intent::Read } else { Intent::Write };
        Self::begin_on(from.acquire(intent)?, options, 1)
    }

    pub(super) fn begin_on(
        mut connection: Pooled,
        options: &TransactionOptions,
        attempt: u32,
    ) -> Result<Self> {
        let sql = options.sql(*connection.capabilities())?;
        if options.statement_timeout.is_some() {
            connection.set_statement_timeout(options.statement_timeout)?;
        }
        connection.begin()?;
        if !sql.is_empty() {
            connection.run(&sql)?;
        }
        Ok(Self::on(connection, attempt))
    }

    /// A transaction that only reads, also where the database does not know of such a thing: there
    /// it is one that waits for nobody who writes.
    #[track_caller]
    pub(super) fn begin_to_read(from: &dyn Acquire, options: &TransactionOptions) -> Result<Self> {
        let mut connection = from.acquire(Intent::Read)?;
        if connection.capabilities().transaction_modes {
            return Self::begin_on(connection, &options.clone().read_only(), 1);
        }
        if options.statement_timeout.is_some() {
            connection.set_statement_timeout(options.statement_timeout)?;
        }
        connection.run("BEGIN")?;
        Ok(Self::on(connection, 1))
    }

    fn on(connection: Pooled, attempt: u32) -> Self {
        let inner = Inner { connection, first_failure: None, savepoints: 0 };
        Self { inner: RefCell::new(inner), attempt, hooks: Vec::new() }
    }

    /// Runs one or more statements without parameters and forgets their results. They must not
    /// end the transaction.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.through(|connection| connection.run(sql))
    }

    /// Runs one statement and returns how many rows it changed.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.through(|connection| connection.execute(sql, params))
    }

    /// Runs statements in their order and returns how many rows each changed. Where the database can
    /// take them together they go to it in one write and come back in one, however many they are, and
    /// BEGIN goes with the first: for statements none of which needs the answer to another.
    ///
    /// ```
    /// use rowmill::Engine;
    /// let engine = Engine::open("sqlite::memory:")?;
    /// engine.run("create table accounts (id integer primary key, cents integer not null)")?;
    /// engine.run("insert into accounts values (1, 500), (2, 0)")?;
    /// let changed = engine.transaction(|transaction| {
    ///     transaction.execute_together(&[
    ///         ("update accounts set cents = cents - $2 where id = $1", &[1.into(), 100.into()]),
    ///         ("update accounts set cents = cents + $2 where id = $1", &[2.into(), 100.into()]),
    ///     ])
    /// })?;
    /// assert_eq!(changed, [1, 1]);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// That of the first one that fails, `Database` or `Disconnect`; those behind it are not run.
    pub fn execute_together(&mut self, statements: &[(&str, &[Param<'_>])]) -> Result<Vec<u64>> {
        together::execute(self, statements)
    }

    /// Runs one query and hands each row to `each`, in constant memory.
    ///
    /// # Errors
    /// `Database` or `Disconnect`; what `each` returns.
    pub fn query(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut each: impl FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        self.through(|connection| connection.query(sql, params, &mut each))
    }

    /// Runs `work` so that an error of it takes back what it did, and nothing else: the
    /// transaction goes on as if it had not been. They nest.
    ///
    /// PostgreSQL slows down for everybody where one transaction has more than 64 that wrote
    /// something: one for each row is too many.
    ///
    /// # Errors
    /// What `work` returns; `Database` if a statement failed and `work` passed over it;
    /// `Disconnect`.
    pub fn savepoint<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let hooks = self.hooks.len();
        let savepoint = self.inner.get_mut().begin_savepoint()?;
        let done = work(self);
        let done = self.inner.get_mut().end_savepoint(savepoint, done);
        if done.is_err() {
            self.hooks.truncate(hooks);
        }
        done
    }

    /// Calls `hook` once the transaction was committed, after the hooks that came before; not if
    /// it is rolled back, or if the savepoint is in which it was asked for.
    pub fn on_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        self.hooks.push(Box::new(hook));
    }

    /// Which run of its closure this is, from 1: what a closure does outside of the database is
    /// done again, too.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Commits, gives the connection back and calls the hooks.
    ///
    /// # Errors
    /// `Database` if it was rolled back instead, because a constraint does not hold or because a
    /// statement had failed; `Disconnect` if the connection was lost before; `CommitUnknown` if
    /// it was lost before the answer came, so that nobody knows whether it held.
    pub fn commit(mut self) -> Result<()> {
        self.end()?;
        let hooks = self.take_hooks();
        // ORDER: nothing is held any more when the hooks are called.
        drop(self);
        for hook in hooks {
            hook();
        }
        Ok(())
    }

    /// Commits as [`commit`](Self::commit) does, and returns a token of what was committed: a read
    /// [`After`](crate::Freshness::After) it sees that. It costs one round trip more.
    ///
    /// The token is a place in the log that the server is asked for after the commit, so that it
    /// covers what others committed in between, too. If the connection is lost right after the
    /// commit, the token is for the primary.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn commit_token(mut self) -> Result<CommitToken> {
        self.end()?;
        // It was committed: whatever goes wrong from here on must not be taken for a failure of that.
        let place = self.inner.get_mut().connection.log_place();
        let token = CommitToken::new(place.unwrap_or_default());
        let hooks = self.take_hooks();
        // ORDER: as for `commit`.
        drop(self);
        for hook in hooks {
            hook();
        }
        Ok(token)
    }

    /// Rolls back and gives the connection back: what dropping does, but the error is seen.
    ///
    /// # Errors
    /// `Disconnect`; nothing was committed then either.
    pub fn rollback(mut self) -> Result<()> {
        self.inner.get_mut().connection.rollback()
    }

    /// Begins a savepoint.
    pub(super) fn open_savepoint(&self) -> Result<Savepoint> {
        self.inner.try_borrow_mut().map_err(|_| busy())?.begin_savepoint()
    }

    /// Ends a savepoint as what was `done` in it asks for.
    pub(super) fn close_savepoint<T>(&self, savepoint: Savepoint, done: Result<T>) -> Result<T> {
        self.inner.try_borrow_mut().map_err(|_| busy())?.end_savepoint(savepoint, done)
    }

    /// Commits, and leaves the hooks to the caller.
    pub(super) fn end(&mut self) -> Result<()> {
        self.through(|connection| connection.commit())
    }

    /// What is to be called after the commit.
    pub(super) fn take_hooks(&mut self) -> Vec<Hook> {
        mem::take(&mut self.hooks)
    }

    /// The number by which the database knows it; `None` if it wrote nothing.
    pub(super) fn id(&mut self) -> Result<Option<TransactionId>> {
        self.through(|connection| connection.transaction_id())
    }

    pub(super) fn through<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        self.inner.get_mut().through(work)
    }
}

impl Executor for Transaction {
    fn with<T>(&self, _: Intent, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        self.inner.try_borrow_mut().map_err(|_| busy())?.through(work)
    }

    fn atomically<T>(&self, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        let mut inner = self.inner.try_borrow_mut().map_err(|_| busy())?;
        let savepoint = inner.begin_savepoint()?;
        let done = inner.through(work);
        inner.end_savepoint(savepoint, done)
    }
}

/// A savepoint that was not ended yet.
pub(super) struct Savepoint {
    name: String,
    /// The first failure before it began.
    before: Option<Error>,
}

impl Inner {
    fn through<T>(&mut self, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        let done = work(&mut *self.connection);
        done.map_err(|error| self.note(error))
    }

    fn begin_savepoint(&mut self) -> Result<Savepoint> {
        self.savepoints += 1;
        let name = format!("rowmill_{}", self.savepoints);
        let before = self.first_failure.as_ref().map(Error::without_source);
        self.through(|connection| connection.run(&format!("SAVEPOINT {name}")))?;
        Ok(Savepoint { name, before })
    }

    fn end_savepoint<T>(&mut self, savepoint: Savepoint, done: Result<T>) -> Result<T> {
        let Savepoint { name, before } = savepoint;
        let release = format!("RELEASE SAVEPOINT {name}");
        let done = done
            .and_then(|value| self.through(|connection| connection.run(&release)).map(|()| value));
        if done.is_err() {
            // Released, too: what was rolled back to stays otherwise, one more each time. A failure
            // here is one of the connection, and shows in whatever comes next.
            let both = format!("ROLLBACK TO SAVEPOINT {name}; {release}");
            if self.connection.run(&both).is_ok() {
                self.first_failure = before;
            }
        }
        done
    }

    /// Remembers the first failure, and shows it where the database only says that there was one.
    fn note(&mut self, error: Error) -> Error {
        match &self.first_failure {
            Some(first) if error.class() == Class::Aborted => aborted_by(first),
            None if matches!(error.kind(), ErrorKind::Database | ErrorKind::Disconnect) => {
                self.first_failure = Some(error.without_source());
                error
            }
            _ => error,
        }
    }
}

fn busy() -> Error {
    let message = "a statement of this transaction is still under way: its rows are being read";
    Error::new(ErrorKind::Internal, message)
        .with_hint("collect the rows first, or use another transaction")
}

fn aborted_by(first: &Error) -> Error {
    let message = format!("the transaction was aborted before, by this error: {first}");
    Error::new(ErrorKind::Database, message)
        .with_sqlstate(SqlState::IN_FAILED_TRANSACTION)
        .with_hint("roll it back; what may fail belongs in a savepoint")
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("inner", &self.inner.try_borrow().map(|inner| inner.connection.id()))
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
