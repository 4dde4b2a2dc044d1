//! The lock of a job.
//!
//! An advisory lock of a session of its own, which does nothing else and is in no transaction: the
//! server gives it back when that session ends, whatever ended it. The session of a process that
//! was killed takes the server a moment to notice, so a lock that is taken is asked for again for
//! a second before it is said to be taken.
//!
//! Behind a pooler in transaction mode there is no session of one's own. There the lock is one of
//! a transaction that stays open for as long as the lock is held: it has no snapshot and holds up
//! nothing but the one session that the pooler keeps for it.

use super::connecting;
use super::connection::PostgresConnection;
use super::errors;
use super::settings::Target;
use crate::backend::postgres::session::setup::{self, Purpose};
use crate::backend::{Connection, JobLock};
use crate::error::{Error, Result};
use crate::mapping::cell::Cell;
use postgres::SimpleQueryMessage;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);
const PING: Duration = Duration::from_secs(2);
const CLOSE: Duration = Duration::from_secs(1);

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Alone,
    Shared,
}

/// Takes the lock; see [`Backend::lock_job`](crate::backend::Backend::lock_job).
pub(super) fn take(
    target: &Target,
    key: i64,
    how: Hold,
    deadline: Instant,
) -> Result<Option<Box<dyn JobLock>>> {
    let ask = move |connection| wait_for(connection, key, how, deadline);
    let held = connecting::open(target, Purpose::Lock, deadline, ask)?;
    Ok(held.map(|connection| -> Box<dyn JobLock> { Box::new(Lock(Some(connection))) }))
}

fn wait_for(
    mut connection: PostgresConnection,
    key: i64,
    how: Hold,
    deadline: Instant,
) -> Result<Option<PostgresConnection>> {
    if connection.setup.pooled {
        connection.batch(&setup::begin_pooled(Purpose::Lock, None))?;
        connection.in_transaction = true;
    }
    let end = deadline.min(Instant::now() + PATIENCE);
    loop {
        if try_lock(&mut connection, key, how)? {
            return Ok(Some(connection));
        }
        if Instant::now() + PAUSE >= end {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

/// Whether somebody holds each of these locks; see
/// [`Backend::locked_jobs`](crate::backend::Backend::locked_jobs). A key is spread over two numbers
/// there.
pub(super) fn locked(target: &Target, keys: &[i64], deadline: Instant) -> Result<Vec<bool>> {
    const HELD: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l \
        JOIN pg_catalog.pg_database d ON d.oid = l.database \
        WHERE d.datname = pg_catalog.current_database() AND l.locktype = 'advisory' \
        AND l.objsubid = 1 AND l.granted \
        AND ((l.classid::bigint << 32) | l.objid::bigint) = $1)";
    let mut connection = connecting::connect(target, deadline)?;
    let mut held = Vec::with_capacity(keys.len());
    for &key in keys {
        connection.query(HELD, &[key.into()], &mut |row| {
            held.push(bool::unpack(row.cell(0)?)?);
            Ok(())
        })?;
    }
    connection.close_within(CLOSE);
    Ok(held)
}

fn try_lock(connection: &mut PostgresConnection, key: i64, how: Hold) -> Result<bool, Error> {
    let of = if connection.setup.pooled { "xact_" } else { "" };
    let shared = if how == Hold::Shared { "_shared" } else { "" };
    let sql = format!("SELECT pg_catalog.pg_try_advisory_{of}lock{shared}({key})");
    let answer = connection.with_client(|client, _| client.simple_query(&sql))?;
    Ok(answer
        .iter()
        .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t"))))
}

/// The connection that holds the lock, until it is lost.
struct Lock(Option<PostgresConnection>);

impl JobLock for Lock {
    fn is_held(&mut self) -> bool {
        let alive = self.0.as_mut().is_some_and(|connection| {
            connection.ping(Instant::now() + PING).is_ok()
                && (!connection.setup.pooled || connection.in_transaction())
        });
        if !alive {
            // A session that came back would not prove that the lock was held all the time.
            self.0 = None;
        }
        alive
    }

    fn also(&mut self, key: i64) -> Result<bool> {
        match &mut self.0 {
            Some(connection) => try_lock(connection, key, Hold::Alone),
            None => Err(errors::disconnect("the lock was lost")),
        }
    }

    /// The server lets go of a lock with its session, and nothing stays.
    fn sweep(&mut self, _key: i64) {}
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.close_within(CLOSE);
        }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lock").field(&self.0).finish()
    }
}
