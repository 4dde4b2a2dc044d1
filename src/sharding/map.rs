//! Which shards there are, and which key is on which of them: data, with a version.

use super::key::ShardKey;
use super::placement::{Buckets, Lookup, Placement, Ranges, ShardId};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::MAX_IDENT_BYTES;
use crate::query::ToValue;
use std::collections::{BTreeMap, BTreeSet};

/// How many buckets a map has unless another number is asked for.
pub const DEFAULT_BUCKETS: u32 = 4_096;

const MOST_BUCKETS: u32 = 1 << 20;
const MOST_SHARDS: usize = 1_024;

/// The shards, and which key is on which of them.
///
/// It is data: a version, the names of the shards and a [`Placement`]. It is stored on every shard,
/// and a shard that has another one is not used. The same map says the same on every machine and in
/// every version of this crate: hashes are published (`docs/sharding.md`), and never `key % shards`.
///
/// ```
/// use rowmill::ShardMap;
/// let three = ShardMap::hashed(["north", "south", "west"])?;
/// let shard = three.shard_of(42_i64)?;
/// assert_eq!(three.name_of(shard), "west");
///
/// // A fourth one takes a quarter of the buckets, and no key moves between the others.
/// let four = three.with_shard("east")?;
/// let moves = three.moves_to(&four)?;
/// assert_eq!(moves.len(), 1_024);
/// assert!(moves.iter().all(|step| four.name_of(step.to) == "east"));
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardMap {
    pub(super) version: u64,
    pub(super) shards: Vec<String>,
    pub(super) placement: Placement,
}

/// A bucket that belongs to another shard in another map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BucketMove {
    /// The bucket.
    pub bucket: u32,
    /// Whose it is.
    pub from: ShardId,
    /// Whose it becomes.
    pub to: ShardId,
}

impl ShardMap {
    /// Keys are spread by their hash over 4,096 buckets, as many for each shard.
    ///
    /// # Errors
    /// `Config` if there is no shard, or a name is none or there twice.
    pub fn hashed<N: Into<String>>(shards: impl IntoIterator<Item = N>) -> Result<Self> {
        Self::hashed_over(DEFAULT_BUCKETS, shards)
    }

    /// As [`hashed`](Self::hashed), over so many buckets. Their number cannot be changed later;
    /// more of them make smaller pieces to move, and a hundred for each shard that may come is
    /// plenty.
    ///
    /// # Errors
    /// As [`hashed`](Self::hashed); `Config` if there are fewer buckets than shards or more than
    /// 1,048,576.
    pub fn hashed_over<N: Into<String>>(
        buckets: u32,
        shards: impl IntoIterator<Item = N>,
    ) -> Result<Self> {
        let shards: Vec<String> = shards.into_iter().map(Into::into).collect();
        if (buckets as usize) < shards.len() || buckets > MOST_BUCKETS {
            let message = format!("a map of {} shards cannot have {buckets} buckets", shards.len());
            return Err(Error::new(ErrorKind::Config, message)
                .with_hint(format!("use {DEFAULT_BUCKETS}, at most {MOST_BUCKETS}")));
        }
        let placement = Placement::Hash(Buckets::even(shards.len(), buckets));
        Self::checked(1, shards, placement)
    }

    /// Keys are spread by ranges: those before the first bound are on `first`, and each bound
    /// begins the range of its shard.
    ///
    /// ```
    /// use rowmill::ShardMap;
    /// let map = ShardMap::ranged("old", [(1_000_i64, "middle"), (5_000, "new")])?;
    /// assert_eq!(map.name_of(map.shard_of(999_i64)?), "old");
    /// assert_eq!(map.name_of(map.shard_of(1_000_i32)?), "middle");
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` if there is no bound, two are the same, or they are of different kinds.
    pub fn ranged<K: ToValue, N: Into<String>>(
        first: impl Into<String>,
        bounds: impl IntoIterator<Item = (K, N)>,
    ) -> Result<Self> {
        let mut shards = vec![first.into()];
        let starts = listed(&mut shards, bounds)?;
        let kind = kind_of(&starts)?;
        let ranges = Ranges { kind, first: ShardId(0), starts };
        Self::checked(1, shards, Placement::Range(ranges))
    }

    /// Each key is on the shard that the table says; keys that it does not list are refused, unless
    /// `others` says where they are.
    ///
    /// # Errors
    /// `Config` if there is no key, one is listed twice, or they are of different kinds.
    pub fn lookup<K: ToValue, N: Into<String>>(
        keys: impl IntoIterator<Item = (K, N)>,
        others: Option<&str>,
    ) -> Result<Self> {
        let mut shards = Vec::new();
        let keys = listed(&mut shards, keys)?;
        let kind = kind_of(&keys)?;
        let others = others.map(|name| id_of(&mut shards, name.to_owned()));
        Self::checked(1, shards, Placement::Lookup(Lookup { kind, keys, others }))
    }

    /// A map whose parts fit together.
    pub(super) fn checked(version: u64, shards: Vec<String>, placement: Placement) -> Result<Self> {
        let fault = |message: String| Err(Error::new(ErrorKind::Config, message));
        if version == 0 || version > i64::MAX as u64 {
            return fault(format!("a map of shards cannot have the version {version}"));
        }
        if shards.is_empty() || shards.len() > MOST_SHARDS {
            return fault(format!("a map has 1 to {MOST_SHARDS} shards, not {}", shards.len()));
        }
        let mut taken = BTreeSet::new();
        for name in &shards {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            if name.is_empty() || name.len() > MAX_IDENT_BYTES || !name.chars().all(is_plain) {
                return fault(format!(
                    "{name:?} is no name of a shard: letters, digits, _ - and . of ASCII, at most \
                     {MAX_IDENT_BYTES}"
                ));
            }
            if !taken.insert(name) {
                return fault(format!("two shards have the name {name}"));
            }
        }
        if placement.named().iter().any(|shard| shard.index() >= shards.len()) {
            return fault("a map places keys on a shard that it does not have".to_owned());
        }
        Ok(Self { version, shards, placement })
    }

    /// Its version: a changed map has a higher one.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The names of the shards.
    pub fn shards(&self) -> &[String] {
        &self.shards
    }

    /// The shards.
    pub fn ids(&self) -> impl Iterator<Item = ShardId> + use<> {
        (0..self.shards.len() as u16).map(ShardId)
    }

    /// The name of a shard of this map.
    pub fn name_of(&self, shard: ShardId) -> &str {
        self.shards.get(shard.index()).map_or("", String::as_str)
    }

    /// The shard of that name.
    pub fn shard_named(&self, name: &str) -> Option<ShardId> {
        self.ids().find(|shard| self.name_of(*shard) == name)
    }

    /// How keys are spread.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// The shard on which rows with this key are.
    ///
    /// # Errors
    /// `Config` if it is NULL, of a type that no shard key can have or of another kind than the
    /// map's, or not listed.
    pub fn shard_of(&self, key: impl ToValue) -> Result<ShardId> {
        self.shard_of_key(&ShardKey::of(key)?)
    }

    /// As [`shard_of`](Self::shard_of), of a key that is made already.
    ///
    /// # Errors
    /// As [`shard_of`](Self::shard_of).
    pub fn shard_of_key(&self, key: &ShardKey) -> Result<ShardId> {
        self.placement.shard_of(key)
    }

    /// The next version, with one more shard. Of a map by hash it takes an even share of the
    /// buckets from the others; of others it has no key yet.
    ///
    /// # Errors
    /// `Config` if the name is none or taken, or there are more shards than buckets.
    pub fn with_shard(&self, name: impl Into<String>) -> Result<Self> {
        let mut shards = self.shards.clone();
        shards.push(name.into());
        let mut placement = self.placement.clone();
        if let Placement::Hash(buckets) = &mut placement {
            if buckets.owners.len() < shards.len() {
                return Err(Error::new(ErrorKind::Config, "there are more shards than buckets"));
            }
            buckets.give_share_to(ShardId(self.shards.len() as u16), shards.len());
        }
        Self::checked(self.version + 1, shards, placement)
    }

    /// The next version, in which these buckets belong to another shard.
    ///
    /// # Errors
    /// `Config` if it is no map by hash, or has no such bucket or shard.
    pub fn with_buckets_on(
        &self,
        buckets: impl IntoIterator<Item = u32>,
        shard: ShardId,
    ) -> Result<Self> {
        let mut placement = self.placement.clone();
        let Placement::Hash(spread) = &mut placement else { return Err(no_buckets()) };
        for bucket in buckets {
            let owner = spread.owners.get_mut(bucket as usize);
            *owner.ok_or_else(|| {
                Error::new(ErrorKind::Config, format!("the map has no bucket {bucket}"))
            })? = shard;
        }
        Self::checked(self.version + 1, self.shards.clone(), placement)
    }

    /// The buckets that are on another shard in `other`.
    ///
    /// # Errors
    /// `Config` if one of the two is no map by hash, or they have different numbers of buckets.
    pub fn moves_to(&self, other: &Self) -> Result<Vec<BucketMove>> {
        let (Placement::Hash(mine), Placement::Hash(theirs)) = (&self.placement, &other.placement)
        else {
            return Err(no_buckets());
        };
        if mine.count() != theirs.count() {
            let message = format!("maps of {} and of {} buckets", mine.count(), theirs.count());
            return Err(Error::new(ErrorKind::Config, message));
        }
        let moved = mine.owners.iter().zip(&theirs.owners).zip(0..);
        let moved = moved.filter(|((from, to), _)| self.name_of(**from) != other.name_of(**to));
        Ok(moved.map(|((&from, &to), bucket)| BucketMove { bucket, from, to }).collect())
    }
}

/// The keys with their shards, which are added to `shards` where they are new.
fn listed<K: ToValue, N: Into<String>>(
    shards: &mut Vec<String>,
    keys: impl IntoIterator<Item = (K, N)>,
) -> Result<BTreeMap<ShardKey, ShardId>> {
    let mut listed = BTreeMap::new();
    for (key, name) in keys {
        let shard = id_of(shards, name.into());
        if listed.insert(ShardKey::of(key)?, shard).is_some() {
            return Err(Error::new(ErrorKind::Config, "a map names a key twice"));
        }
    }
    Ok(listed)
}

fn id_of(shards: &mut Vec<String>, name: String) -> ShardId {
    let place = shards.iter().position(|known| *known == name).unwrap_or_else(|| {
        shards.push(name);
        shards.len() - 1
    });
    ShardId(place as u16)
}

pub(super) fn kind_of(keys: &BTreeMap<ShardKey, ShardId>) -> Result<super::key::KeyKind> {
    let mut kinds = keys.keys().map(ShardKey::kind);
    let kind = kinds.next().ok_or_else(|| Error::new(ErrorKind::Config, "a map names no key"))?;
    match kinds.find(|other| *other != kind) {
        None => Ok(kind),
        Some(other) => {
            let message = format!("a map has keys that are {} and {}", kind.name(), other.name());
            Err(Error::new(ErrorKind::Config, message))
        }
    }
}

fn no_buckets() -> Error {
    Error::new(ErrorKind::Config, "only a map by hash has buckets")
}

#[cfg(test)]
mod tests;
