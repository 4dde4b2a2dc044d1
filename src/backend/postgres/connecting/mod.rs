//! Opening a connection before a deadline, on a thread that can be abandoned.
//!
//! - `attempt`:  work on such a thread
//! - `host`:     one host, to be tried once
//! - `shortcut`: the socket of a server on this machine, in the place of its port
//! - `identity`: which server a session is on, and whether anything stands in between
//! - `refusal`:  what failed, in words
//!
//! The driver bounds only the TCP handshake. Name resolution, authentication and set-up can take
//! for ever, so each attempt runs on a thread of its own: at the deadline the caller goes on
//! without it, and its connections are cut, which ends it. Where one cannot be cut (the resolution of
//! a name, a Unix socket without a tap) an abandoned thread ends when its server says anything or its
//! socket dies, and closes what it then has. There are at most 64 of them; more are refused.

mod attempt;
mod host;
mod identity;
mod refusal;
mod shortcut;

pub(super) use shortcut::Shortcut;

use super::connection::PostgresConnection;
use super::runtime;
use super::settings::{Endpoint, Target};
use crate::backend::postgres::session::setup::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::Class;
use crate::url::TargetSessionAttrs;
use attempt::{Wires, attempt};
use host::Host;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Opens a connection for work.
pub(super) fn connect(target: &Target, deadline: Instant) -> Result<PostgresConnection> {
    open(target, Purpose::Work, deadline, Ok)
}

/// Opens a connection to the first host that can be used, and lets `then` do the rest of the work
/// before the deadline, on the same thread.
pub(super) fn open<T: Send + 'static>(
    target: &Target,
    purpose: Purpose,
    deadline: Instant,
    then: impl Fn(PostgresConnection) -> Result<T> + Clone + Send + 'static,
) -> Result<T> {
    runtime::refuse()?;
    if target.role == TargetSessionAttrs::PreferStandby {
        let half = Instant::now() + remaining(deadline) / 2;
        if let Ok(opened) =
            try_hosts(target, TargetSessionAttrs::Standby, purpose, half, then.clone())
        {
            return Ok(opened);
        }
        return try_hosts(target, TargetSessionAttrs::Any, purpose, deadline, then);
    }
    try_hosts(target, target.role, purpose, deadline, then)
}

fn try_hosts<T: Send + 'static>(
    target: &Target,
    role: TargetSessionAttrs,
    purpose: Purpose,
    deadline: Instant,
    then: impl Fn(PostgresConnection) -> Result<T> + Clone + Send + 'static,
) -> Result<T> {
    let mut last = None;
    for (index, endpoint) in target.endpoints.iter().enumerate() {
        // Each host gets an equal part of what is left: a silent one must not take it all.
        let part = remaining(deadline) / (target.endpoints.len() - index) as u32;
        let deadline = Instant::now() + part;
        let wires = Arc::new(Wires::default());
        let host = Host {
            target: target.clone(),
            index,
            role,
            purpose,
            part,
            deadline,
            wires: Arc::clone(&wires),
        };
        let then = then.clone();
        let opened = attempt(deadline, &wires, move || host.open().and_then(then));
        if opened.is_err() {
            endpoint.types.retire_current();
        }
        match opened.map_err(|error| at_host(endpoint, &error)) {
            Err(error) if error.class() != Class::Permanent => last = Some(error),
            decided => return decided,
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Url, "the URL names no host")))
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// The same error, with the host in its message.
fn at_host(endpoint: &Endpoint, error: &Error) -> Error {
    refusal::copy(error, format!("cannot connect to {}: {}", endpoint.label, error.message()))
}
