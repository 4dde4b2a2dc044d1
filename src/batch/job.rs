//! What is declared, and the start of a run.

use super::change::OnChange;
use super::ending::{Deadline, EndingOptions};
use super::identity::Identity;
use super::ledger::LedgerName;
use super::limits::{Limits, MaxRejects, RejectClass};
use super::observer::{Observer, Observers};
use super::pipeline::Pipeline;
use super::report::Report;
use super::run::{self, Start};
use super::shards::{self, Whole};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::pool::Clock;
use crate::retry::RetryPolicy;
use crate::sharding::ShardedEngine;
use crate::sink::destination::Destination;
use crate::source::feed::Feed;
use crate::source::rows::Source;
use crate::stop::StopToken;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A source and a target whose columns fit each other.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Where rows come from, packed.
    pub feed: Arc<dyn Feed>,
    /// Where they go.
    pub target: Destination,
}

/// That a run lets others join.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joins {
    pub(super) hint: Option<u64>,
}

type Declare = Arc<dyn Fn() -> Result<Declared> + Send + Sync>;

/// The name of a job that is being declared, and its parameters.
#[derive(Clone, Debug)]
pub struct Draft {
    identity: Identity,
}

impl Draft {
    /// Adds a parameter that is part of the job's identity.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.identity.params.insert(name.into(), value.into());
        self
    }

    /// Reads the rows of `source`.
    pub fn read<S: Source + 'static>(self, source: S) -> Pipeline<S::Row> {
        Pipeline::of(self, source)
    }

    /// Takes rows that are packed already, as a job file's are.
    pub fn feed(self, feed: Arc<dyn Feed>, target: impl Into<Destination>) -> Job {
        let declared = Declared { feed, target: target.into() };
        Job::new(self, Arc::new(move || Ok(declared.clone())))
    }
}

/// A declared piece of work: a source, a table, and how rows get from one to the other.
///
/// A job is done once: its identity is its name with its parameters, and a run of a complete one
/// says so and does nothing. A run that was interrupted, however it was, is carried on by the
/// next.
#[derive(Clone)]
pub struct Job {
    identity: Identity,
    ledger: LedgerName,
    declare: Declare,
    limits: Limits,
    class_limits: Vec<(RejectClass, MaxRejects)>,
    joins: Option<Joins>,
    shard_key: Option<String>,
    on_change: OnChange,
    ending: EndingOptions,
    observers: Observers,
}

impl Job {
    /// Begins the declaration of a job.
    pub fn named(name: impl Into<String>) -> Draft {
        Draft {
            identity: Identity { name: name.into(), params: std::collections::BTreeMap::new() },
        }
    }

    pub(super) fn new(draft: Draft, declare: Declare) -> Self {
        Self {
            identity: draft.identity,
            ledger: LedgerName::default(),
            declare,
            limits: Limits::default(),
            class_limits: Vec::new(),
            joins: None,
            shard_key: None,
            on_change: OnChange::default(),
            ending: EndingOptions::default(),
            observers: Observers::default(),
        }
    }

    /// Closes a batch at so many rows. Default: 5000.
    #[must_use]
    pub fn batch_rows(mut self, rows: u64) -> Self {
        self.limits.batch.rows = rows.max(1);
        self
    }

    /// Closes a batch at so many bytes of its source. Default: 4 MiB.
    #[must_use]
    pub fn batch_bytes(mut self, bytes: u64) -> Self {
        self.limits.batch.bytes = bytes.max(1);
        self
    }

    /// Stops the job when more rows are rejected. Default: 100.
    #[must_use]
    pub fn max_rejects(mut self, limit: MaxRejects) -> Self {
        self.limits.max_rejects = limit;
        self
    }

    /// Stops the job when more rows of this kind are rejected, beside the limit of
    /// [`Job::max_rejects`] on all of them; the last word on a kind counts. Default: no kind has a
    /// limit of its own.
    #[must_use]
    pub fn max_rejects_of(mut self, class: RejectClass, limit: MaxRejects) -> Self {
        self.class_limits.retain(|(other, _)| *other != class);
        self.class_limits.push((class, limit));
        self
    }

    /// Has so many batches in flight, at least one and never more than the pool has connections.
    /// Default: found by measuring, see [`Receipt::workers`](super::receipt::Receipt::workers).
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.limits.workers = Some(count.max(1));
        self
    }

    /// Has so many bytes of the source in flight. Default: 64 MiB.
    #[must_use]
    pub fn in_flight_bytes(mut self, bytes: u64) -> Self {
        self.limits.in_flight_bytes = bytes.max(1);
        self
    }

    /// Lets up to so many batches that follow each other share a transaction, where one process appends
    /// or stages by COPY or upserts ranges of a key. Default: 16. The number is doubled as long as a transaction
    /// takes less than 250 ms, holds no more than [`Job::batch_bytes`], and no row is refused.
    #[must_use]
    pub fn batches_a_transaction(mut self, most: usize) -> Self {
        self.limits.batches_a_transaction = most.max(1);
        self
    }

    /// Tries a batch again by this policy. Default: [`RetryPolicy::default`].
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.limits.retry = policy;
        self
    }

    /// Keeps its ledger, and its stage, in this schema of the target; where there are no schemas,
    /// in tables whose names begin with it. Default: `rowmill`. Jobs of different ledgers know
    /// nothing of each other.
    #[must_use]
    pub fn ledger(mut self, name: LedgerName) -> Self {
        self.ledger = name;
        self
    }

    /// Sets what is done where the input or the declaration changed after a run of the job had begun.
    /// Default: it is refused.
    #[must_use]
    pub fn on_change(mut self, on_change: OnChange) -> Self {
        self.on_change = on_change;
        self
    }

    /// Lets other processes that join, too, work on the job at the same time; PostgreSQL only.
    ///
    /// Each of them may be started, and killed, whenever it pleases: whoever comes first plans, a
    /// batch is done by whoever has locked its row in the ledger, and the last one to finish ends
    /// the job. A run ends when the job does, whoever ended it; [`Report::share`] says what it did
    /// itself. While one joins, a run that does not is told that the job is already running.
    ///
    /// `hint`, where there is one, is the number of the process among all, from 0: where it begins
    /// in the plan, and nothing more. Every process takes whatever is left.
    #[must_use]
    pub fn join(mut self, hint: Option<u64>) -> Self {
        self.joins = Some(Joins { hint });
        self
    }

    /// Spreads its rows over shards by this column of the target; see [`Job::run_on_shards`]. Default:
    /// the field of the entity that is marked with `#[entity(shard_key)]`.
    #[must_use]
    pub fn shard_key(mut self, column: impl Into<String>) -> Self {
        self.shard_key = Some(column.into());
        self
    }

    /// Can be stopped with this token.
    #[must_use]
    pub fn stop(mut self, token: StopToken) -> Self {
        self.ending.stop = token;
        self
    }

    /// Stops, resumably, when `deadline` has come: no batch is begun any more, and none is tried
    /// again. Before that, observers are told as soon as the rate says that it will be missed.
    /// Default: none.
    ///
    /// ```
    /// use rowmill::{Append, Entity, Iter, Job};
    /// use std::time::Duration;
    ///
    /// #[derive(Entity)]
    /// #[entity(table = "numbers")]
    /// struct Number { #[entity(key)] id: i64 }
    ///
    /// let job = Job::named("numbers")
    ///     .read(Iter::new("numbers", || (0..10).map(|id| Number { id })))
    ///     .write(Append::<Number>::new())
    ///     .deadline(Duration::from_mins(90));
    /// ```
    #[must_use]
    pub fn deadline(mut self, deadline: impl Into<Deadline>) -> Self {
        self.ending.deadline = Some(deadline.into());
        self
    }

    /// How long batches in flight may take to end, once the run is asked to stop or its deadline
    /// has come; then they are rolled back. Default: 20 seconds.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.ending.grace = grace;
        self
    }

    /// Judges the deadline by this clock. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.ending.clock = clock;
        self
    }

    /// Is watched by `observer`, beside those that watch it already.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.add(observer);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// Runs it on the worker set, and returns what was done.
    ///
    /// # Errors
    /// `Config` or `Schema` if the job and the table do not fit; `Source` if the input cannot be
    /// read or changed; `AlreadyRunning`; `RejectLimit`; `Stopped`; `Panic` if a closure panicked;
    /// `Connect`, `Disconnect` or `Database` if the server did not come back within the policy's
    /// patience. After all but the first two, the same call carries on.
    pub fn run(&self, engine: &Engine) -> Result<Report> {
        into_result(self.execute(engine, true))
    }

    /// Runs it on the caller's thread alone, one batch after the other: the same result.
    ///
    /// # Errors
    /// As [`Job::run`].
    pub fn run_serial(&self, engine: &Engine) -> Result<Report> {
        into_result(self.execute(engine, false))
    }

    /// Runs it and returns what was done, also where there is an error.
    pub fn report(&self, engine: &Engine) -> (Report, Option<Error>) {
        self.execute(engine, true)
    }

    pub(super) fn spread_by(mut self, column: Option<&str>) -> Self {
        self.shard_key = column.map(str::to_owned);
        self
    }

    pub(super) fn key_of_shards(&self) -> Option<&str> {
        self.shard_key.as_deref()
    }

    pub(super) fn declared(&self) -> Result<Declared> {
        (self.declare)()
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn ledger_name(&self) -> &LedgerName {
        &self.ledger
    }

    pub(super) fn lock_key(&self) -> i64 {
        self.identity.lock_key(&self.ledger)
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn ending(&self) -> &EndingOptions {
        &self.ending
    }

    pub(super) fn observers(&self) -> &Observers {
        &self.observers
    }

    fn execute(&self, engine: &Engine, parallel: bool) -> (Report, Option<Error>) {
        let declared = match (self.declare)() {
            Ok(declared) => declared,
            Err(error) => {
                let report = Report::new(&self.identity.name, self.identity.params.clone());
                return (report, Some(error));
            }
        };
        run::run(&Start {
            identity: &self.identity,
            ledger: &self.ledger,
            declared,
            limits: self.limits,
            class_limits: &self.class_limits,
            joins: self.joins,
            on_change: self.on_change,
            engine,
            ending: &self.ending,
            observer: &self.observers,
            parallel,
            part: None,
        })
    }

    pub(super) fn execute_on(
        &self,
        shards: &ShardedEngine,
        parallel: bool,
    ) -> (Report, Option<Error>) {
        let declared = match (self.declare)() {
            Ok(declared) => declared,
            Err(error) => {
                let report = Report::new(&self.identity.name, self.identity.params.clone());
                return (report, Some(error));
            }
        };
        shards::run(&Whole {
            identity: &self.identity,
            ledger: &self.ledger,
            declared,
            key: self.key_of_shards(),
            limits: self.limits,
            class_limits: &self.class_limits,
            joins: self.joins,
            on_change: self.on_change,
            shards,
            ending: &self.ending,
            observer: &self.observers,
            parallel,
        })
    }
}

pub(super) fn into_result((report, error): (Report, Option<Error>)) -> Result<Report> {
    match error {
        Some(error) => Err(error),
        None => Ok(report),
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("identity", &self.identity)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
