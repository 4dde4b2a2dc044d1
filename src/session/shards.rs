//! Sessions on all shards: entities that are written together on the shards they belong to.

use super::tracked::Tracked;
use super::unit_of_work::Session;
use crate::backend::Connection;
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::key::Keyed;
use crate::mapping::sharded::Sharded;
use crate::query::ToValue;
use crate::sharding::{ShardId, ShardOutcome, ShardWrites, ShardedEngine};
use std::fmt;

/// A unit of work over several shards: a [`Session`] for each of those that it touches.
///
/// A commit is one for each shard, one after the other: what one has committed stays where the next
/// one fails, and the report says which is which. Each session holds a connection from its first
/// statement to its end, so that threads with such sessions need a budget of as many connections as
/// there are shards, each.
#[must_use = "a session that is dropped is rolled back"]
pub struct ShardedSession {
    shards: ShardedEngine,
    sessions: Vec<Option<Session>>,
}

impl ShardedEngine {
    /// A session over all shards. It takes a connection to a shard when it first needs one.
    pub fn session(&self) -> ShardedSession {
        let sessions = self.ids().map(|_| None).collect();
        ShardedSession { shards: self.clone(), sessions }
    }
}

impl ShardedSession {
    /// The session of a shard, for what belongs to that shard alone.
    ///
    /// # Errors
    /// As [`Engine::session`](crate::Engine::session); `Config` if there is no such shard.
    pub fn on(&mut self, shard: ShardId) -> Result<&mut Session> {
        let session = self.sessions.get_mut(shard.index()).ok_or_else(|| {
            Error::new(ErrorKind::Config, "this shard is none of the map of the session")
        })?;
        match session {
            Some(session) => Ok(session),
            none => Ok(none.insert(self.shards.engine(shard).session()?)),
        }
    }

    /// Has a new row inserted on its shard at the next flush.
    ///
    /// # Errors
    /// As [`ShardedEngine::shard_of_entity`].
    pub fn add<E: Sharded>(&mut self, entity: E) -> Result<Tracked<E>> {
        let shard = self.shards.shard_of_entity(&entity)?;
        Ok(self.on(shard)?.add(entity))
    }

    /// The row with this key on the shard of `shard_key`; `None` if there is none.
    ///
    /// # Errors
    /// As [`ShardedEngine::shard_of`] and [`Session::get`].
    #[track_caller]
    pub fn get<E: Sharded + Keyed>(
        &mut self,
        shard_key: impl ToValue,
        key: impl Into<E::Key>,
    ) -> Result<Option<Tracked<E>>> {
        let shard = self.shards.shard_of(shard_key)?;
        let shards = self.shards.clone();
        let session = self.on(shard)?;
        let found = session.get::<E>(key);
        let look = |connection: &mut dyn Connection| shards.look_behind(shard, connection);
        shards.at(shard, found.and_then(|found| session.with(Intent::Write, look).map(|()| found)))
    }

    /// Has a row deleted at the next flush.
    ///
    /// # Errors
    /// As [`ShardedEngine::shard_of_entity`] and [`Session::delete`].
    pub fn delete<E: Sharded>(&mut self, tracked: &Tracked<E>) -> Result<()> {
        let shard = self.shards.shard_of_entity(&*tracked.read())?;
        self.on(shard)?.delete(tracked)
    }

    /// Flushes and commits the session of each shard, one after the other, and says what became of
    /// each. One whose map has changed, or that fails, is rolled back; those behind it are committed
    /// all the same.
    #[track_caller]
    pub fn commit(&mut self) -> ShardWrites<()> {
        let mut outcomes = Vec::new();
        for (shard, session) in self.shards.ids().zip(&mut self.sessions) {
            let Some(session) = session else { continue };
            let outcome = match self.shards.at(shard, commit(&self.shards, shard, session)) {
                Ok(()) => ShardOutcome::Committed(()),
                Err(error) if error.kind() == ErrorKind::CommitUnknown => {
                    ShardOutcome::Unknown(error)
                }
                Err(error) => {
                    // What went wrong is told; a connection that cannot roll back is closed.
                    let _ = session.rollback();
                    ShardOutcome::Failed(error)
                }
            };
            outcomes.push((self.shards.map().name_of(shard).to_owned(), outcome));
        }
        ShardWrites::new(outcomes)
    }

    /// Rolls back the sessions of all shards.
    ///
    /// # Errors
    /// The first of [`Session::rollback`]; all others are rolled back all the same.
    pub fn rollback(&mut self) -> Result<()> {
        let ended: Vec<_> = self.sessions.iter_mut().flatten().map(Session::rollback).collect();
        ended.into_iter().collect()
    }
}

fn commit(shards: &ShardedEngine, shard: ShardId, session: &mut Session) -> Result<()> {
    session.flush()?;
    // ORDER: behind what was written, in the same transaction. A map that changed before is seen
    // now, and one that is about to change waits for the commit.
    session.with(Intent::Write, |connection| shards.hold_map(shard, connection))?;
    session.commit()
}

impl fmt::Debug for ShardedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardedSession").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}
