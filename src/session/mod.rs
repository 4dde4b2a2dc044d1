//! Work of one thread on one connection.
//!
//! - `transaction`: [`Transaction`]: statements that hold together, and savepoints within
//! - `options`:     [`TransactionOptions`]: isolation, time-outs, how often to try
//! - `transact`:    [`Engine::transaction`](crate::Engine::transaction) and its kin: a closure that
//!   is run again where that helps
//!
//! # What it promises
//!
//! What is not committed is rolled back: by a dropped transaction, an error, a panic. A transaction
//! in which a statement failed cannot be committed by mistake: its end is an error that names the
//! first one. A closure is run again only where the first run has certainly left nothing behind,
//! as a whole, and never once its COMMIT may have held: that is an error of its own
//! ([`CommitUnknown`](crate::ErrorKind::CommitUnknown)), or is resolved by asking the database.

mod options;
mod transact;
mod transaction;

pub use options::{Isolation, TransactionOptions};
pub use transaction::Transaction;
