//! The private server that the tests use.
#![allow(dead_code, unreachable_pub, reason = "it is made for the tests, which use more of it")]

#[path = "../../../tests/it/support/cluster.rs"]
mod cluster;
#[path = "../../../tests/it/support/island.rs"]
mod island;
#[path = "../../../tests/it/support/port.rs"]
mod port;
#[path = "../../../tests/it/support/server.rs"]
mod server;
#[path = "../../../tests/it/support/test_db.rs"]
mod test_db;

pub use cluster::Cluster;
use std::time::Duration;
use test_db::TestDb;

/// How long the server may take to start.
const LIMIT: Duration = Duration::from_mins(1);
