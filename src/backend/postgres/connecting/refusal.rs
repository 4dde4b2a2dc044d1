//! What failed, in words.

use crate::backend::postgres::errors::{self, code};
use crate::backend::postgres::wire::tap::ReadablePassword;
use crate::backend::postgres::wire::tls;
use crate::error::{Error, ErrorKind};
use std::error::Error as StdError;
use std::io;

pub(super) fn out_of_descriptors() -> Error {
    Error::new(ErrorKind::Connect, "no file descriptor is left for a connection")
        .with_hint("raise the limit (ulimit -n) or lower the size of the pool")
}

/// What the driver says of an attempt that failed.
pub(super) fn refused(error: &postgres::Error) -> Error {
    if let Some(server) = error.as_db_error() {
        let refusal = errors::of_server(&server.into(), ErrorKind::Connect);
        return match server.code().code() {
            "28P01" => refusal.with_hint("correct it in the URL, PGPASSWORD or ~/.pgpass"),
            "3D000" => refusal.with_hint("create it, or correct the URL"),
            _ => refusal,
        };
    }
    if let Some(refusal) = error.source().and_then(ours) {
        return refusal;
    }
    let what = error.to_string();
    let reason = error.source().map_or_else(|| what.clone(), ToString::to_string);
    let refusal =
        |reason: &str, state| Error::new(ErrorKind::Connect, reason).with_sqlstate(code(state));
    match what.as_str() {
        "invalid configuration" if reason.contains("password") => {
            refusal("the server asks for a password, and none was given", "28P01")
                .with_hint("put it into PGPASSWORD or ~/.pgpass")
        }
        "invalid configuration" | "authentication error" => refusal(&reason, "28000"),
        _ if is_readable_password(error) => refusal(&reason, "28000")
            .with_hint("have the server ask for it by scram-sha-256 (pg_hba.conf), or use TLS"),
        _ if is_refused(error) => {
            refusal(&reason, "08001").with_hint("start the server, or correct the URL")
        }
        _ => refusal(&reason, "08001"),
    }
}

/// What the connector said, which comes back from inside the driver, or what TLS said later.
fn ours(cause: &(dyn StdError + 'static)) -> Option<Error> {
    match cause.downcast_ref::<Error>() {
        Some(error) => Some(copy(error, error.message().to_owned())),
        None => tls::refusal(cause),
    }
}

/// Whether the password would have gone out readable.
fn is_readable_password(error: &postgres::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause
        .and_then(io::Error::get_ref)
        .is_some_and(<dyn StdError + Send + Sync>::is::<ReadablePassword>)
}

/// Whether there is a machine and nobody listens.
fn is_refused(error: &postgres::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| {
        matches!(cause.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
    })
}

/// The same error with another message; whatever the server or the network said is a failure to connect.
pub(super) fn copy(error: &Error, message: String) -> Error {
    let kind = match error.kind() {
        // The user's own.
        own @ (ErrorKind::Config | ErrorKind::Panic) => own,
        _ => ErrorKind::Connect,
    };
    let mut copy = Error::new(kind, message);
    if let Some(state) = error.sqlstate() {
        copy = copy.with_sqlstate(state);
    }
    match error.hint() {
        Some(hint) => copy.with_hint(hint),
        None => copy,
    }
}
