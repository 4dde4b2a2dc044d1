//! What is written to several shards: a transaction on each, and what came of it.

use super::engine::{ShardColumn, ShardedEngine};
use super::placement::ShardId;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::sharded::Sharded;
use parking_lot::Mutex;
use std::fmt;

/// Writes to several shards: what [`ShardedEngine::writer`] and [`ShardedEngine::two_phase`] make.
#[derive(Clone, Debug)]
pub struct ShardWriter<'a> {
    pub(super) shards: &'a ShardedEngine,
    /// The name under which all of it is committed or nothing; `None` where each shard commits for
    /// itself.
    pub(super) name: Option<String>,
}

/// What became of a write on one shard.
#[derive(Debug)]
#[non_exhaustive]
pub enum ShardOutcome<T> {
    /// It is committed.
    Committed(T),
    /// Nothing of it is there.
    Failed(Error),
    /// Nobody knows: the connection was lost before the answer to COMMIT came, or the shard has
    /// prepared it and was not told yet how it ends.
    Unknown(Error),
}

/// What became of a write to several shards, shard by shard.
#[derive(Debug)]
pub struct ShardWrites<T> {
    pub(super) outcomes: Vec<(String, ShardOutcome<T>)>,
}

impl ShardedEngine {
    /// Writes to several shards, each in a transaction of its own: what one has committed stays
    /// where another one fails, and the report says which is which.
    pub fn writer(&self) -> ShardWriter<'_> {
        ShardWriter { shards: self, name: None }
    }
}

impl ShardWriter<'_> {
    /// The engine that it writes through.
    pub fn shards(&self) -> &ShardedEngine {
        self.shards
    }

    /// Rows with the shard that each belongs to, in their order; those of shards without a row are
    /// left out.
    ///
    /// # Errors
    /// As [`ShardedEngine::shard_of_entity`], with the row: nothing is written then.
    pub(crate) fn split<E: Sharded, B: std::borrow::Borrow<E>>(
        &self,
        rows: impl IntoIterator<Item = B>,
    ) -> Result<Vec<(ShardId, Vec<B>)>> {
        let column = ShardColumn::of::<E>()?;
        let map = self.shards.map();
        let mut parts: Vec<(ShardId, Vec<B>)> = map.ids().map(|id| (id, Vec::new())).collect();
        for (number, row) in (1..).zip(rows) {
            let shard = column.shard_of(row.borrow(), map);
            let shard = shard.locate(|place| place.row = Some(number))?;
            parts[shard.index()].1.push(row);
        }
        parts.retain(|(_, rows)| !rows.is_empty());
        Ok(parts)
    }

    /// Does `work` with the part of each shard on a connection to it, in a transaction in which the
    /// map of the shard cannot change, all shards at once.
    ///
    /// # Errors
    /// As [`ShardedEngine::on_each`]; with two phases, whatever keeps all of it from being committed.
    /// What came of it on each shard is in the report.
    #[track_caller]
    pub fn write<P: Send, T: Send>(
        &self,
        parts: Vec<(ShardId, P)>,
        work: impl Fn(&mut dyn Connection, P) -> Result<T> + Sync,
    ) -> Result<ShardWrites<T>> {
        if let Some(name) = &self.name {
            return super::two_phase::write(self.shards, name, parts, work);
        }
        let (ids, taken) = separated(parts);
        let done = self.shards.on_each(&ids, |shard, _| {
            let part = take(&taken, shard)?;
            self.shards.atomically_on(shard, |connection| work(connection, part))
        })?;
        let outcome = |(shard, done): (ShardId, Result<T>)| {
            let outcome = match done {
                Ok(value) => ShardOutcome::Committed(value),
                Err(error) if error.kind() == ErrorKind::CommitUnknown => {
                    ShardOutcome::Unknown(error)
                }
                Err(error) => ShardOutcome::Failed(error),
            };
            (self.shards.name(shard).to_owned(), outcome)
        };
        Ok(ShardWrites { outcomes: ids.into_iter().zip(done).map(outcome).collect() })
    }
}

/// Parts that each are taken once, by whoever works for their shard.
pub(super) type Parts<P> = Vec<(ShardId, Mutex<Option<P>>)>;

pub(super) fn separated<P>(parts: Vec<(ShardId, P)>) -> (Vec<ShardId>, Parts<P>) {
    let ids = parts.iter().map(|(shard, _)| *shard).collect();
    let part = |(shard, part)| (shard, Mutex::new(Some(part)));
    (ids, parts.into_iter().map(part).collect())
}

pub(super) fn take<P>(parts: &Parts<P>, shard: ShardId) -> Result<P> {
    let part = parts.iter().filter(|(of, _)| *of == shard).find_map(|(_, part)| part.lock().take());
    part.ok_or_else(|| Error::new(ErrorKind::Internal, "a shard was written to twice"))
}

impl<T> ShardWrites<T> {
    pub(crate) fn new(outcomes: Vec<(String, ShardOutcome<T>)>) -> Self {
        Self { outcomes }
    }

    /// The shards that were written to, each with what became of it.
    pub fn outcomes(&self) -> &[(String, ShardOutcome<T>)] {
        &self.outcomes
    }

    /// Whether all of it is committed.
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|(_, outcome)| matches!(outcome, ShardOutcome::Committed(_)))
    }

    /// What was committed where.
    pub fn committed(&self) -> impl Iterator<Item = (&str, &T)> {
        self.outcomes.iter().filter_map(|(shard, outcome)| match outcome {
            ShardOutcome::Committed(value) => Some((shard.as_str(), value)),
            _ => None,
        })
    }

    /// The shards on which it is not committed, or nobody knows, and why.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.outcomes.iter().filter_map(|(shard, outcome)| match outcome {
            ShardOutcome::Committed(_) => None,
            ShardOutcome::Failed(error) | ShardOutcome::Unknown(error) => {
                Some((shard.as_str(), error))
            }
        })
    }

    /// What was committed on each shard, if all of it is.
    ///
    /// # Errors
    /// The first error, whose hint says where it is committed all the same.
    pub fn all(self) -> Result<Vec<(String, T)>> {
        let there: Vec<_> = self.committed().map(|(shard, _)| shard.to_owned()).collect();
        let hint = match there[..] {
            [] => "nothing is committed on any shard".to_owned(),
            _ => format!("it is committed on {}", there.join(", ")),
        };
        self.outcomes
            .into_iter()
            .map(|(shard, outcome)| match outcome {
                ShardOutcome::Committed(value) => Ok((shard, value)),
                ShardOutcome::Failed(error) | ShardOutcome::Unknown(error) => {
                    Err(error.with_hint(hint.clone()))
                }
            })
            .collect()
    }
}

impl<T> fmt::Display for ShardWrites<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (shard, outcome)) in self.outcomes.iter().enumerate() {
            let end = match outcome {
                ShardOutcome::Committed(_) => "committed".to_owned(),
                ShardOutcome::Failed(error) => format!("failed: {error}"),
                ShardOutcome::Unknown(error) => format!("unknown: {error}"),
            };
            write!(f, "{}{shard} {end}", if index > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}
