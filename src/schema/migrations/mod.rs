//! Changes of a database, as plain SQL files that are applied once and in order.
//!
//! - `file`:   [`Migration`]: one file
//! - `folder`: [`Migrations`]: all of them, of a folder or built in
//! - `state`:  what the database says of each
//! - `record`: the table in which it says so
//! - `run`:    applying what is pending
//!
//! A file is applied in one transaction with its record: both hold, or neither. One at a time
//! migrates a database; who comes second waits, and finds nothing left to do. He asks again and
//! again for the lock instead of waiting in a statement, which would have a snapshot and keep a
//! `CREATE INDEX CONCURRENTLY` of the first from ending. Nothing is applied where a file that was
//! applied is not as it was, is gone, or was overtaken.

mod file;
mod folder;
mod record;
mod run;
mod state;

pub use file::Migration;
pub use folder::Migrations;
pub use run::AppliedMigration;
pub use state::{MigrationState, MigrationStatus};
