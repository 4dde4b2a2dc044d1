//! A map as a text, and the difference between two.

use super::key::{KeyKind, ShardKey};
use super::map::ShardMap;
use super::placement::{Buckets, Lookup, Placement, Ranges, ShardId};
use crate::error::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The name of the hash in a map.
const HASH: &str = "xxh64";

impl ShardMap {
    /// It as JSON: what is stored on every shard, and what [`str::parse`] reads.
    ///
    /// # Errors
    /// Never in practice: every key of a map can be written.
    pub fn to_json(&self) -> Result<String> {
        let name = |shard: ShardId| self.name_of(shard).to_owned();
        let keys = |keys: &BTreeMap<ShardKey, ShardId>| -> Result<Value> {
            let pair = |(key, &shard): (&ShardKey, &ShardId)| Ok(json!([key.text()?, name(shard)]));
            keys.iter().map(pair).collect::<Result<Vec<_>>>().map(Value::Array)
        };
        let placement = match &self.placement {
            Placement::Hash(buckets) => {
                let owned = runs(&buckets.owners)
                    .map(|(first, last, shard)| json!([first, last, name(shard)]));
                json!({"hash": HASH, "buckets": buckets.count(), "owned": owned.collect::<Vec<_>>()})
            }
            Placement::Range(ranges) => json!({
                "key": ranges.kind.name(),
                "first": name(ranges.first),
                "starts": keys(&ranges.starts)?,
            }),
            Placement::Lookup(lookup) => json!({
                "key": lookup.kind.name(),
                "keys": keys(&lookup.keys)?,
                "others": lookup.others.map(name),
            }),
        };
        let by = match self.placement {
            Placement::Hash(_) => "hash",
            Placement::Range(_) => "range",
            Placement::Lookup(_) => "lookup",
        };
        let map = json!({"version": self.version, "shards": self.shards, by: placement});
        Ok(map.to_string())
    }

    /// How `other` differs, for a person and without a key; `None` if it does not.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        if self.shards != other.shards {
            let (mine, theirs) = (self.shards.join(", "), other.shards.join(", "));
            return Some(format!("the shards are {mine} here and {theirs} there"));
        }
        if self.placement == other.placement {
            return Some(format!("it is version {} here, {} there", self.version, other.version));
        }
        Some(match self.moves_to(other) {
            Ok(moves) => {
                let first = moves.first().map(|step| {
                    let (here, there) = (self.name_of(step.from), other.name_of(step.to));
                    format!(", bucket {} on {here} here and on {there} there", step.bucket)
                });
                format!("{} buckets are elsewhere{}", moves.len(), first.unwrap_or_default())
            }
            Err(_) => "keys are placed in another way".to_owned(),
        })
    }
}

/// Buckets that follow each other and belong to one shard: the first, the last, whose they are.
fn runs(owners: &[ShardId]) -> impl Iterator<Item = (usize, usize, ShardId)> {
    let mut start = 0;
    owners.chunk_by(|one, next| one == next).map(move |run| {
        let first = start;
        start += run.len();
        (first, start - 1, run[0])
    })
}

impl FromStr for ShardMap {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            Error::new(ErrorKind::Config, "a map of shards is no JSON").with_source(error)
        })?;
        read(&value).ok_or_else(|| Error::new(ErrorKind::Config, "this is no map of shards"))?
    }
}

fn read(value: &Value) -> Option<Result<ShardMap>> {
    let version = value.get("version")?.as_u64()?;
    let names = value.get("shards")?.as_array()?.iter();
    let shards: Vec<String> =
        names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    let id = |name: &Value| {
        let place = shards.iter().position(|known| Some(known.as_str()) == name.as_str())?;
        Some(ShardId(u16::try_from(place).ok()?))
    };
    let placement = if let Some(hash) = value.get("hash") {
        Placement::Hash(read_buckets(hash, &id)?)
    } else if let Some(range) = value.get("range") {
        let (kind, first) = (read_kind(range)?, id(range.get("first")?)?);
        let starts = read_keys(range.get("starts")?, kind, &id)?;
        Placement::Range(Ranges { kind, first, starts })
    } else {
        let lookup = value.get("lookup")?;
        let kind = read_kind(lookup)?;
        let others = match lookup.get("others")? {
            Value::Null => None,
            name => Some(id(name)?),
        };
        let keys = read_keys(lookup.get("keys")?, kind, &id)?;
        Placement::Lookup(Lookup { kind, keys, others })
    };
    Some(ShardMap::checked(version, shards, placement))
}

fn read_kind(value: &Value) -> Option<KeyKind> {
    KeyKind::named(value.get("key")?.as_str()?)
}

type IdOf<'a> = &'a dyn Fn(&Value) -> Option<ShardId>;

fn read_buckets(value: &Value, id: IdOf<'_>) -> Option<Buckets> {
    let count = usize::try_from(value.get("buckets")?.as_u64()?).ok()?;
    if value.get("hash")?.as_str()? != HASH || count == 0 {
        return None;
    }
    let mut owners = Vec::new();
    for run in value.get("owned")?.as_array()? {
        let [first, last, name] = run.as_array()?.as_slice() else { return None };
        let (first, last) = (first.as_u64()?, usize::try_from(last.as_u64()?).ok()?);
        // A gap or an overlap would leave a bucket without an owner, or with two.
        if first != owners.len() as u64 || last < owners.len() || last >= count {
            return None;
        }
        owners.resize(last + 1, id(name)?);
    }
    (owners.len() == count).then_some(Buckets { owners })
}

fn read_keys(value: &Value, kind: KeyKind, id: IdOf<'_>) -> Option<BTreeMap<ShardKey, ShardId>> {
    let mut keys = BTreeMap::new();
    for pair in value.as_array()? {
        let [key, name] = pair.as_array()?.as_slice() else { return None };
        let key = ShardKey::parse(kind, key.as_str()?).ok()?;
        if keys.insert(key, id(name)?).is_some() {
            return None;
        }
    }
    Some(keys)
}

impl fmt::Display for ShardMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match &self.placement {
            Placement::Hash(buckets) => format!("by hash over {} buckets", buckets.count()),
            Placement::Range(ranges) => format!("by {} ranges", ranges.starts.len() + 1),
            Placement::Lookup(lookup) => format!("by a table of {} keys", lookup.keys.len()),
        };
        write!(f, "version {}: {} shards, {by}", self.version, self.shards.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let grown = ShardMap::hashed(["a", "b"]).unwrap().with_shard("c").unwrap();
        let days = [(ShardKey::parse(KeyKind::Date, "2026-01-01").unwrap(), ShardId(1))].into();
        let ranges = Ranges { kind: KeyKind::Date, first: ShardId(0), starts: days };
        let shards = vec!["old".to_owned(), "new".to_owned()];
        let dated = ShardMap::checked(7, shards, Placement::Range(ranges)).unwrap();
        for map in [
            ShardMap::hashed(["a", "b", "c"]).unwrap(),
            grown,
            ShardMap::ranged("a", [(-5_i64, "b"), (10, "a")]).unwrap(),
            ShardMap::lookup([("C\"H", "a"), ("", "b")], Some("b")).unwrap(),
            dated,
        ] {
            let written = map.to_json().unwrap();
            assert_eq!(written.parse::<ShardMap>().unwrap(), map, "{written}");
        }
    }

    #[test]
    fn a_map_with_a_gap_an_overlap_or_another_hash_is_refused() {
        let written = ShardMap::hashed_over(8, ["a", "b"]).unwrap().to_json().unwrap();
        assert!(written.contains("[[0,3,\"a\"],[4,7,\"b\"]]"), "{written}");
        for (from, to) in [
            ("[4,7", "[5,7"),
            ("[4,7", "[3,7"),
            ("[4,7", "[4,8"),
            ("[4,7", "[4,6"),
            ("xxh64", "fnv1a"),
            ("\"version\":1", "\"version\":0"),
            ("[0,3,\"a\"]", "[0,3,\"x\"]"),
        ] {
            let broken = written.replace(from, to);
            assert_ne!(broken, written);
            assert!(broken.parse::<ShardMap>().is_err(), "{broken}");
        }
    }

    #[test]
    fn a_difference_says_how_much_and_no_key() {
        let map = ShardMap::hashed_over(8, ["a", "b"]).unwrap();
        let moved = map.with_buckets_on([3], ShardId(1)).unwrap();
        assert_eq!(
            map.difference(&moved).unwrap(),
            "1 buckets are elsewhere, bucket 3 on a here and on b there"
        );
        assert_eq!(map.difference(&map), None);
        let grown = map.with_shard("c").unwrap();
        assert_eq!(map.difference(&grown).unwrap(), "the shards are a, b here and a, b, c there");
    }
}
