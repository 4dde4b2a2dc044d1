//! Rejects that are tried again, each on its shard.

use super::feed::ShardFeed;
use super::reading::Reading;
use super::spread::Spread;
use crate::batch::job::{Declared, Job};
use crate::batch::replay::Replayed;
use crate::error::Result;
use crate::sharding::ShardedEngine;
use std::sync::Arc;

impl Job {
    /// Tries the rejects of all shards again, shard by shard; see [`Job::replay`]. A row that belongs
    /// to another shard than the one that has its reject stays, and says so. What became of each
    /// shard's is told in the order of the map.
    ///
    /// # Errors
    /// `Config` or `Unsupported` as [`Job::run_on_shards`]; what is amiss on a shard is in its place.
    pub fn replay_on_shards(
        &self,
        shards: &ShardedEngine,
        overwrite: bool,
    ) -> Result<Vec<(String, Result<Replayed>)>> {
        let Declared { feed, target } = self.declared()?;
        let map = shards.map();
        let spread = Arc::new(Spread::of(self.key_of_shards(), map, &target)?);
        let reading = Arc::new(Reading::new(feed, spread, map.shards().len(), 0, 0));
        let one = |shard| {
            let feed = ShardFeed { reading: Arc::clone(&reading), shard };
            let declared = Declared { feed: Arc::new(feed), target: target.clone() };
            let done =
                self.replay_with(&declared, shards.engine(shard), overwrite, &|connection| {
                    shards.hold_map(shard, connection)
                });
            (map.name_of(shard).to_owned(), shards.at(shard, done))
        };
        Ok(map.ids().map(one).collect())
    }
}
