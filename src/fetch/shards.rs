//! SQL as it is written, on every shard.

use super::run;
use super::text::FromRow;
use crate::error::Result;
use crate::query::Sql;
use crate::sharding::{ShardId, ShardedEngine};

impl Sql {
    /// All its rows from all shards, all at once: those of the first shard, then those of the next.
    /// Nobody knows what a text asks for, so nothing is put together: an order, a limit or a sum is
    /// that of each shard. Queries that are ordered and summed up over all shards are made by
    /// [`Query::scatter`](crate::Query::scatter).
    ///
    /// # Errors
    /// Of the first shard that fails, as [`all`](Self::all); `Shard` if it has another map.
    #[track_caller]
    pub fn all_on_shards<R: FromRow + Send>(&self, shards: &ShardedEngine) -> Result<Vec<R>> {
        let ids: Vec<ShardId> = shards.ids().collect();
        let parts = shards.on_each(&ids, |shard, _| {
            let statement = self.statement()?;
            let mut rows = Vec::new();
            let mut places = None;
            shards.with_on(shard, |connection| {
                connection.query(&statement.sql, &run::params(&statement.values), &mut |row| {
                    let places = match &mut places {
                        Some(places) => places,
                        none => none.insert(R::places(row)?),
                    };
                    rows.push(R::from_row(row, places)?);
                    Ok(())
                })
            })?;
            Ok(rows)
        })?;
        let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// Runs it on every shard, all at once, each in a transaction of its own, and says what came of
    /// it on each: how many rows it changed. What some have committed stays where others fail.
    ///
    /// # Errors
    /// As [`ShardedEngine::on_each`]; what a shard says is in the results.
    #[track_caller]
    pub fn run_on_shards(&self, shards: &ShardedEngine) -> Result<Vec<(ShardId, Result<u64>)>> {
        let ids: Vec<ShardId> = shards.ids().collect();
        let done = shards.on_each(&ids, |shard, _| {
            let statement = self.statement()?;
            shards.atomically_on(shard, |connection| {
                connection.execute(&statement.sql, &run::params(&statement.values))
            })
        })?;
        Ok(ids.into_iter().zip(done).collect())
    }
}
