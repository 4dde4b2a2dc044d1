//! Keys and values made into the settings of a PostgreSQL server.

use super::keys::Parameters;
use super::postgres::{LocalSocket, PostgresHost, PostgresSettings, Reach, TargetSessionAttrs};
use super::secret::Secret;
use super::values::{self, Expected, choice};
use super::{passfile, tls, transport};
use crate::error::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::time::Duration;

/// Where the socket is when no host is named: the directory of Debian, Red Hat and their kin.
/// `/tmp`, the other habit, is not tried on its own: anybody could put a socket there and wait
/// for the password.
pub(super) const DEFAULT_SOCKET_DIRECTORY: &str = "/var/run/postgresql";

const DEFAULT_PORT: u16 = 5432;

const TARGETS: [(&str, TargetSessionAttrs); 6] = [
    ("any", TargetSessionAttrs::Any),
    ("read-write", TargetSessionAttrs::ReadWrite),
    ("read-only", TargetSessionAttrs::ReadOnly),
    ("primary", TargetSessionAttrs::Primary),
    ("standby", TargetSessionAttrs::Standby),
    ("prefer-standby", TargetSessionAttrs::PreferStandby),
];

const LOCAL_SOCKETS: [(&str, LocalSocket); 2] =
    [("prefer", LocalSocket::Prefer), ("never", LocalSocket::Never)];

/// Fills in the defaults, reads the passfile and checks that the whole makes sense.
pub(super) fn settle(
    parameters: &Parameters,
    lookup: &dyn Fn(&str) -> Option<String>,
    notes: &mut Vec<String>,
) -> Result<PostgresSettings> {
    check_fixed(parameters)?;
    let text = |key| parameters.get(key).map(str::to_owned);
    let user = text("user").or_else(|| lookup("USER")).or_else(|| lookup("LOGNAME"));
    let user = user.filter(|user| !user.is_empty()).ok_or_else(no_user)?;
    let seconds = |key| parameters.read(key, values::count).map(in_seconds);
    let mut settings = PostgresSettings {
        hosts: hosts(parameters)?,
        database: text("dbname").unwrap_or_else(|| user.clone()),
        user,
        password: text("password").map(Secret::new),
        password_source: None,
        tls: tls::read(parameters, lookup)?,
        application_name: text("application_name")
            .or_else(|| text("fallback_application_name"))
            .unwrap_or_else(|| "rowmill".to_owned()),
        options: text("options"),
        statement_timeout: parameters
            .read("statement_timeout", values::duration_in_milliseconds)?
            .filter(|timeout| !timeout.is_zero()),
        prepared_statements: parameters.read("prepared_statements", values::flag)?.unwrap_or(true),
        direct: parameters.read("direct", values::flag)?.unwrap_or(true),
        local_socket: parameters
            .read("local_socket", |value| choice(value, &LOCAL_SOCKETS))?
            .unwrap_or_default(),
        keepalives: parameters.read("keepalives", values::flag)?.unwrap_or(true),
        keepalives_idle: seconds("keepalives_idle")?,
        keepalives_interval: seconds("keepalives_interval")?,
        keepalives_count: parameters.read("keepalives_count", values::count)?.filter(|n| *n > 0),
        tcp_user_timeout: parameters
            .read("tcp_user_timeout", values::duration_in_milliseconds)?
            .filter(|timeout| !timeout.is_zero()),
        target_session_attrs: parameters
            .read("target_session_attrs", |value| choice(value, &TARGETS))?
            .unwrap_or_default(),
    };
    transport::check(&settings, notes)?;
    refuse_nul(&settings)?;
    passfile::fill(&mut settings, parameters, lookup, notes);
    if lookup("PGSERVICE").is_some() {
        notes.push("PGSERVICE is ignored: service files are not read".to_owned());
    }
    Ok(settings)
}

/// 0 asks for the system's default, as in libpq.
fn in_seconds(count: Option<u32>) -> Option<Duration> {
    count.filter(|count| *count > 0).map(|count| Duration::from_secs(count.into()))
}

fn no_user() -> Error {
    Error::new(ErrorKind::Url, "no user is named, neither in the URL nor by PGUSER or USER")
        .with_hint("write postgresql://user@host/database")
}

/// Keys that can have only the value they have anyway.
fn check_fixed(parameters: &Parameters) -> Result<()> {
    let encodings = [("auto", ()), ("UTF8", ()), ("utf8", ()), ("UTF-8", ()), ("utf-8", ())];
    parameters.read("client_encoding", |value| choice(value, &encodings))?;
    parameters.read("gssencmode", |value| choice(value, &[("disable", ()), ("prefer", ())]))?;
    Ok(())
}

/// A NUL ends a text in the protocol; what stands behind it would become another setting.
fn refuse_nul(settings: &PostgresSettings) -> Result<()> {
    let texts = [
        &*settings.user,
        &*settings.database,
        &*settings.application_name,
        settings.options.as_deref().unwrap_or_default(),
        settings.password.as_ref().map_or("", Secret::expose),
    ];
    if texts.iter().any(|text| text.contains('\0')) {
        return Err(Error::new(ErrorKind::Url, "the connection settings hold a NUL character"));
    }
    Ok(())
}

fn hosts(parameters: &Parameters) -> Result<Vec<PostgresHost>> {
    let list = |key| parameters.get(key).map(|text| text.split(',').collect::<Vec<_>>());
    let names = list("host");
    let addresses = list("hostaddr");
    let ports = list("port").unwrap_or_default();
    let count = names.as_ref().or(addresses.as_ref()).map_or(1, Vec::len);
    let has_count = |list: &Option<Vec<&str>>| list.as_ref().is_none_or(|l| l.len() == count);
    if !has_count(&addresses) || (ports.len() > 1 && ports.len() != count) {
        return Err(Error::new(
            ErrorKind::Url,
            "host, hostaddr and port have lists of unequal length",
        )
        .with_hint("give one port for all hosts, or one for each"));
    }
    let item = |list: &Option<Vec<&str>>, index: usize| {
        list.as_ref().and_then(|list| list.get(index)).map_or("", |item| item.trim()).to_owned()
    };
    (0..count)
        .map(|index| {
            let reach = reach(parameters, item(&names, index), &item(&addresses, index))?;
            let port = ports.get(index).or_else(|| ports.first().filter(|_| ports.len() == 1));
            Ok(PostgresHost::new(reach, read_port(parameters, port.copied().unwrap_or_default())?))
        })
        .collect()
}

fn read_port(parameters: &Parameters, text: &str) -> Result<u16> {
    if text.trim().is_empty() {
        return Ok(DEFAULT_PORT);
    }
    values::port(text).map_err(|expected| parameters.refused("port", &expected))
}

fn reach(parameters: &Parameters, name: String, address: &str) -> Result<Reach> {
    let refused = |key, what: &str| {
        Err(parameters.refused(key, &Expected { what: what.to_owned(), is_choice: false }))
    };
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '%');
    if !name.starts_with('/') && !name.chars().all(is_letter) {
        return refused("host", "escape special characters in a name or a password: @ as %40");
    }
    if !address.is_empty() {
        return match address.parse::<IpAddr>() {
            Ok(address) => Ok(Reach::Address { address, name: (!name.is_empty()).then_some(name) }),
            Err(_) => refused("hostaddr", "write an IP address; names go to host"),
        };
    }
    Ok(match name.as_str() {
        "" => Reach::Unix(DEFAULT_SOCKET_DIRECTORY.into()),
        directory if directory.starts_with('/') => Reach::Unix(directory.into()),
        _ => Reach::Name(name),
    })
}
