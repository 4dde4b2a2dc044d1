//! The URL notation of libpq:
//! `[user[:password]@][host][:port][,...][/database][?key=value&...]`, after the scheme.
//!
//! The password ends at the first `@`, as in libpq. An `@` further on is a password that was not
//! escaped; such a text is refused whole, and no piece of it is repeated.

use super::keys::Parameters;
use super::percent;
use crate::error::{Error, ErrorKind, Result};

/// Reads what follows `postgresql://`.
pub(super) fn read(rest: &str, parameters: &mut Parameters) -> Result<()> {
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let rest = match rest[..authority_end].find('@') {
        Some(at) => {
            read_user(&rest[..at], parameters)?;
            &rest[at + 1..]
        }
        None => rest,
    };
    if rest.contains('@') {
        return Err(Error::new(ErrorKind::Url, "an @ stands where the URL can have none")
            .with_hint("escape special characters in a name or a password: @ as %40, / as %2F"));
    }
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = before_query.split_once('/').unwrap_or((before_query, ""));
    read_hosts(hosts, parameters)?;
    if !database.is_empty() {
        parameters.set("dbname", percent::decode(database)?)?;
    }
    read_query(query, parameters)
}

fn read_user(text: &str, parameters: &mut Parameters) -> Result<()> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    parameters.set("user", percent::decode(user)?)?;
    parameters.set("password", percent::decode(password)?)
}

fn read_hosts(text: &str, parameters: &mut Parameters) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for entry in text.split(',') {
        let (host, port) = split_port(entry)?;
        hosts.push(percent::decode(host)?);
        ports.push(percent::decode(port)?);
    }
    parameters.set("host", hosts.join(","))?;
    if ports.iter().any(|port| !port.is_empty()) {
        parameters.set("port", ports.join(","))?;
    }
    Ok(())
}

/// The host, without the brackets of an IPv6 address, and the port.
fn split_port(entry: &str) -> Result<(&str, &str)> {
    let Some(bracketed) = entry.strip_prefix('[') else {
        return Ok(entry.split_once(':').unwrap_or((entry, "")));
    };
    let (address, after) = bracketed.split_once(']').unwrap_or((bracketed, "?"));
    match after.strip_prefix(':') {
        Some(port) => Ok((address, port)),
        None if after.is_empty() => Ok((address, "")),
        None => Err(Error::new(ErrorKind::Url, "an IPv6 address in the URL is not closed")
            .with_hint("write it in brackets: [::1]:5432")),
    }
}

/// Reads `key=value&...`.
pub(super) fn read_query(query: &str, parameters: &mut Parameters) -> Result<()> {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Error::new(ErrorKind::Url, "a key in the URL's query has no value")
                .with_hint("write key=value; escape & in a value as %26"));
        };
        let key = percent::decode(key)?;
        let is_secret = key.contains("pass") || key.contains("secret");
        let is_set = parameters.set(&key, percent::decode(value)?);
        if is_secret {
            // What follows may be the rest of a password with an unescaped `&`.
            parameters.distrust();
        }
        is_set?;
    }
    Ok(())
}
