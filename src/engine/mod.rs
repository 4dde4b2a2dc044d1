//! One database, ready to be used: a URL, its backend and a pool.
//!
//! - `database`:     [`Engine`]: made once, cloned freely
//! - `builder`:      [`EngineBuilder`]: typed options over those of the URL
//! - `echo`:         every statement, told to whoever asked for it
//! - `acquire`:      [`Acquire`]: the one way in which work asks for a connection
//! - `executor`:     [`Executor`]: what statements can be run through
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
mod open_backend;
mod warnings;

pub use acquire::{Acquire, Intent};
pub use builder::EngineBuilder;
pub use database::Engine;
pub use echo::{StatementEvent, StatementKind};
pub use executor::Executor;
