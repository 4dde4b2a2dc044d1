//! What tests share.
//!
//! - `alone`:    a test in a process of its own, and what it has
//! - `both`:     a test that is written once and runs on SQLite and PostgreSQL
//! - `chinook`:  a shop for music, as entities and with rows
//! - `cluster`:  a private PostgreSQL server, and a database per test
//! - `command`:  the built `rowmill` command: run it, watch it, kill it
//! - `conflict`: replicas that cancel who is in the way of what they replay
//! - `counted`:  an engine that tells which statements were run
//! - `crowd`:    many threads at one pool
//! - `data`:     the nights of real data that lie beside the repository
//! - `fake`:     a backend without a database
//! - `gate`:     a place where threads stop until the test lets them through
//! - `island`:   a network that can be cut off
//! - `lineitem`: rows of TPC-H's lineitem table as CSV, as many as asked for
//! - `log`:      one who listens to a pool
//! - `loading`:  loads of them through the command, compared row by row
//! - `music`:    the tables of a small shop, and their entities
//! - `pgbouncer`: a pooler in transaction mode before a server
//! - `reshard`:  rows whose buckets are moved between them
//! - `shards`:   several databases that are the shards of one map
//! - `tls`:      authorities, certificates, and a server that has them
//! - `recorder`: keeps the figures for `metrics`
//! - `place`:    a database that a job writes to, on a server or in a file
//! - `port`:     ports that nobody else is given
//! - `round_trip`: values go to a database and come back
//! - `proxy`:    a server's address with faults
//! - `standby`:  commits that wait for a standby
//! - `subject`:  the pools of an experiment: ours and the naive baseline
//! - `tmpfs`:    a small disk that can be filled
//! - `trio`:     a primary and two replicas that follow it
//! - `trial`:    one experiment: its numbers, its verdict, its limit
#![allow(dead_code, unused_imports, reason = "not every helper has a user in every build")]

pub mod alone;
pub mod both;
pub mod chinook;
pub mod cluster;
#[cfg(feature = "cli")]
pub mod command;
pub mod conflict;
pub mod counted;
pub mod crowd;
pub mod data;
pub mod fake;
pub mod gate;
pub mod island;
pub mod lineitem;
#[cfg(feature = "cli")]
pub mod loading;
pub mod log;
pub mod music;
pub mod pgbouncer;
#[cfg(feature = "cli")]
mod place;
pub mod port;
pub mod proxy;
#[cfg(feature = "metrics")]
pub mod recorder;
pub mod reshard;
pub mod round_trip;
pub mod server;
pub mod shards;
mod standby;
pub mod subject;
mod test_db;
pub mod tls;
pub mod tmpfs;
pub mod trial;
pub mod trio;

pub use both::{Home, Tally, on_both};
pub use cluster::{Cluster, shared};
#[cfg(feature = "cli")]
pub use command::{Finished, Invocation, Running, rowmill};
pub use counted::Counted;
pub use gate::Gate;
pub use log::Log;
pub use test_db::TestDb;

use std::time::Duration;

/// How long a helper waits for something that must happen before it fails the test: generous,
/// because two cores may serve many test binaries at once.
pub const LIMIT: Duration = Duration::from_mins(1);
