//! What may travel without TLS.

use super::postgres::{PostgresHost, PostgresSettings, Reach, SslMode};
use crate::error::{Error, ErrorKind, Result};
use std::net::IpAddr;

const LATER: &str =
    "write sslmode=disable if the network is trusted; TLS comes with a later version";

/// Refuses settings that ask for TLS, and hosts over a network without `sslmode=disable`.
pub(super) fn check(settings: &PostgresSettings) -> Result<()> {
    let demanded = match settings.sslmode {
        Some(SslMode::Disable) => return Ok(()),
        Some(SslMode::Require) => Some("require"),
        Some(SslMode::VerifyCa) => Some("verify-ca"),
        Some(SslMode::VerifyFull) => Some("verify-full"),
        None | Some(SslMode::Allow | SslMode::Prefer) => None,
    };
    if let Some(mode) = demanded {
        let message = format!("sslmode={mode} asks for TLS, which is not built in yet");
        return Err(Error::new(ErrorKind::Url, message).with_hint(LATER));
    }
    match settings.hosts.iter().find(|host| !stays_here(host)) {
        None => Ok(()),
        Some(host) => {
            let message = format!("the connection to {host} would travel without TLS");
            Err(Error::new(ErrorKind::Url, message).with_hint(LATER))
        }
    }
}

/// Whether what is sent to `host` never leaves this machine.
fn stays_here(host: &PostgresHost) -> bool {
    match &host.reach {
        Reach::Unix(_) => true,
        Reach::Address { address, .. } => address.to_canonical().is_loopback(),
        Reach::Name(name) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        }
    }
}
