//! Which key is on which shard.

use super::key::{KeyKind, ShardKey};
use crate::error::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};

/// A shard, by its place in the list of a [`ShardMap`](super::ShardMap).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub(super) u16);

impl ShardId {
    /// Its place in the list of the map.
    pub fn index(self) -> usize {
        self.0.into()
    }
}

/// How the keys of a map are spread over its shards. Every key is on one shard, or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// By their hash, over buckets that each belong to a shard.
    Hash(Buckets),
    /// By ranges.
    Range(Ranges),
    /// By a table that lists them.
    Lookup(Lookup),
}

/// The buckets of keys: bucket `hash % count` belongs to one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    pub(super) owners: Vec<ShardId>,
}

/// Ranges of keys of one kind: each from its first key up to the next range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges {
    pub(super) kind: KeyKind,
    /// Whose the keys are that come before the first of `starts`.
    pub(super) first: ShardId,
    pub(super) starts: BTreeMap<ShardKey, ShardId>,
}

/// Keys of one kind, each with its shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    pub(super) kind: KeyKind,
    pub(super) keys: BTreeMap<ShardKey, ShardId>,
    /// Whose all others are; `None` if they are refused.
    pub(super) others: Option<ShardId>,
}

impl Placement {
    /// The shard of a key.
    pub(super) fn shard_of(&self, key: &ShardKey) -> Result<ShardId> {
        self.find(key)?.ok_or_else(|| {
            Error::new(ErrorKind::Config, "the map lists no shard for this shard key")
                .with_hint("add it to the map, or a shard for all others")
        })
    }

    /// The shard of a key; `None` if there is none, so that no row can have it.
    pub(super) fn find(&self, key: &ShardKey) -> Result<Option<ShardId>> {
        match self {
            Self::Hash(buckets) => Ok(Some(buckets.owners[buckets.bucket_of(key) as usize])),
            Self::Range(ranges) => {
                same_kind(ranges.kind, key)?;
                let range = ranges.starts.range(..=key).next_back();
                Ok(Some(range.map_or(ranges.first, |(_, &shard)| shard)))
            }
            Self::Lookup(lookup) => {
                same_kind(lookup.kind, key)?;
                Ok(lookup.keys.get(key).copied().or(lookup.others))
            }
        }
    }

    /// The kind of its keys, where it takes one alone.
    pub fn kind(&self) -> Option<KeyKind> {
        match self {
            Self::Hash(_) => None,
            Self::Range(ranges) => Some(ranges.kind),
            Self::Lookup(lookup) => Some(lookup.kind),
        }
    }

    /// All shards that it names.
    pub(super) fn named(&self) -> BTreeSet<ShardId> {
        match self {
            Self::Hash(buckets) => buckets.owners.iter().copied().collect(),
            Self::Range(ranges) => {
                [ranges.first].iter().chain(ranges.starts.values()).copied().collect()
            }
            Self::Lookup(lookup) => lookup.keys.values().chain(&lookup.others).copied().collect(),
        }
    }
}

impl Buckets {
    /// `count` buckets, the same number for each of `shards` shards, but for one.
    pub(super) fn even(shards: usize, count: u32) -> Self {
        let owner = |bucket: u64| ShardId((bucket * shards as u64 / u64::from(count)) as u16);
        Self { owners: (0..u64::from(count)).map(owner).collect() }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.owners.len() as u32
    }

    /// The bucket of a key.
    pub fn bucket_of(&self, key: &ShardKey) -> u32 {
        (key.hash() % self.owners.len() as u64) as u32
    }

    /// The shard of a bucket; `None` if there is no such bucket.
    pub fn owner(&self, bucket: u32) -> Option<ShardId> {
        self.owners.get(bucket as usize).copied()
    }

    /// How many belong to a shard.
    pub fn count_of(&self, shard: ShardId) -> u32 {
        self.owners.iter().filter(|owner| **owner == shard).count() as u32
    }

    /// Gives a new shard, the last of `shards`, its share: from those that have most, and from the
    /// end of what they have, so that all others stay where they are.
    pub(super) fn give_share_to(&mut self, shard: ShardId, shards: usize) {
        let wanted = self.owners.len() / shards;
        let mut counts = vec![0_usize; shards];
        for owner in &self.owners {
            counts[owner.index()] += 1;
        }
        for _ in counts[shard.index()]..wanted {
            let donors = (0..shards).filter(|donor| *donor != shard.index());
            // Of equals the last: the order of the shards alone decides.
            let Some(donor) = donors.max_by_key(|donor| counts[*donor]) else { return };
            let Some(bucket) = self.owners.iter().rposition(|owner| owner.index() == donor) else {
                return;
            };
            self.owners[bucket] = shard;
            counts[donor] -= 1;
        }
    }
}

fn same_kind(kind: KeyKind, key: &ShardKey) -> Result<()> {
    if key.kind() == kind {
        return Ok(());
    }
    let message = format!("a shard key is {} where the map has {}", key.kind().name(), kind.name());
    Err(Error::new(ErrorKind::Config, message))
}
