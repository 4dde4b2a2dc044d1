//! The echo: who wants to see every statement is told of it, with its time and its rows.
//!
//! - `options`:    where statements are told, which ones, and how much of them
//! - `event`:      [`StatementEvent`]: what is told of a statement
//! - `backend`:    a backend whose connections have an echo
//! - `connection`: a connection that has one
//!
//! It stands between the pool and the backend and looks like a backend to either. An engine that
//! nobody listens to does not have it: then it costs nothing. It prints nothing itself, and it
//! shows no parameter unless that was asked for by a name that says so.

mod backend;
mod connection;
mod event;
mod options;

pub use event::{StatementEvent, StatementKind};
pub(super) use options::EchoOptions;
