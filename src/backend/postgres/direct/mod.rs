//! Statements without the driver.
//!
//! - `line`:      messages to the server and from it, one thread that waits, no runtime
//! - `arrival`:   waiting for what comes
//! - `glance`:    looking for an answer for a moment, before that thread sleeps
//! - `gather`:    letting much of a long answer gather, before it is read on
//! - `inbox`:     what came, cut into messages
//! - `cursor`:    reading the body of a message
//! - `described`: the descriptions of parameters and of rows
//! - `ahead`:     statements that go ahead of the next request
//! - `begin`:     the BEGIN of a transaction, which goes ahead of its first statement
//! - `prepared`:  statements that the server has prepared
//! - `query`:     a statement and its rows
//! - `flight`:    statements that are sent together
//! - `row`:       a row where it lies in what came
//! - `simple`:    statements without parameters
//! - `copy`:      loading rows, and reading them in bulk
//!
//! The driver opens a connection: it knows how a password is given. It also closes it, and asks
//! what is asked rarely. What is done for each statement and each row is done here, on the same
//! socket while the driver does not look at it (`wire/port.rs` says when that is): a statement is one
//! write and one read, and a row costs nothing but looking at it. What the tap sees of the driver's
//! messages is noted here of ours, so that all that stands on it (commits, resets, limits) is the same
//! whoever spoke.
//!
//! An error that ends the connection is of the kind `Disconnect`, whatever it was: a cut, an end within
//! a message, or what no server sends.

mod ahead;
mod arrival;
mod begin;
pub(super) mod copy;
mod cursor;
pub(super) mod described;
pub(super) mod flight;
mod gather;
mod glance;
mod inbox;
pub(super) mod line;
pub(super) mod prepared;
pub(super) mod query;
mod row;
mod simple;

use super::errors;
use crate::error::Error;

/// What came cannot be understood, and so neither can what follows.
fn broken(what: &str) -> Error {
    errors::disconnect(&format!("the connection to the server is unusable: {what}"))
}
