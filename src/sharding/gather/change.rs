//! Updates and deletions by a condition: which shards they are for.

use super::reach;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Change, Node};
use crate::sharding::engine::ShardedEngine;
use crate::sharding::placement::ShardId;

impl ShardedEngine {
    /// The shards that can have rows of a change, which gives the columns `set` their values.
    ///
    /// # Errors
    /// `Config` if the shard key is one of them; `Unsupported` if it cannot be put to several shards.
    pub(crate) fn shards_of_change(
        &self,
        change: &Change,
        set: &[(&'static str, Node)],
    ) -> Result<Vec<ShardId>> {
        change.check()?;
        let key = (change.table.shard_key)();
        if set.iter().any(|(name, _)| Some(*name) == key) {
            let message =
                format!("the shard key of {} cannot be changed in place", change.table.of);
            return Err(Error::new(ErrorKind::Config, message).with_hint(
                "the row would be looked for on another shard: delete it, and insert it anew",
            ));
        }
        let select = change.rows(set.iter().map(|(_, node)| node.clone()).collect());
        let targets = reach::shards_of(&select, self.map())?;
        if targets.len() > 1 {
            reach::check(&select)?;
        }
        Ok(targets)
    }
}
