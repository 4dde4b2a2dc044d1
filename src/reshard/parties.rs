//! The shards of a move, and the one rule by which all that is written holds or not.

use super::record::MoveStatus;
use super::routes::Routes;
use super::table::MovedTable;
use crate::backend::Connection;
use crate::engine::{Engine, Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::retry::{Attempts, RetryPolicy};
use crate::sharding::{ShardId, ShardedEngine};
use crate::stop::{Stop, StopToken};
use std::time::{Duration, Instant};

/// What all steps of a run need.
#[derive(Debug)]
pub(super) struct Parties {
    pub(super) shards: ShardedEngine,
    pub(super) routes: Routes,
    /// Those that are referred to before those that refer to them.
    pub(super) tables: Vec<MovedTable>,
    pub(super) epoch: i64,
    pub(super) stop: StopToken,
    pub(super) retry: RetryPolicy,
}

impl Parties {
    /// Does `work` on a shard in a transaction in which no other mover can begin, again where the
    /// server was away or a lock was not to be had. It must be harmless to do it twice.
    ///
    /// # Errors
    /// `AlreadyRunning` if another mover has begun; `Stopped`; what `work` returns.
    pub(super) fn write<T>(
        &self,
        shard: ShardId,
        mut work: impl FnMut(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        self.patiently(shard, |engine| {
            engine.atomically(|connection| {
                MoveStatus::hold(connection, self.epoch)?;
                work(connection)
            })
        })
    }

    /// Does `work` on the primary of a shard, again where that was away.
    ///
    /// # Errors
    /// `Stopped`; what `work` returns.
    pub(super) fn read<T>(
        &self,
        shard: ShardId,
        mut work: impl FnMut(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        self.patiently(shard, |engine| engine.with(Intent::Write, &mut work))
    }

    /// As [`write`](Self::write), for what changes a table itself: whoever waits for its lock keeps
    /// all others waiting, and does so for a moment only.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(super) fn define(
        &self,
        shard: ShardId,
        statements: impl Fn(&mut dyn Connection) -> Result<Vec<String>>,
    ) -> Result<()> {
        self.write(shard, |connection| {
            let limit = connection.capabilities().dialect.wait_briefly_for_locks();
            let statements = statements(connection)?;
            let all = limit.map(str::to_owned).into_iter().chain(statements);
            all.into_iter().try_for_each(|statement| connection.run(&statement))
        })
    }

    /// Stores the next map on these shards. Who writes by the older one is waited for, and refused from
    /// then on.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(super) fn publish(&self, shards: &[ShardId]) -> Result<()> {
        for &shard in shards {
            // A shard that takes no part has no record to hold.
            if !self.takes_part(shard) {
                self.patiently(shard, |engine| {
                    engine.atomically(|connection| self.shards.store_map(shard, connection))
                })?;
                continue;
            }
            self.write(shard, |connection| self.shards.store_map(shard, connection))?;
        }
        Ok(())
    }

    fn patiently<T>(
        &self,
        shard: ShardId,
        mut work: impl FnMut(&Engine) -> Result<T>,
    ) -> Result<T> {
        let mut attempts = Attempts::new(self.retry);
        loop {
            self.go_on()?;
            let error = match work(self.shards.engine(shard)) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match attempts.after(&error, Instant::now()) {
                Some(pause) => self.pause(pause)?,
                None => return self.shards.at(shard, Err(error)),
            }
        }
    }

    /// Sleeps, unless the run is asked to stop.
    ///
    /// # Errors
    /// `Stopped`.
    pub(super) fn pause(&self, pause: Duration) -> Result<()> {
        let end = Instant::now() + pause;
        loop {
            self.go_on()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    /// # Errors
    /// `Stopped` if the run was asked to.
    pub(super) fn go_on(&self) -> Result<()> {
        match self.stop.asked() {
            Stop::No => Ok(()),
            _ => Err(Error::new(ErrorKind::Stopped, "the move was asked to stop")
                .with_hint("the same call goes on where it ended")),
        }
    }

    fn takes_part(&self, shard: ShardId) -> bool {
        shard == ShardedEngine::first()
            || self.routes.pairs().any(|(a, b)| a == shard || b == shard)
    }

    /// The shards that take buckets of `from`.
    pub(super) fn takers_of(&self, from: ShardId) -> Vec<ShardId> {
        self.routes.pairs().filter(|(giver, _)| *giver == from).map(|(_, to)| to).collect()
    }
}
