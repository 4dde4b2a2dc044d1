//! The errors of the routing.

use crate::backend::server_state::{LogPlace, LogPosition};
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

/// What a token stands for was committed, and a promotion has lost it.
pub(super) fn lost(place: LogPlace, timeline: u32, left: Option<LogPosition>) -> Error {
    let LogPlace { timeline: old, position, .. } = place;
    let told = match left {
        Some(left) => format!("which was left at {left}"),
        None => "which was never followed".to_owned(),
    };
    let message = format!(
        "what the token stands for was lost in a promotion: it is at {position} of timeline {old}, \
         {told}; the primary is on timeline {timeline}"
    );
    Error::new(ErrorKind::Config, message)
        .with_hint("look at what is there, by a read without the token, and write it again")
}

/// A token is from after a promotion that no server here has heard of.
pub(super) fn ahead(place: LogPlace, timeline: u32) -> Error {
    let message = format!(
        "the token is of timeline {}, and no server here is known to be further than timeline \
         {timeline}",
        place.timeline
    );
    Error::new(ErrorKind::Connect, message)
        .with_hint("name the server that was promoted among those of the engine")
}

/// A token of another cluster.
pub(super) fn strange_token() -> Error {
    Error::new(ErrorKind::Config, "the token is of another database cluster than these servers")
        .with_hint("use it with an engine for the servers that it is from")
}

/// A database that has no replicas.
pub(super) fn without_replicas(node: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{node} cannot have replicas"))
        .with_hint("open it as an engine of its own")
}
