//! Blocking, parallel, restartable batch work on PostgreSQL and SQLite.
//!
//! It is a pool of blocking connections, a dispatcher that never has more batches in flight than
//! there are connections, and a set of workers; rows, rejects and progress of a batch commit in
//! one transaction of the target. It is not an async client, not a scheduler, not a query planner,
//! and not a distributed system of its own.
//!
//! ```
//! use rowmill::{Engine, Entity, Iter, Job, Upsert};
//!
//! #[derive(Entity)]
//! #[entity(table = "squares")]
//! struct Square {
//!     #[entity(key)]
//!     number: i64,
//!     square: i64,
//! }
//!
//! fn main() -> rowmill::Result<()> {
//!     let target = std::env::var("ROWMILL_TARGET").unwrap_or("sqlite::memory:".to_owned());
//!     let engine = Engine::open(&target)?;
//!     let job = Job::named("squares")
//!         .read(Iter::new("numbers", || 1..=1_000_i64))
//!         .map(|number| Ok(Square { number, square: number * number }))
//!         .write(Upsert::<Square>::new().create(true))
//!         .batch_rows(100);
//!     let first = job.run(&engine)?;
//!     assert_eq!((first.read, first.rejected), (1_000, 0));
//!
//!     // Done is done. After a crash, the same call would do the batches that were left.
//!     let second = job.run(&engine)?;
//!     let again = second.batches - second.batches_reused;
//!     println!(
//!         "{} rows in {} batches, of which the second run did {again}",
//!         first.read, first.batches
//!     );
//!     Ok(())
//! }
//! ```
//!
//! # I want to ...
//!
//! | I want to ... | use ... |
//! |---|---|
//! | load a CSV file whose rows are a struct | [`Csv`] and `#[derive(Entity)]` |
//! | load a CSV file whose columns are known at run time | [`CsvColumns`] and [`Draft::feed`] |
//! | load files with a JSON object on each line | [`Ndjson`], [`NdjsonColumns`] |
//! | load several files, or compressed ones | [`Files`] |
//! | load a table or a query of a database, changed on the way | [`Table`]; as it is: [`TableColumns`] |
//! | load what an iterator makes | [`Iter`] |
//! | load from anything else | a [`Source`] of my own |
//! | change rows, leave rows out | [`Pipeline::map`], [`Pipeline::filter`] |
//! | insert every row | [`Append`] |
//! | insert what is new and pass over the rest | [`InsertIgnore`] |
//! | insert what is new and update what changed | [`Upsert`] |
//! | make a table equal to its source | [`Mirror`], or [`Replace`] where there is no key |
//! | be restarted after a crash | [`Job::run`] once more, with the same name and parameters |
//! | bear some bad rows | [`Job::max_rejects`] |
//! | stop a run in order | [`Job::stop`] with a [`StopToken`] |
//! | watch a run | [`Job::observer`] |
//! | know what a run did, also where it failed | [`Report`], [`Job::report`] |
//! | see whether parallel work is right | [`Job::run_serial`], its serial twin |
//! | store an entity, or read one by its key | [`Insert`], [`Crud`] |
//! | store many at once | [`InsertMany`], [`CrudMany`] |
//! | change entities and have what changed written together | [`Engine::session`], [`Session`] |
//! | only read, and be held to it | [`Engine::read_session`], [`ReadSession`] |
//! | load what belongs to many rows in one query | [`load_children`], [`load_parents`], [`load_through`] |
//! | find rows by conditions, in an order, some of them, joined | [`Find::query`], [`Query`] |
//! | count, sum and group rows, or values made of columns | [`Query::group_by`], [`count_all`], [`when`], [`fragment`] |
//! | know how many children a row has, or whether it has any | [`count_of`], [`has`], [`value_of`] |
//! | change or delete the rows for which a condition holds | [`Update`], [`Delete`] |
//! | read a large result in constant memory, or in pages | [`Query::iter`], [`Query::chunks`], [`Query::page`] |
//! | write SQL by hand, with named values and structs | [`Sql`] |
//! | work off a table as a queue | [`Query::for_update`], [`Query::skip_locked`] |
//! | run a statement without further ado | [`Engine::execute`], [`Engine::run`] |
//! | look up by key from many threads | [`Engine::flights`] |
//! | do several statements or none | [`Engine::transaction`], [`Engine::begin`] |
//! | have a transaction run again after a deadlock or a lost connection | [`Engine::transact`] with [`TransactionOptions::retry`] |
//! | let one process at a time do something | [`Engine::advisory_lock`] |
//! | create the tables of my entities | [`Schema::create_all`], [`Schema::create_missing`] |
//! | know at the start whether the database is as my entities say | [`Schema::verify`] |
//! | have the entities of tables that are there | [`EntitySource`], or `rowmill entity TABLE` |
//! | change a database by SQL files, each once and in order | [`Migrations`], or `rowmill migrate` |
//! | have numbers start behind rows that were loaded with theirs | [`Schema::sync_sequences`] |
//! | set the size and the time-outs of the pool | [`Engine::builder`], or the URL |
//! | know what happens in the pool | [`Pool`], [`PoolListener`], [`PoolHooks`] |
//! | spread rows over several databases by a key | `#[entity(shard_key)]`, [`ShardMap`], [`ShardedEngine`] |
//! | ask all shards at once, and have one result | [`Query::scatter`], [`Scatter`] |
//! | write to several shards, and know what committed where | [`ShardedEngine::writer`], [`ShardedEngine::session`], [`ShardWrites`] |
//! | move rows to another shard while others write | [`Reshard`], `rowmill shards move` |
//! | see every statement, or the slow ones | [`EngineBuilder::echo`], [`EngineBuilder::slow_statements`] |
//! | map an enum: of the database, or as a text or a number | `#[derive(SqlEnum)]` |
//! | give a column a type of my own | `#[derive(Cell)]`, `#[derive(Composite)]` |
//! | have ranges, addresses, intervals, numbers of any length | [`Range`], [`Multirange`], [`Inet`], [`MacAddress`], [`Hstore`], [`Interval`], [`Moment`], [`Numeric`] |
//! | write CSV or NDJSON files, whole or not at all | [`CsvFile`], [`NdjsonFile`], [`Pipeline::write_file`] |
//! | know whether trying again helps | [`Error::is_transient`], [`Error::kind`] |
//!
//! Who comes from SQLAlchemy, Django, Peewee or Tortoise finds each thing of the first day in the
//! [`guide`].
//!
//! Everything fails with one type, [`Error`]: one line that says what, where and what to do,
//! without a password and without the value of a row. Nothing here panics on purpose or prints.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `cli` | yes | the `rowmill` command, and [`cli`] |
//! | `compression` | yes | files that are compressed with gzip or zstd |
//! | `files` | with `cli` | files by a pattern of their names, and streams such as standard input |
//! | `tls` | yes | TLS to PostgreSQL, with rustls and ring |
//! | `parquet` | no | Parquet files as sources and targets: `ParquetColumns`, `Parquet`, `ParquetFile` |
//! | `metrics` | no | `PoolMetrics` and `RunMetrics`: figures for the crate `metrics` |
//! | `tracing` | no | spans and events of the crate `tracing` |
//! | `chrono`, `jiff`, `rust_decimal`, `uuid` | no | the types of those crates as columns |

pub mod backend;
pub mod batch;
#[cfg(feature = "cli")]
pub mod cli;
mod config;
pub mod copy;
pub mod engine;
mod error;
pub mod fetch;
/// For who comes from Python. Its snippets are run by the tests, on both databases.
#[cfg(not(doctest))]
#[doc = include_str!("../docs/coming-from-python.md")]
pub mod guide {}
mod ident;
pub mod mapping;
mod nearest;
#[cfg(feature = "metrics")]
pub mod observe;
pub mod pool;
pub mod prelude;
pub mod query;
pub mod reshard;
mod retry;
mod routing;
pub mod schema;
pub mod session;
pub mod sharding;
pub mod sink;
pub mod source;
mod spent;
pub mod sql;
mod sqlstate;
mod stop;
pub mod store;
mod trace;
pub mod url;
mod workers;

// Flow: jobs and their runs.
pub use batch::change::OnChange;
pub use batch::ending::Deadline;
pub use batch::group_choice::{GroupChoice, GroupReason};
pub use batch::identity::Identity;
pub use batch::job::{Draft, Job};
pub use batch::limits::{MaxRejects, RejectClass};
pub use batch::observer::{BatchDone, Observer, PlanTotals};
pub use batch::pipeline::Pipeline;
pub use batch::receipt::{Before, Bottleneck, Culprit, Receipt, SlowBatch};
pub use batch::replay::Replayed;
pub use batch::report::{PoolReport, Report, Status};
pub use batch::shards::report::ShardReport;
pub use batch::worker_count::choice::{WorkerChoice, WorkerReason, WorkerTrial};
pub use batch::write::{Append, InsertIgnore, Mirror, Replace, Upsert, Write, WriteMode};
pub use reshard::{MoveStatus, MoveStep, Reshard};

// Work: queries and their rows; entities; schemas; transactions; where rows come from and where
// they go.
pub use fetch::{Chunks, FromRow, Page, Pages, RowStream};
pub use schema::{
    AppliedMigration, Difference, DifferenceKind, EntitySource, Migration, MigrationState,
    MigrationStatus, Migrations, Schema, SchemaReport, TimeTypes,
};
pub use session::{
    AdvisoryLock, Isolation, ReadSession, RepeatedGets, Session, SessionOptions, SessionQuery,
    ShardedSession, Tracked, Transaction, TransactionOptions,
};
pub use sink::file::csv::CsvOptions;
#[cfg(feature = "parquet")]
pub use sink::file::parquet::{ParquetCompression, ParquetFile, ParquetOptions};
pub use sink::file::target::{FileFormat, FileTarget};
pub use sink::file::{CsvFile, NdjsonFile};
pub use sink::{destination::Destination, duplicates::OnDuplicate, indexes::Indexes};
pub use sink::{mode::Mode, target::Target};
pub use source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
pub use source::csv::{Csv, CsvColumn, CsvColumns, CsvFormat};
pub use source::feed::{Feed, Frame, Layout};
#[cfg(feature = "files")]
pub use source::input::Spool;
pub use source::input::{Compression, Files};
pub use source::ndjson::{Ndjson, NdjsonColumn, NdjsonColumns};
#[cfg(feature = "parquet")]
pub use source::parquet::{Parquet, ParquetColumn, ParquetColumns};
pub use source::prepared::{Prepared, Stage};
pub use source::rows::{EachPlaced, Iter, Refusal, RowPlace, Source};
pub use source::stateful::{Kept, Stateful, Surroundings};
pub use source::table::{Consistency, Partitions, Table, TableColumn, TableColumns};
pub use store::{
    Crud, CrudMany, Duplicates, Fields, Insert, InsertMany, RefersTo, Saved, Upserted,
    load_children, load_parents, load_through,
};

// Wires and drivers: databases and their connections.
pub use backend::RowRef;
pub use backend::server_state::{Fork, LogPlace, LogPosition, ServerState};
pub use config::{Order, Overflow, PoolKind, PoolOptions, ResetPolicy, Start};
pub use engine::{
    Acquire, CommitToken, Engine, EngineBuilder, Executor, Flights, Freshness, Intent, NodeHealth,
    NodeStatus, Policy, Reader, Replica, Role, RoutingOptions, StatementEvent, StatementKind,
};
#[cfg(feature = "metrics")]
pub use observe::{PoolMetrics, RunMetrics};
pub use pool::{
    AssertionPool, Budget, Clock, CloseReason, CloseReport, ConnectionData, Detached, Holder,
    Hooked, NullPool, Pool, PoolEvent, PoolHooks, PoolListener, PoolName, PoolStats, Pooled,
    QueuePool, Returning, Verdict,
};
pub use sharding::{
    Gathered, KeyKind, Missing, OnShardError, Placement, PreparedTransaction, Resolved, Scatter,
    ShardId, ShardKey, ShardMap, ShardOutcome, ShardWriter, ShardWrites, ShardedEngine,
    ShardedEngineBuilder, StoredMap,
};
pub use url::DatabaseUrl;

// Paper: structs as rows, and SQL.
pub use mapping::binary::BinaryType;
pub use mapping::cell::values::{
    Hstore, Inet, Interval, MacAddress, Moment, Multirange, Numeric, Range,
};
pub use mapping::cell::{Cell, CellRef};
pub use mapping::column::{Column, Made};
pub use mapping::column_type::ColumnType;
pub use mapping::entity::Entity;
pub use mapping::field::{Field, Nothing};
pub use mapping::key::{Key, Keyed};
pub use mapping::key_range::KeyRange;
pub use mapping::nul::NulPolicy;
pub use mapping::param::Param;
pub use mapping::reference::{OnDelete, Reference};
pub use mapping::rows::{RowWriter, Rows};
pub use mapping::sharded::Sharded;
pub use mapping::table_shape::{Index, TableShape};
pub use mapping::typed_fields::TypedFields;
pub use query::{
    Delete, Expr, Find, OrderBy, PageToken, Query, Sql, Update, both, count_all, count_of, either,
    equal, fragment, fragment_for, has, value, value_of, when,
};
pub use rowmill_derive::{Cell, Composite, Entity, SqlEnum};
pub use sql::dialect::Dialect;

// Ground: errors, names, stopping.
pub use error::{Error, ErrorKind, Locate, Place, Result};
pub use ident::{Ident, MAX_IDENT_BYTES, TableName};
pub use nearest::nearest;
pub use retry::RetryPolicy;
pub use sqlstate::{Class, SqlState};
pub use stop::{Stop, StopToken};
