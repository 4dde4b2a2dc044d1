//! What failed, in words.

use crate::backend::postgres::errors::code;
use crate::error::{Error, ErrorKind};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError};
use std::error::Error as StdError;
use std::io;

/// No side accepts who the other is.
const IDENTITY: &str = "28000";
/// One side cannot, or will not, do what the other asks for.
const UNSUPPORTED: &str = "0A000";
/// What came is not the protocol.
const PROTOCOL: &str = "08P01";
/// There was no connection, and there may be one the next time.
const LOST: &str = "08001";
/// A file that the settings name cannot be used.
const SETTING: &str = "F0000";

/// How many names of a certificate are shown.
const MOST_NAMES: usize = 5;

const DAY: u64 = 24 * 60 * 60;

fn fault(message: &str, state: &'static str) -> Error {
    Error::new(ErrorKind::Connect, message).with_sqlstate(code(state))
}

/// A setting, or a file that it names, cannot be used.
pub(super) fn setting(message: &str) -> Error {
    fault(message, SETTING)
}

/// The server said no to TLS.
pub(super) fn no_tls() -> Error {
    fault("the server has no TLS, and the connection must have it", UNSUPPORTED)
        .with_hint("set ssl = on at the server; sslmode=disable only if the network is trusted")
}

/// The server could not even say whether it has TLS.
pub(super) fn cannot_now() -> Error {
    fault("the server cannot take a connection now", LOST)
}

/// What came is not the protocol.
pub(super) fn no_protocol(message: &str) -> Error {
    fault(message, PROTOCOL).with_hint("see whether host and port are those of a PostgreSQL server")
}

/// The server took the session and did not say that it speaks the protocol.
pub(super) fn not_agreed() -> Error {
    fault("the server did not agree on the protocol \"postgresql\" within TLS", UNSUPPORTED)
        .with_hint("sslnegotiation=direct needs PostgreSQL 17; leave it out")
}

/// The connection ended before TLS began.
pub(super) fn lost(error: &io::Error) -> Error {
    fault(&format!("the connection was lost before TLS began: {error}"), LOST)
}

/// The handshake failed.
pub(super) fn broken(error: &io::Error, direct: bool) -> Error {
    match error.get_ref().and_then(<dyn StdError + Send + Sync>::downcast_ref) {
        Some(error) => of_tls(error),
        None if direct && error.kind() == io::ErrorKind::UnexpectedEof => {
            fault("the server ended the connection in the TLS handshake", LOST)
                .with_hint("sslnegotiation=direct needs PostgreSQL 17; leave it out")
        }
        None => fault(&format!("the connection was lost in the TLS handshake: {error}"), LOST),
    }
}

/// The error of TLS that lies below `error`, if there is one: a server may refuse the certificate
/// of the client after the client's part of the handshake is over.
pub(crate) fn refusal(error: &(dyn StdError + 'static)) -> Option<Error> {
    let io = error.downcast_ref::<io::Error>()?;
    let tls = io.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(of_tls(tls))
}

fn of_tls(error: &rustls::Error) -> Error {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(reason) => of_certificate(reason),
        Tls::AlertReceived(alert) => of_alert(*alert),
        Tls::InvalidMessage(_) => no_protocol("what the server sent is not TLS"),
        Tls::PeerIncompatible(_) => nothing_in_common(),
        Tls::NoCertificatesPresented => fault("the server showed no certificate", IDENTITY),
        other => fault(&format!("the TLS handshake failed: {other}"), PROTOCOL),
    }
}

fn nothing_in_common() -> Error {
    fault("the server and this client have no version or cipher of TLS in common", UNSUPPORTED)
        .with_hint("TLS 1.2 and 1.3 are spoken here; see ssl_min_protocol_version on both sides")
}

fn of_alert(alert: AlertDescription) -> Error {
    use AlertDescription as Alert;
    match alert {
        Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity => {
            nothing_in_common()
        }
        Alert::NoApplicationProtocol => not_agreed(),
        Alert::NoCertificate
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied
        | Alert::DecryptError
        | Alert::CertificateRequired => {
            fault(&format!("the server refused the client certificate ({alert:?})"), IDENTITY)
                .with_hint("see sslcert and sslkey, and ssl_ca_file of the server")
        }
        other => fault(&format!("the server ended the TLS session ({other:?})"), PROTOCOL),
    }
}

fn of_certificate(reason: &CertificateError) -> Error {
    use CertificateError as Reason;
    let refuse = |what: &str| fault(&format!("the certificate of the server {what}"), IDENTITY);
    match reason {
        Reason::Expired => refuse("has expired").with_hint("renew it"),
        Reason::ExpiredContext { time, not_after } => {
            refuse(&format!("expired {} ago", span(*not_after, *time)))
                .with_hint("renew it, or correct the clock of this machine")
        }
        Reason::NotValidYet => refuse("is not valid yet"),
        Reason::NotValidYetContext { time, not_before } => {
            refuse(&format!("is not valid before {} from now", span(*time, *not_before)))
                .with_hint("correct the clock of this machine")
        }
        Reason::UnknownIssuer => refuse("is from an authority that is not trusted")
            .with_hint("name the file of the authority's certificate by sslrootcert"),
        Reason::NotValidForName => refuse("is for another host"),
        Reason::NotValidForNameContext { expected, presented } => of_name(expected, presented),
        Reason::Revoked => refuse("was revoked"),
        Reason::UnknownRevocationStatus => refuse("is on none of the revocation lists that count")
            .with_hint("sslcrl must have a list of each authority on the way to the root"),
        Reason::ExpiredRevocationList | Reason::ExpiredRevocationListContext { .. } => {
            refuse("cannot be checked: the revocation list is out of date")
                .with_hint("renew the file of sslcrl")
        }
        Reason::BadSignature => refuse("carries a wrong signature, or the server has not its key"),
        Reason::InvalidPurpose | Reason::InvalidPurposeContext { .. } => {
            refuse("is not for servers").with_hint("issue it with extendedKeyUsage serverAuth")
        }
        Reason::Other(other) => of_other(&other.to_string()),
        other => refuse(&format!("cannot be used: {other}")),
    }
}

fn of_other(reason: &str) -> Error {
    let refuse = |what: &str| fault(&format!("the certificate of the server {what}"), IDENTITY);
    match reason {
        "CaUsedAsEndEntity" => refuse("is that of an authority, and not trusted itself").with_hint(
            "name its own file by sslrootcert, or issue one with basicConstraints CA:FALSE",
        ),
        "UnsupportedCertVersion" => refuse("is older than version 3")
            .with_hint("issue it with extensions, such as subjectAltName"),
        other => refuse(&format!("cannot be used: {other}")),
    }
}

fn of_name(expected: &ServerName<'_>, presented: &[String]) -> Error {
    let expected = expected.to_str();
    let mut names: Vec<_> = presented.iter().filter_map(|name| plain_name(name)).collect();
    if names.is_empty() {
        let message = format!("the certificate of the server names no host, not {expected}");
        return fault(&message, IDENTITY)
            .with_hint("issue it with subjectAltName: its common name does not count here");
    }
    let more = if names.len() > MOST_NAMES { ", ..." } else { "" };
    names.truncate(MOST_NAMES);
    let message = format!(
        "the certificate of the server is for {}{more}, not for {expected}",
        names.join(", ")
    );
    fault(&message, IDENTITY).with_hint("connect by a name that it has, or issue it for this one")
}

/// `x` of `DnsName("x")` and `IpAddress(x)`; nothing of what could break a line.
fn plain_name(presented: &str) -> Option<&str> {
    let name = presented
        .strip_prefix("DnsName(")
        .or_else(|| presented.strip_prefix("IpAddress("))?
        .strip_suffix(')')?
        .trim_matches('"');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._*:".contains(c);
    name.chars().all(is_plain).then_some(name)
}

/// The time between two instants, in days or less.
fn span(from: UnixTime, to: UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    match seconds {
        0..3600 => format!("{seconds} seconds"),
        3600..DAY => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / DAY),
    }
}
