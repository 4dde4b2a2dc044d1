//! The errors of the routing.

use crate::error::{Error, ErrorKind};
use crate::sqlstate::SqlState;
use std::time::Duration;

/// Nobody can be written to, for `reason`.
pub(super) fn no_primary(reason: &str, waited: Duration, last: Option<&Error>) -> Error {
    let message = if waited < Duration::from_millis(1) {
        format!("no server takes writes: {reason}")
    } else {
        format!("no server took writes within {waited:.1?}: {reason}")
    };
    let error = Error::new(ErrorKind::Connect, message)
        .with_hint("promote a replica, or start the primary; `rowmill nodes` shows them all");
    match last {
        Some(last) => match last.sqlstate() {
            Some(state) => error.with_sqlstate(state).with_source(last.without_source()),
            None => error.with_source(last.without_source()),
        },
        None => error,
    }
}

/// Two servers take writes.
pub(super) fn split(one: &str, other: &str) -> Error {
    let message = format!("two servers take writes: {one} and {other}; neither is written to");
    Error::new(ErrorKind::Config, message)
        .with_hint("stop the one that was the primary before, or have it follow the other")
}

/// A server is none of the others' family.
pub(super) fn stranger(node: &str, other: &str) -> Error {
    let message =
        format!("{node} is no replica of {other}: it belongs to another database cluster");
    Error::new(ErrorKind::Config, message)
        .with_hint("correct its URL, or make it anew from a backup of the primary")
}

/// The server behind a new connection is not what it was.
pub(super) fn changed(node: &str) -> Error {
    Error::new(ErrorKind::Connect, format!("{node} was started anew, or has another role now"))
        .with_sqlstate(SqlState::CONNECTION_FAILURE)
}

/// A database that has no replicas.
pub(super) fn without_replicas(node: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{node} cannot have replicas"))
        .with_hint("open it as an engine of its own")
}
