//! What is set in every session, and what a server must be like.
//!
//! The settings make the texts that the server casts mean what this crate's own parsers take them
//! to mean: ISO dates, UTC where no zone is given, floating point numbers in full. They are sent
//! as start-up options: that costs no round trip, and `RESET ALL` and `DISCARD ALL` keep them. A
//! pooler that refuses options gets them as `SET`, and one that gives each transaction another
//! session, as `SET LOCAL` behind each `BEGIN`.

use crate::backend::postgres::errors::{self, code};
use crate::error::{Error, ErrorKind, Result};
use crate::url::TargetSessionAttrs;
use postgres::{Client, SimpleQueryMessage};
use std::time::Duration;

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Statements.
    Work,
    /// Holding a lock, for hours and without a word.
    Lock,
}

const SETTINGS: [(&str, &str); 6] = [
    ("DateStyle", "ISO,MDY"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    ("bytea_output", "hex"),
];

/// A statement of a client that died ends within a second, with its locks; not every system can. One
/// whose machine or network is gone says nothing: a session that waits for it is told of that by
/// its system within 20 seconds, and soon after the network is back. In seconds, and milliseconds.
const WATCH_CLIENT: [(&str, &str); 4] = [
    ("client_connection_check_interval", "1000"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

/// What is sent and not acknowledged may be so for this long. Linux counts as that, too, what a client
/// lets wait that is alive and reads nothing, so that who reads rows has time to do something with them;
/// a session with a lock sends next to nothing. In milliseconds.
const UNACKNOWLEDGED: &str = "tcp_user_timeout";
const OF_READERS: &str = "300000";
const OF_LOCKS: &str = "20000";

fn watch(purpose: Purpose) -> impl Iterator<Item = (&'static str, &'static str)> {
    let time = if purpose == Purpose::Lock { OF_LOCKS } else { OF_READERS };
    WATCH_CLIENT.into_iter().chain([(UNACKNOWLEDGED, time)])
}

const LOCK_SETTINGS: [(&str, &str); 2] =
    [("idle_session_timeout", "0"), ("statement_timeout", "0")];

/// A lock that is held by a transaction is idle in it.
const HELD_SETTINGS: [(&str, &str); 2] =
    [("idle_in_transaction_session_timeout", "0"), ("statement_timeout", "0")];

fn settings(purpose: Purpose) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lock: &[_] = if purpose == Purpose::Lock { &LOCK_SETTINGS } else { &[] };
    SETTINGS.into_iter().chain(lock.iter().copied())
}

/// The start-up options; what the user set comes after ours and wins.
pub(crate) fn options(purpose: Purpose, user: Option<&str>, limit: Option<Duration>) -> String {
    let mut options = String::new();
    for (name, value) in settings(purpose).chain(watch(purpose)) {
        options.extend(["-c ", name, "=", value, " "]);
    }
    options.push_str(user.unwrap_or_default());
    if let (Purpose::Work, Some(limit)) = (purpose, limit) {
        options.extend([" -c statement_timeout=", &milliseconds(limit)]);
    }
    options.trim_end().to_owned()
}

/// Starts a transaction whose settings are those of a session, for a pooler that gives each
/// transaction another.
pub(crate) fn begin_pooled(purpose: Purpose, limit: Option<Duration>) -> String {
    let mut sql = "BEGIN; ".to_owned();
    let held: &[_] = if purpose == Purpose::Lock { &HELD_SETTINGS } else { &[] };
    for (name, value) in settings(Purpose::Work).chain(held.iter().copied()) {
        sql.extend(["SET LOCAL ", name, " = '", value, "'; "]);
    }
    if let (Purpose::Work, Some(limit)) = (purpose, limit) {
        sql.extend(["SET LOCAL statement_timeout = ", &milliseconds(limit)]);
    }
    sql
}

/// Whether the server refused a start-up option: unknown, not possible here, or no options at all.
pub(crate) fn refuses_options(error: &postgres::Error) -> bool {
    let refusals = ["42704", "22023", "08P01", "0A000"];
    error.code().is_some_and(|code| refusals.contains(&code.code()))
}

/// Sets by statement what the options would have set, except what the user set; returns how.
pub(crate) fn set(
    client: &mut Client,
    purpose: Purpose,
    user: Option<&str>,
    limit: Option<Duration>,
) -> Result<String, postgres::Error> {
    let user = user.unwrap_or_default().to_ascii_lowercase();
    let mut sql = String::new();
    for (name, value) in settings(purpose) {
        if !user.contains(&name.to_ascii_lowercase()) {
            sql.extend(["SET ", name, " = '", value, "'; "]);
        }
    }
    if let (Purpose::Work, Some(_)) = (purpose, limit) {
        sql.push_str(&limit_sql(limit));
    }
    client.batch_execute(&sql)?;
    for (name, value) in watch(purpose).filter(|(name, _)| !user.contains(name)) {
        let watch = format!("SET {name} = {value}; ");
        match client.batch_execute(&watch) {
            Ok(()) => sql.push_str(&watch),
            Err(error) if error.is_closed() => return Err(error),
            // Without it, only the locks of a client that died last longer.
            Err(_) => {}
        }
    }
    Ok(sql)
}

/// Sets how long a statement may take.
pub(crate) fn limit_sql(limit: Option<Duration>) -> String {
    format!("SET statement_timeout = {}; ", milliseconds(limit.unwrap_or_default()))
}

/// At least 1: 0 would be no limit. The server counts in 31 bits.
fn milliseconds(limit: Duration) -> String {
    let least = u128::from(!limit.is_zero());
    limit.as_millis().clamp(least, i32::MAX as u128).to_string()
}

/// Checks that the server is what it must be.
pub(crate) fn check_role(client: &mut Client, wanted: TargetSessionAttrs) -> Result<()> {
    if wanted == TargetSessionAttrs::Any {
        return Ok(());
    }
    let sql = "SELECT pg_catalog.pg_is_in_recovery(), \
               pg_catalog.current_setting('transaction_read_only') = 'on'";
    let answer = client.simple_query(sql).map_err(errors::statement)?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0) == Some("t"), row.get(1) == Some("t"))),
        _ => None,
    });
    let (standby, read_only) = row.unwrap_or_default();
    let (fits, what) = match wanted {
        TargetSessionAttrs::Any => (true, ""),
        TargetSessionAttrs::ReadWrite => (!read_only, "does not allow writes"),
        TargetSessionAttrs::ReadOnly => (read_only, "is not read only"),
        TargetSessionAttrs::Primary => (!standby, "is a standby"),
        TargetSessionAttrs::Standby | TargetSessionAttrs::PreferStandby => {
            (standby, "is no standby")
        }
    };
    if fits {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Connect, format!("the server {what}"))
        .with_sqlstate(code("08004"))
        .with_hint("see target_session_attrs in the URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_the_user_come_last() {
        let options = options(Purpose::Work, Some("-c TimeZone=CET"), None);
        assert!(options.contains("-c TimeZone=UTC ") && options.ends_with("-c TimeZone=CET"));
        assert!(!options.contains("idle_session_timeout"));
    }
}
