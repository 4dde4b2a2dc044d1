//! All shards or none: by two phases, under a name.
//!
//! ```text
//! prepare   every shard does its part and prepares it (PREPARE TRANSACTION): from then on it can be
//!           committed whatever happens, and holds its locks
//! decide    one row on the first shard, under the name: whoever inserts it first has decided
//! commit    every shard is told (COMMIT PREPARED)
//! ```
//!
//! A coordinator that dies leaves prepared transactions behind, which hold locks until somebody ends
//! them. Nobody has to guess how: if the row is there they are committed, and otherwise
//! [`ShardedEngine::resolve`] inserts the opposite, after which the coordinator, should it
//! be alive, cannot decide any more. So a name is used once, and a name that was committed says so.

use super::engine::ShardedEngine;
use super::placement::ShardId;
use super::writes::{ShardOutcome, ShardWriter, ShardWrites, separated, take};
use crate::backend::Connection;
use crate::engine::{Engine, Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::sql::shard_map::ShardMapTable;
use std::collections::BTreeMap;

/// What the names of our prepared transactions begin with.
const PREFIX: &str = "rowmill:";

/// The longest name; the database keeps 199 bytes with those of the shard.
const LONGEST_NAME: usize = 100;

/// A transaction that was prepared, and not ended yet.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PreparedTransaction {
    /// The shard that holds it.
    pub shard: String,
    /// Its name.
    pub name: String,
    /// How many seconds ago it was prepared.
    pub age_seconds: f64,
    /// Whether it was decided to commit it, or not to; `None` if nothing was decided.
    pub decided: Option<bool>,
}

/// How the transactions of a name were ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// Whether they are committed; else they are rolled back.
    pub committed: bool,
    /// The shards on which there was one to end.
    pub shards: Vec<String>,
}

impl ShardedEngine {
    /// Writes to several shards so that all of it is committed or nothing, by two phases. It costs
    /// two more round trips for each shard, every shard has to be there, and one that is lost in
    /// between holds up the locks of the others until [`resolve`](Self::resolve); so it is never done
    /// by itself. The servers have to allow it (`max_prepared_transactions`).
    ///
    /// `name` stands for this write and no other: done again after it was committed, it writes
    /// nothing and is refused.
    ///
    /// # Errors
    /// `Config` if it is no name: 1 to 100 letters, digits, `_`, `-`, `.` of ASCII.
    pub fn two_phase(&self, name: &str) -> Result<ShardWriter<'_>> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
            let message = format!(
                "{name:?} is no name of a write in two phases: letters, digits, _ - and . of ASCII, \
                 at most {LONGEST_NAME}"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(ShardWriter { shards: self, name: Some(name.to_owned()) })
    }

    /// The transactions of writes in two phases that were prepared and not ended. One that is under
    /// way is among them for a moment.
    ///
    /// # Errors
    /// Of the first shard that fails: as [`Engine::get`]; `Database` or `Disconnect`.
    #[track_caller]
    pub fn prepared(&self) -> Result<Vec<PreparedTransaction>> {
        let ids: Vec<ShardId> = self.ids().collect();
        let found = self.on_each(&ids, |shard, engine| {
            engine.with(Intent::Write, |connection| list(connection, self.name(shard)))
        })?;
        let mut found: Vec<_> =
            found.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        for transaction in &mut found {
            transaction.decided = decision(self.home(), &transaction.name)?;
        }
        Ok(found)
    }

    /// Ends what is prepared under a name on all shards: as was decided, or by a rollback if nothing
    /// was. If it is under way it is not committed any more.
    ///
    /// # Errors
    /// Of the first shard that fails; doing it again goes on where it ended.
    #[track_caller]
    pub fn resolve(&self, name: &str) -> Result<Resolved> {
        let committed = decide(self.home(), name, false)?;
        let ids: Vec<ShardId> = self.ids().collect();
        let ended = self.on_each(&ids, |shard, engine| {
            engine.with(Intent::Write, |connection| {
                let mut open = list(connection, self.name(shard))?;
                open.retain(|transaction| transaction.name == name);
                if !open.is_empty() {
                    end(connection, &self.prepared_name(name, shard), committed)?;
                }
                Ok(!open.is_empty())
            })
        })?;
        let mut shards = Vec::new();
        for (shard, ended) in ids.into_iter().zip(ended) {
            if ended? {
                shards.push(self.name(shard).to_owned());
            }
        }
        Ok(Resolved { committed, shards })
    }

    /// The shard on which decisions are kept.
    fn home(&self) -> &Engine {
        self.engine(ShardId(0))
    }

    fn prepared_name(&self, name: &str, shard: ShardId) -> String {
        format!("{PREFIX}{name}:{}", self.name(shard))
    }
}

pub(super) fn write<P: Send, T: Send>(
    shards: &ShardedEngine,
    name: &str,
    parts: Vec<(ShardId, P)>,
    work: impl Fn(&mut dyn Connection, P) -> Result<T> + Sync,
) -> Result<ShardWrites<T>> {
    if let Some(committed) = decision(shards.home(), name)? {
        let end = if committed { "committed" } else { "given up" };
        let message = format!("the write {name} in two phases was {end} before");
        return Err(Error::new(ErrorKind::Config, message).with_hint("use another name"));
    }
    let (ids, taken) = separated(parts);
    let done = shards.on_each(&ids, |shard, engine| {
        let part = take(&taken, shard)?;
        let mut connection = engine.get()?;
        if !connection.capabilities().two_phase {
            let message = "this database has no transactions in two phases";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        connection.begin()?;
        // What is not prepared is rolled back when the connection is given back.
        shards.hold_map(shard, &mut *connection)?;
        let value = work(&mut *connection, part)?;
        let prepared = shards.prepared_name(name, shard);
        connection.run(&format!("PREPARE TRANSACTION '{prepared}'")).map_err(explained)?;
        Ok(value)
    })?;
    let all = done.iter().all(Result::is_ok);
    let committed = if all { decide(shards.home(), name, true) } else { Ok(false) };
    match committed {
        Ok(true) => tell(shards, name, &ids, done, true),
        // Nothing was decided, or the opposite: nothing of it may stay.
        Ok(false) => tell(shards, name, &ids, done, false),
        Err(error) => Err(error.with_hint(format!(
            "whether it is committed is not known yet: rowmill shards resolve {name}"
        ))),
    }
}

/// Ends what is prepared on each shard, and reports.
fn tell<T: Send>(
    shards: &ShardedEngine,
    name: &str,
    ids: &[ShardId],
    done: Vec<Result<T>>,
    commit: bool,
) -> Result<ShardWrites<T>> {
    // A shard that answered with an error has prepared nothing; one that was lost may have.
    let may_be_open = |done: &Result<T>| done.as_ref().err().is_none_or(Error::is_disconnect);
    let open = ids.iter().zip(&done).filter(|(_, done)| may_be_open(done));
    let open: Vec<ShardId> = open.map(|(shard, _)| *shard).collect();
    let ended = shards.on_each(&open, |shard, engine| {
        let prepared = shards.prepared_name(name, shard);
        engine.with(Intent::Write, |connection| match end(connection, &prepared, commit) {
            // It was never prepared.
            Err(error) if !commit && error.sqlstate().is_some_and(|s| s.code() == "42704") => {
                Ok(())
            }
            ended => ended,
        })
    })?;
    let mut ended: BTreeMap<_, _> = open.into_iter().zip(ended).collect();
    let hint = || format!("end it: rowmill shards resolve {name}");
    let outcomes = ids.iter().zip(done).map(|(shard, done)| {
        let outcome = match (done, ended.remove(shard).unwrap_or(Ok(()))) {
            (Ok(value), Ok(())) if commit => ShardOutcome::Committed(value),
            (Ok(_), Ok(())) => ShardOutcome::Failed(Error::new(
                ErrorKind::Database,
                "it was rolled back, because not every shard could prepare it",
            )),
            (Err(error), Ok(())) => ShardOutcome::Failed(error),
            // It is prepared, or may have been without our having heard of it.
            (Ok(_), Err(error)) | (Err(error), Err(_)) => {
                ShardOutcome::Unknown(error.with_hint(hint()))
            }
        };
        (shards.name(*shard).to_owned(), outcome)
    });
    Ok(ShardWrites::new(outcomes.collect()))
}

fn end(connection: &mut dyn Connection, prepared: &str, commit: bool) -> Result<()> {
    let word = if commit { "COMMIT" } else { "ROLLBACK" };
    connection.run(&format!("{word} PREPARED '{prepared}'"))
}

fn list(connection: &mut dyn Connection, shard: &str) -> Result<Vec<PreparedTransaction>> {
    let mut found = Vec::new();
    if !connection.capabilities().two_phase {
        return Ok(found);
    }
    let sql = "SELECT gid, CAST(extract(epoch FROM clock_timestamp() - prepared) AS double precision) \
               FROM pg_catalog.pg_prepared_xacts \
               WHERE database = current_database() AND gid LIKE 'rowmill:%' ORDER BY gid";
    connection.query(sql, &[], &mut |row| {
        let written = String::unpack(row.cell(0)?)?;
        let name = written.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once(':'));
        if let Some((name, of)) = name.filter(|(_, of)| *of == shard) {
            let age_seconds = f64::unpack(row.cell(1)?)?;
            let (shard, name) = (of.to_owned(), name.to_owned());
            found.push(PreparedTransaction { shard, name, age_seconds, decided: None });
        }
        Ok(())
    })?;
    Ok(found)
}

/// Decides, unless that is done already, and returns what holds; it is on the disk then.
fn decide(home: &Engine, name: &str, commit: bool) -> Result<bool> {
    home.atomically(|connection| {
        let dialect = connection.capabilities().dialect;
        if let Some(wait) = dialect.wait_for_disk() {
            connection.run(wait)?;
        }
        let sql = ShardMapTable::of(dialect)?.decide();
        connection.execute(&sql, &[name.into(), commit.into()]).map(|_| ())
    })?;
    let decided = decision(home, name)?;
    decided.ok_or_else(|| Error::new(ErrorKind::Internal, "a decision was not kept"))
}

fn decision(home: &Engine, name: &str) -> Result<Option<bool>> {
    home.with(Intent::Write, |connection| {
        let sql = ShardMapTable::of(connection.capabilities().dialect)?.decided();
        let mut decided = None;
        connection.query(&sql, &[name.into()], &mut |row| {
            decided = Some(bool::unpack(row.cell(0)?)?);
            Ok(())
        })?;
        Ok(decided)
    })
}

fn explained(error: Error) -> Error {
    match error.sqlstate().map(|state| state.code().to_owned()).as_deref() {
        Some("55000") => error.with_hint("set max_prepared_transactions on the server"),
        Some("42710") => {
            error.with_hint("it is prepared already: rowmill shards prepared, and resolve")
        }
        _ => error,
    }
}
