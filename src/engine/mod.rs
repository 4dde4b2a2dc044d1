//! One database, ready to be used: a URL, its backend and a pool, or a primary and its replicas.
//!
//! - `database`:     [`Engine`]: made once, cloned freely
//! - `builder`:      [`EngineBuilder`]: typed options over those of the URL
//! - `echo`:         every statement, told to whoever asked for it
//! - `acquire`:      [`Acquire`]: the one way in which work asks for a connection
//! - `executor`:     [`Executor`]: what statements can be run through
//! - `flights`:      [`Flights`]: small statements of many threads, sent together
//! - `wires`:        one pool, or those of a primary and its replicas
//! - `reader`:       [`Reader`]: reads of a declared freshness
//! - `steady`:       a read that takes many connections, as of after it began
//! - `replica`:      [`Replica`]: a server beside the primary, as it is declared
//! - `servers`:      the servers that an engine was declared with, each with its backend
//! - `nodes`:        what is known of the servers; tokens of what was written
//! - `open_backend`: which backend serves which URL
//! - `warnings`:     what a pool tells, as warnings for `tracing`
//!
//! An engine opens nothing until it is asked for a connection, so it can be made where the server
//! is not reachable yet; [`Engine::check`] is for those who want to know at once. What it says of
//! itself never shows a password.

mod acquire;
mod builder;
mod database;
mod echo;
mod executor;
mod flights;
mod nodes;
mod open_backend;
mod reader;
mod replica;
mod servers;
mod steady;
mod warnings;
mod wires;

pub use acquire::{Acquire, Intent};
pub use builder::EngineBuilder;
pub use database::Engine;
pub use echo::{StatementEvent, StatementKind};
pub use executor::Executor;
pub use flights::Flights;
pub use reader::Reader;
pub use replica::Replica;

pub use crate::routing::{
    CommitToken, Freshness, NodeHealth, NodeStatus, Policy, Role, RoutingOptions,
};
