//! Work of one thread on one connection.
//!
//! - `transaction`: [`Transaction`]: statements that hold together, and savepoints within
//! - `together`:    statements of a transaction that are sent together
//! - `options`:     [`TransactionOptions`]: isolation, time-outs, how often to try
//! - `transact`:    [`Engine::transaction`](crate::Engine::transaction) and its kin: a closure that
//!   is run again where that helps
//! - `unit_of_work`: [`Session`]: entities that are written together
//! - `shards`:      [`ShardedSession`]: a session for each shard
//! - `query`:       [`SessionQuery`]: rows that become objects of a session
//! - `tracked`:     [`Tracked`]: an entity that a session looks after
//! - `read_session`: [`ReadSession`]: one that cannot write
//! - `session_options`: [`SessionOptions`]: autoflush and the like
//! - `repeated_gets`: [`RepeatedGets`]: rows that are read one by one
//! - `core`:        how a session does what it promises
//! - `relations`:   what belongs to its objects
//! - `unit`:        what it has to do, and how its objects were before
//! - `identity_map`, `image`: which object is which row, and how that row was
//! - `flush`, `order`: writing all of it in few statements, parents first
//! - `advisory_lock`: [`AdvisoryLock`]: a lock that has a name, on a connection of its own
//!
//! # What it promises
//!
//! What is not committed is rolled back: by a dropped transaction, an error, a panic. A transaction
//! in which a statement failed cannot be committed by mistake: its end is an error that names the
//! first one. A closure is run again only where the first run has certainly left nothing behind,
//! as a whole, and never once its COMMIT may have held: that is an error of its own
//! ([`CommitUnknown`](crate::ErrorKind::CommitUnknown)), or is resolved by asking the database.
//!
//! In a session, the same row is the same object. Only changed columns are written. A rollback, of
//! all or to a savepoint, makes the objects what they were. An object that was not changed lives
//! as long as somebody has it, and no longer.

mod advisory_lock;
mod core;
mod flush;
mod identity_map;
mod image;
mod options;
mod order;
mod query;
mod read_session;
mod relations;
mod repeated_gets;
mod session_options;
mod shards;
mod together;
mod tracked;
mod transact;
mod transaction;
mod unit;
mod unit_of_work;

pub use advisory_lock::AdvisoryLock;
pub use options::{Isolation, TransactionOptions};
pub use query::SessionQuery;
pub use read_session::ReadSession;
pub use repeated_gets::RepeatedGets;
pub use session_options::SessionOptions;
pub use shards::ShardedSession;
pub use tracked::Tracked;
pub use transaction::Transaction;
pub use unit_of_work::Session;
