//! By what rows are spread.

use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::nearest::nearest;
use crate::sharding::{KeyKind, ShardId, ShardKey, ShardMap};
use crate::sink::destination::Destination;
use crate::sink::mode::Mode;

/// The name of the map in what a job was declared as.
pub(in crate::batch) const SHARD_MAP: &str = "shard map";

/// A column of the target, and the map that says on which shard its values are.
#[derive(Debug)]
pub(in crate::batch) struct Spread {
    /// The name of the column.
    pub(in crate::batch) key: String,
    pub(super) map: ShardMap,
    /// The map as a text.
    pub(in crate::batch) written: String,
}

impl Spread {
    /// By `key`, which must be a column that rows of `target` carry.
    ///
    /// # Errors
    /// `Config` if it is none, or no shard key; `Unsupported` if rows of such a target are not
    /// spread.
    pub(super) fn of(key: Option<&str>, map: &ShardMap, target: &Destination) -> Result<Self> {
        let Destination::Table(table) = target else {
            return Err(Error::new(ErrorKind::Unsupported, "a file is not spread over shards")
                .with_hint("run the job on the ledger of the file"));
        };
        if matches!(table.mode, Mode::Mirror | Mode::Replace) {
            let message = format!(
                "mode {} is not for shards: its end would have to hold on all of \
                them at once",
                table.mode
            );
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("use append, insert-ignore or upsert"));
        }
        let key = key.ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "nothing says by which column rows are spread over shards",
            )
            .with_hint("mark a field with #[entity(shard_key)], or name the column: shard_key")
        })?;
        let columns = || target.columns().iter();
        let column = columns().find(|column| column.name.as_str() == key).ok_or_else(|| {
            let near = nearest(key, columns().map(|column| column.name.as_str()));
            let error = Error::new(
                ErrorKind::Config,
                format!("the shard key {key:?} is none of the columns"),
            );
            match near {
                Some(near) => error.with_hint(format!("did you mean {near}?")),
                None => error.with_hint("name a column that rows carry"),
            }
        })?;
        KeyKind::of(&column.column_type)
            .map_err(|error| error.locate(|place| place.column = Some(key.to_owned())))?;
        let (key, map) = (key.to_owned(), map.clone());
        let written = map.to_json()?;
        Ok(Self { key, map, written })
    }

    /// The shard of a row with this value in the column.
    pub(super) fn shard_of(&self, column: &Column, value: Option<&[u8]>) -> Result<ShardId> {
        let null = || Error::new(ErrorKind::Config, "the shard key is NULL: the row has no shard");
        let key = ShardKey::of_packed(&column.column_type, value.ok_or_else(null)?)?;
        self.map.shard_of_key(&key)
    }
}

/// How a map differs from the one that a job began with.
pub(in crate::batch) fn moved(old: &str, new: &str) -> String {
    let maps = old.parse::<ShardMap>().and_then(|old| Ok((old, new.parse::<ShardMap>()?)));
    let Ok((old, new)) = maps else { return "the shard map is another".to_owned() };
    let difference = new.difference(&old).unwrap_or_else(|| "it is written otherwise".to_owned());
    format!(
        "the shard map is version {} here, and was version {} there, when it began: {difference}",
        new.version(),
        old.version()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_changed_is_told_with_both_versions_and_the_buckets() {
        let old = ShardMap::hashed_over(8, ["a", "b"]).unwrap();
        let b = old.shard_named("b").unwrap();
        let new = old.with_buckets_on([3], b).unwrap();
        assert_eq!(
            moved(&old.to_json().unwrap(), &new.to_json().unwrap()),
            "the shard map is version 2 here, and was version 1 there, when it began: \
             1 buckets are elsewhere, bucket 3 on b here and on a there"
        );
    }
}
