//! Which keys go from where to where.

use crate::error::{Error, ErrorKind, Result};
use crate::sharding::{BucketMove, ShardId, ShardKey, ShardMap};
use std::collections::BTreeSet;

/// The difference between two maps. The shards of the older one are the first of the newer one, so that
/// a [`ShardId`] means the same in both.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    old: ShardMap,
    new: ShardMap,
    pairs: BTreeSet<(ShardId, ShardId)>,
}

impl Routes {
    /// # Errors
    /// `Config` if the newer map cannot be reached in one move.
    pub(super) fn between(old: &ShardMap, new: &ShardMap) -> Result<Self> {
        let refused = |message: String| Error::new(ErrorKind::Config, message);
        if new.version() != old.version() + 1 {
            let message = format!(
                "a map of version {} does not follow version {}",
                new.version(),
                old.version()
            );
            return Err(refused(message));
        }
        if !new.shards().starts_with(old.shards()) {
            let message = format!(
                "the shards are {} now, and {} in the next map",
                old.shards().join(", "),
                new.shards().join(", ")
            );
            return Err(refused(message).with_hint(
                "keep them in their order, also those without buckets, and add behind them",
            ));
        }
        let moves = old.moves_to(new)?;
        let pairs = moves.into_iter().map(|BucketMove { from, to, .. }| (from, to)).collect();
        let routes = Self { old: old.clone(), new: new.clone(), pairs };
        let givers: BTreeSet<_> = routes.givers().into_iter().collect();
        if let Some(both) = routes.takers().into_iter().find(|taker| givers.contains(taker)) {
            let message =
                format!("the shard {} would give buckets and take others", new.name_of(both));
            return Err(refused(message).with_hint("do it in two moves, one after the other"));
        }
        Ok(routes)
    }

    /// The shards that give buckets.
    pub(super) fn givers(&self) -> Vec<ShardId> {
        self.pairs.iter().map(|(from, _)| *from).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The shards that take buckets.
    pub(super) fn takers(&self) -> Vec<ShardId> {
        self.pairs.iter().map(|(_, to)| *to).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The shards between which buckets are moved.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (ShardId, ShardId)> {
        self.pairs.iter().copied()
    }

    /// From where to where a key goes; `None` if it stays.
    ///
    /// # Errors
    /// As [`ShardMap::shard_of_key`].
    pub(super) fn of(&self, key: &ShardKey) -> Result<Option<(ShardId, ShardId)>> {
        let (from, to) = (self.old.shard_of_key(key)?, self.new.shard_of_key(key)?);
        Ok((from != to).then_some((from, to)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_shard_takes_its_share_and_every_key_has_one_way() {
        let old = ShardMap::hashed_over(64, ["a", "b"]).unwrap();
        let new = old.with_shard("c").unwrap();
        let routes = Routes::between(&old, &new).unwrap();
        let names =
            |ids: Vec<ShardId>| ids.into_iter().map(|id| new.name_of(id)).collect::<String>();
        assert_eq!((names(routes.givers()), names(routes.takers())), ("ab".into(), "c".into()));
        for key in 0..1_000_i64 {
            let key = ShardKey::of(key).unwrap();
            let (from, to) = (old.shard_of_key(&key).unwrap(), new.shard_of_key(&key).unwrap());
            let way = routes.of(&key).unwrap();
            assert_eq!(way, (from != to).then_some((from, to)));
        }
    }

    #[test]
    fn what_cannot_be_one_move_is_refused_by_name() {
        let old = ShardMap::hashed_over(8, ["a", "b"]).unwrap();
        let (a, b) = (old.shard_named("a").unwrap(), old.shard_named("b").unwrap());
        let refused = |new: &ShardMap| Routes::between(&old, new).unwrap_err().to_string();
        assert!(refused(&old).contains("version 1 does not follow version 1"));
        let later = old.with_buckets_on([0], b).unwrap().with_buckets_on([1], b).unwrap();
        assert!(refused(&later).contains("version 3 does not follow version 1"));
        let swap = old.with_buckets_on([0], b).unwrap().with_buckets_on([7], a).unwrap();
        let swap = swap.to_json().unwrap().replace("\"version\":3", "\"version\":2");
        let swap: ShardMap = swap.parse().unwrap();
        assert!(refused(&swap).contains("the shard a would give buckets and take others"));
        let other = ShardMap::ranged("a", [(5_i64, "b")]).unwrap().with_shard("c").unwrap();
        assert!(refused(&other).contains("only a map by hash has buckets"));
    }
}
