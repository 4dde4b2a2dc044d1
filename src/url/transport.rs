//! Which hosts are reached through TLS, what may travel without, and which may be reached by a socket
//! of this machine.

use super::postgres::{LocalSocket, PostgresHost, PostgresSettings, Reach};
use super::tls::{ChannelBinding, RootCertificates, SslMode, SslNegotiation, TlsSettings};
use crate::error::{Error, ErrorKind, Result};
use std::net::IpAddr;

const HAS_TLS: bool = cfg!(feature = "tls");

/// The mode that holds for `host`.
pub(super) fn mode(tls: &TlsSettings, host: &PostgresHost) -> SslMode {
    match (&host.reach, tls.mode) {
        // As in libpq: what goes through a socket of this machine needs none.
        (Reach::Unix(_), _) => SslMode::Disable,
        (_, Some(mode)) => mode,
        (_, None) if tls.roots == Some(RootCertificates::System) => SslMode::VerifyFull,
        (_, None) if stays_here(host) => SslMode::Prefer,
        (_, None) => SslMode::VerifyFull,
    }
}

/// Whether `host`, which is named by its TCP port, may be reached by the socket that its server has on
/// this machine: not where the user asked for what only TLS can give.
pub(super) fn may_use_socket(settings: &PostgresSettings, host: &PostgresHost) -> bool {
    let tls = &settings.tls;
    settings.local_socket == LocalSocket::Prefer
        && stays_here(host)
        && !matches!(host.reach, Reach::Unix(_))
        && !mode(tls, host).demands_tls()
        && tls.channel_binding != ChannelBinding::Require
        && tls.identity.is_none()
}

/// Refuses settings that contradict each other, or that this build cannot keep; notes what is
/// weaker than it may seem.
pub(super) fn check(settings: &PostgresSettings, notes: &mut Vec<String>) -> Result<()> {
    for host in &settings.hosts {
        let mode = mode(&settings.tls, host);
        if !HAS_TLS {
            check_without_tls(mode, host)?;
        }
        check_combination(&settings.tls, mode, host)?;
        if matches!(mode, SslMode::Allow | SslMode::Prefer) && !stays_here(host) {
            let word = mode.word();
            notes.push(format!(
                "sslmode={word} lets anybody on the way to {host} turn TLS off; write verify-full"
            ));
        }
    }
    Ok(())
}

fn check_without_tls(mode: SslMode, host: &PostgresHost) -> Result<()> {
    let message = match mode {
        SslMode::Disable => return Ok(()),
        SslMode::Allow | SslMode::Prefer if stays_here(host) => return Ok(()),
        SslMode::Allow | SslMode::Prefer => {
            format!("the connection to {host} would travel without TLS")
        }
        _ => format!("{host} is to be reached through TLS, which is not in this build"),
    };
    Err(Error::new(ErrorKind::Url, message).with_hint(
        "build with the feature \"tls\", or write sslmode=disable if the network is trusted",
    ))
}

/// As in libpq, a mode that can do without TLS does not go with what only TLS can give.
fn check_combination(tls: &TlsSettings, mode: SslMode, host: &PostgresHost) -> Result<()> {
    let refuse = |what: &str, hint: &str| {
        let word = mode.word();
        let message = format!("{what} does not go with sslmode={word} for {host}");
        Err(Error::new(ErrorKind::Url, message).with_hint(hint))
    };
    let is_unix = matches!(host.reach, Reach::Unix(_));
    if tls.channel_binding == ChannelBinding::Require && mode == SslMode::Disable {
        return refuse("channel_binding=require", "it needs TLS: write sslmode=verify-full");
    }
    if is_unix {
        return Ok(());
    }
    if tls.roots == Some(RootCertificates::System) && mode != SslMode::VerifyFull {
        return refuse(
            "sslrootcert=system",
            "everybody can have a certificate of a public authority: write sslmode=verify-full",
        );
    }
    if tls.negotiation == SslNegotiation::Direct && !mode.demands_tls() {
        return refuse("sslnegotiation=direct", "write sslmode=verify-full");
    }
    if tls.highest.is_some_and(|highest| highest < tls.lowest) {
        return Err(Error::new(
            ErrorKind::Url,
            "ssl_max_protocol_version is below ssl_min_protocol_version",
        )
        .with_hint("leave them out for TLS 1.2 and 1.3"));
    }
    Ok(())
}

/// Whether `host` is this machine. One that has another name beside a loopback address is not: what
/// is there may be the end of a tunnel.
fn stays_here(host: &PostgresHost) -> bool {
    match &host.reach {
        Reach::Unix(_) => true,
        Reach::Address { address, name } => {
            is_loopback(*address) && name.as_deref().is_none_or(is_local)
        }
        Reach::Name(name) => is_local(name),
    }
}

fn is_local(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The tests of a build with TLS are in `tests/it/url_tls.rs`.
#[cfg(all(test, not(feature = "tls")))]
mod tests {
    use crate::error::ErrorKind;
    use crate::url::DatabaseUrl;

    fn refusal(text: &str) -> String {
        let error = DatabaseUrl::parse_with(text, &|_| None).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Url, "{error}");
        error.to_string()
    }

    #[test]
    fn without_the_feature_nothing_travels_in_the_clear_unasked() {
        for text in [
            "postgresql://u@db.example/d",
            "host=localhost hostaddr=10.0.0.1 user=u",
            "postgresql://u@localhost.evil.example/d",
            "host=db.example hostaddr=127.0.0.1 user=u",
        ] {
            let said = refusal(text);
            assert!(said.contains("feature \"tls\"") && said.contains("sslmode=disable"), "{said}");
            let separator = if text.contains("://") { "?" } else { " " };
            for word in ["allow", "prefer"] {
                let said = refusal(&format!("{text}{separator}sslmode={word}"));
                assert!(said.contains("would travel without TLS"), "{said}");
            }
            let plain = format!("{text}{separator}sslmode=disable");
            assert!(DatabaseUrl::parse_with(&plain, &|_| None).is_ok());
        }
        let said = refusal("postgresql://u@localhost/d?sslmode=require");
        assert!(said.contains("not in this build"), "{said}");
        assert!(DatabaseUrl::parse_with("postgresql://u@localhost/d", &|_| None).is_ok());
    }
}

#[cfg(test)]
mod socket_tests {
    use crate::url::{Database, DatabaseUrl};

    fn may_use_socket(text: &str) -> bool {
        let lookup = |name: &str| (name == "USER").then(|| "runner".to_owned());
        match DatabaseUrl::parse_with(text, &lookup).unwrap().database {
            Database::Postgres(settings) => settings.may_use_socket_of(&settings.hosts[0]),
            Database::Sqlite(_) => false,
        }
    }

    #[test]
    fn only_a_server_on_this_machine_that_is_named_by_its_port_may_have_a_socket_of_use() {
        for text in [
            "postgresql://localhost/d",
            "postgresql://127.8.8.8/d?sslmode=disable",
            "postgresql://[::1]/d?local_socket=prefer",
            "host=localhost hostaddr=127.0.0.1",
        ] {
            assert!(may_use_socket(text), "{text}");
        }
        for text in [
            "postgresql://localhost/d?local_socket=never",
            "postgresql://db.example/d?sslmode=disable",
            "postgresql://10.0.0.1/d?sslmode=disable",
            "host=db.example hostaddr=127.0.0.1 sslmode=disable",
            "host=/run/postgresql",
        ] {
            assert!(!may_use_socket(text), "{text}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn what_only_tls_can_give_is_not_looked_for_at_a_socket() {
        assert!(may_use_socket("postgresql://localhost/d?sslmode=prefer"));
        for option in [
            "sslmode=require",
            "sslmode=verify-ca",
            "sslmode=verify-full",
            "sslrootcert=system",
            "channel_binding=require",
            "sslcert=a.crt&sslkey=a.key",
        ] {
            let text = format!("postgresql://localhost/d?{option}");
            assert!(!may_use_socket(&text), "{option}");
        }
    }
}
