//! From the shards of a job file to their engines and their map.

use super::contact::PATIENCE;
use super::job_file::ShardsSpec;
use crate::engine::{Engine, EngineBuilder, Executor, Intent};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::sharding::{ShardMap, ShardedEngine, StoredMap};
use std::thread;

/// A shard as the job file names it.
struct Named {
    /// Its name in the file, or else in its database.
    name: Option<String>,
    engine: Engine,
    stored: Result<Option<StoredMap>>,
}

/// The engines of all shards, by the newest map that one of them has. Where none has any, all have
/// names and `create` says so, keys are spread evenly by hash; then it is `true` that the map has to
/// be stored.
///
/// # Errors
/// `Url`; `Shard` if no map is stored; `Config` if the shards are not those of the map; `Connect` if
/// too many cannot be reached to know which is which.
pub(super) fn open(
    spec: &ShardsSpec,
    create: bool,
    change: impl Fn(EngineBuilder) -> EngineBuilder,
) -> Result<(ShardedEngine, bool)> {
    let mut shards = Vec::new();
    for (name, url) in &spec.urls {
        let engine = change(Engine::builder(url)).build();
        let engine = engine.locate(|place| place.shard.clone_from(name))?;
        shards.push(Named { name: name.clone(), engine, stored: Ok(None) });
    }
    ask_all(&mut shards)?;
    let newest = shards.iter().filter_map(|shard| shard.stored.as_ref().ok()?.as_ref());
    let newest = newest.map(|stored| stored.map.clone()).max_by_key(ShardMap::version);
    let is_new = newest.is_none();
    let map = match newest {
        Some(map) => map,
        None => new_map(&mut shards, create)?,
    };
    name_all(&mut shards, &map)?;
    let mut builder = ShardedEngine::builder(map);
    for shard in shards {
        builder = builder.shard_engine(shard.name.unwrap_or_default(), shard.engine);
    }
    Ok((builder.build()?, is_new))
}

/// Asks all of them at once which map they have: one that is away costs seconds.
fn ask_all(shards: &mut [Named]) -> Result<()> {
    thread::scope(|scope| {
        for shard in shards {
            thread::Builder::new()
                .name("rowmill-shard".to_owned())
                .spawn_scoped(scope, || shard.stored = stored(&shard.engine))
                .map_err(|error| {
                    Error::new(ErrorKind::Config, "a thread cannot be started").with_source(error)
                })?;
        }
        Ok(())
    })
}

fn stored(engine: &Engine) -> Result<Option<StoredMap>> {
    if !engine.is_there()? {
        return Ok(None);
    }
    engine.reach(PATIENCE)?;
    engine.with(Intent::Write, StoredMap::read)
}

fn new_map(shards: &mut [Named], create: bool) -> Result<ShardMap> {
    for shard in &mut *shards {
        // Of one that cannot be asked nobody knows whether it has one.
        std::mem::replace(&mut shard.stored, Ok(None))
            .locate(|place| place.shard.clone_from(&shard.name))?;
    }
    let names: Option<Vec<_>> = shards.iter().map(|shard| shard.name.clone()).collect();
    match names.filter(|_| create) {
        Some(names) => ShardMap::hashed(names),
        None => Err(Error::new(ErrorKind::Shard, "no map of shards is stored on the shards")
            .with_hint(
                "store one by ShardedEngine::check, or name the shards, \"NAME=URL\", with create = \
                 true, to spread keys evenly by hash",
            )),
    }
}

/// Gives each its name: that of the file, that of its database, or the only one that is left.
fn name_all(shards: &mut [Named], map: &ShardMap) -> Result<()> {
    for shard in &mut *shards {
        if let (None, Ok(Some(stored))) = (&shard.name, &shard.stored) {
            shard.name = Some(stored.shard.clone());
        }
    }
    let known: Vec<_> = shards.iter().filter_map(|shard| shard.name.clone()).collect();
    let mut left = map.shards().iter().filter(|name| !known.contains(name));
    let mut nameless = shards.iter_mut().filter(|shard| shard.name.is_none());
    match (nameless.next(), nameless.next()) {
        (None, _) => Ok(()),
        (Some(only), None) => {
            only.name = left.next().cloned();
            Ok(())
        }
        (Some(one), Some(_)) => {
            let hint = "name the shards in the job file, \"NAME=URL\"";
            let message = "shards have no map, so that nothing says which is which";
            let unnamed = || Error::new(ErrorKind::Shard, message).with_hint(hint);
            Err(std::mem::replace(&mut one.stored, Ok(None)).err().unwrap_or_else(unnamed))
        }
    }
}
