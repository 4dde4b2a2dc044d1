//! What tests share.
//!
//! - `both`:     a test that is written once and runs on SQLite and PostgreSQL
//! - `cluster`:  a private PostgreSQL server, and a database per test
//! - `command`:  the built `rowmill` command: run it, watch it, kill it
//! - `data`:     the nights of real data that lie beside the repository
//! - `fake`:     a backend without a database
//! - `gate`:     a place where threads stop until the test lets them through
//! - `lineitem`: rows of TPC-H's lineitem table as CSV, as many as asked for
//! - `log`:      one who listens to a pool
//! - `loading`:  loads of them through the command, compared row by row
//! - `pgbouncer`: a pooler in transaction mode before a server
//! - `tls`:      authorities, certificates, and a server that has them
//! - `place`:    a database that a job writes to, on a server or in a file
#![allow(dead_code, unused_imports, reason = "not every helper has a user in every build")]

pub mod both;
pub mod cluster;
#[cfg(feature = "cli")]
pub mod command;
pub mod data;
pub mod fake;
pub mod gate;
pub mod lineitem;
#[cfg(feature = "cli")]
pub mod loading;
pub mod log;
pub mod pgbouncer;
#[cfg(feature = "cli")]
mod place;
mod server;
mod test_db;
pub mod tls;

pub use both::{Home, Tally, on_both};
pub use cluster::{Cluster, shared};
#[cfg(feature = "cli")]
pub use command::{Finished, Running, rowmill};
pub use gate::Gate;
pub use log::Log;
pub use test_db::TestDb;

use std::time::Duration;

/// How long a helper waits for something that must happen before it fails the test: generous,
/// because two cores may serve many test binaries at once.
pub const LIMIT: Duration = Duration::from_mins(1);
