//! Engines of all shards.

use super::builder::ShardedEngineBuilder;
use super::key::ShardKey;
use super::map::ShardMap;
use super::placement::ShardId;
use super::stored::{self, StoredMap};
use crate::backend::Connection;
use crate::engine::{Engine, Executor, Intent};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::column::Column;
use crate::mapping::sharded::Sharded;
use crate::pool::Budget;
use crate::query::ToValue;
use crate::workers::Workers;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Several databases that share the rows of their tables: an [`Engine`] for each, and the map that
/// says which row is where. It is made once; all clones are one engine.
///
/// ```
/// use rowmill::{Engine, ShardMap, ShardedEngine};
/// # let folder = std::env::temp_dir().join(format!("rowmill-shards-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
/// let map = ShardMap::hashed(["north", "south"])?;
/// let shards = ShardedEngine::open(map, [("north", url("n.db")), ("south", url("s.db"))])?;
/// let shard = shards.shard_of(42_i64)?;
/// assert_eq!(shards.map().name_of(shard), "south");
/// shards.engine(shard).run("create table if not exists customer (id integer primary key)")?;
/// # drop(shards);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone)]
pub struct ShardedEngine {
    shared: Arc<Shared>,
}

struct Shared {
    map: ShardMap,
    shards: Vec<Shard>,
    workers: Workers,
    budget: Option<Budget>,
}

struct Shard {
    engine: Engine,
    /// Whether the map that it has was found to be ours.
    agrees: AtomicBool,
}

impl ShardedEngine {
    /// Starts an engine for the shards of `map`.
    pub fn builder(map: ShardMap) -> ShardedEngineBuilder {
        ShardedEngineBuilder::new(map)
    }

    /// An engine for the shards of `map`, each with the URL of its database, which is
    /// [checked](Self::check).
    ///
    /// # Errors
    /// As [`ShardedEngineBuilder::build`] and [`check`](Self::check).
    #[track_caller]
    pub fn open<N: Into<String>, U: AsRef<str>>(
        map: ShardMap,
        urls: impl IntoIterator<Item = (N, U)>,
    ) -> Result<Self> {
        let builder = Self::builder(map);
        let builder = urls
            .into_iter()
            .fold(builder, |builder, (name, url)| builder.shard(name, url.as_ref()));
        let engine = builder.build()?;
        engine.check()?;
        Ok(engine)
    }

    pub(super) fn of(map: ShardMap, engines: Vec<Engine>, budget: Option<Budget>) -> Result<Self> {
        let workers = Workers::new(engines.len().min(MOST_WORKERS))?;
        let shard = |engine| Shard { engine, agrees: AtomicBool::new(false) };
        let shards = engines.into_iter().map(shard).collect();
        Ok(Self { shared: Arc::new(Shared { map, shards, workers, budget }) })
    }

    /// The map.
    pub fn map(&self) -> &ShardMap {
        &self.shared.map
    }

    /// The newest map that is stored on any shard: what a program takes that was refused because its
    /// own is older, see [`with_map`](Self::with_map). While one is published, it is not on all of them
    /// for a moment.
    ///
    /// # Errors
    /// `Shard` if none is stored, or one cannot be read; as [`Engine::get`], of the first shard that
    /// fails.
    #[track_caller]
    pub fn stored_map(&self) -> Result<ShardMap> {
        let stored = self.on_each(&self.ids().collect::<Vec<_>>(), |_, engine| {
            engine.with(Intent::Write, StoredMap::read)
        })?;
        let stored = stored.into_iter().collect::<Result<Vec<_>>>()?;
        let maps = stored.into_iter().flatten().map(|stored| stored.map);
        maps.max_by_key(ShardMap::version).ok_or_else(stored::missing)
    }

    /// Begins an engine for another map, with the connections of this one. Shards that are new are named
    /// there; those that are not in the map are left out.
    pub fn with_map(&self, map: ShardMap) -> ShardedEngineBuilder {
        let known = self.ids().filter(|id| map.shard_named(self.name(*id)).is_some());
        let known: Vec<_> =
            known.map(|id| (self.name(id).to_owned(), self.engine(id).clone())).collect();
        let builder = Self::builder(map);
        known
            .into_iter()
            .fold(builder, |builder, (name, engine)| builder.shard_engine(name, engine))
    }

    /// The first shard of the map, which stays the first one whatever comes after it.
    pub(crate) fn first() -> ShardId {
        ShardId(0)
    }

    /// The shards.
    pub fn ids(&self) -> impl Iterator<Item = ShardId> + use<> {
        self.map().ids()
    }

    /// The engine of a shard: for what belongs to that shard alone. What is written through it is
    /// not held against the map.
    ///
    /// A [`ShardId`] of another map may be none of this one; it then means the last shard.
    pub fn engine(&self, shard: ShardId) -> &Engine {
        &self.shard(shard).engine
    }

    fn shard(&self, shard: ShardId) -> &Shard {
        let shards = &self.shared.shards;
        &shards[shard.index().min(shards.len() - 1)]
    }

    /// The budget of connections that all shards share, if there is one.
    pub fn budget(&self) -> Option<&Budget> {
        self.shared.budget.as_ref()
    }

    pub(super) fn workers(&self) -> &Workers {
        &self.shared.workers
    }

    /// The shard on which rows with this key are.
    ///
    /// # Errors
    /// As [`ShardMap::shard_of`].
    pub fn shard_of(&self, key: impl ToValue) -> Result<ShardId> {
        self.map().shard_of(key)
    }

    /// The shard of an entity.
    ///
    /// # Errors
    /// As [`ShardMap::shard_of`], with the column.
    pub fn shard_of_entity<E: Sharded>(&self, entity: &E) -> Result<ShardId> {
        ShardColumn::of::<E>()?.shard_of(entity, self.map())
    }

    /// Asks every shard which map it has, all at once, and stores this one where none of them has
    /// any: the first time. It is what makes a shard that is down, swapped with another one or on
    /// another map show at the start of a program; each is also asked before it is first used.
    ///
    /// # Errors
    /// `Shard` if a shard has another map, with the difference, or none where others have one; as
    /// [`Engine::get`], of the first shard that fails.
    #[track_caller]
    pub fn check(&self) -> Result<()> {
        let stored = self.on_each(&self.ids().collect::<Vec<_>>(), |_, engine| {
            engine.with(Intent::Write, StoredMap::read)
        })?;
        let stored = stored.into_iter().collect::<Result<Vec<_>>>()?;
        if stored.iter().all(Option::is_none) {
            return self.publish();
        }
        for (shard, stored) in self.ids().zip(stored) {
            let stored = stored.ok_or_else(stored::missing);
            let agrees = stored.and_then(|stored| stored.agrees(self.name(shard), self.map()));
            self.at(shard, agrees)?;
            self.shard(shard).agrees.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Stores the map on every shard, in the place of an older version, and moves no row: whoever
    /// publishes another placement has moved them, or has none yet. Writers of the older version
    /// are waited for, and refused from then on.
    ///
    /// # Errors
    /// `Shard` if a shard has a newer version, or is another one; as [`Engine::get`], `Database` or
    /// `Disconnect`, of the first shard that fails. Doing it again goes on where it ended.
    #[track_caller]
    pub fn publish(&self) -> Result<()> {
        let done = self.on_each(&self.ids().collect::<Vec<_>>(), |shard, engine| {
            engine.atomically(|connection| self.store_map(shard, connection))
        })?;
        for (shard, done) in self.ids().zip(done) {
            done?;
            self.shard(shard).agrees.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Stores the map on a shard, in a transaction of the caller.
    pub(crate) fn store_map(&self, shard: ShardId, connection: &mut dyn Connection) -> Result<()> {
        stored::store(connection, self.name(shard), self.map())
    }

    /// Does `work` on a shard in a transaction of its own, in which the map of the shard cannot
    /// change: it holds as a whole, or not at all.
    ///
    /// # Errors
    /// `Shard` if the shard has another map, with the difference; what `work` returns; as
    /// [`Executor::atomically`].
    #[track_caller]
    pub fn atomically_on<T>(
        &self,
        shard: ShardId,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        let done = self.engine(shard).atomically(|connection| {
            self.hold_map(shard, connection)?;
            work(connection)
        });
        self.at(shard, done)
    }

    /// Holds the map of a shard until the transaction ends, if it is ours.
    pub(crate) fn hold_map(&self, shard: ShardId, connection: &mut dyn Connection) -> Result<()> {
        if !self.shard(shard).agrees.load(Ordering::Acquire) {
            // Without the table, holding it would abort the transaction with less to say.
            self.look(shard, connection)?;
        }
        let stored = StoredMap::hold(connection)?.ok_or_else(stored::missing);
        let agrees = stored.and_then(|stored| stored.agrees(self.name(shard), self.map()));
        self.shard(shard).agrees.store(agrees.is_ok(), Ordering::Release);
        agrees
    }

    /// Does `work` on a connection of a shard that is only read from, perhaps of a replica; again on
    /// another one where a replica could not go on; by the deadline it is done, or has failed.
    pub(crate) fn read_on<T>(
        &self,
        shard: ShardId,
        deadline: Option<Instant>,
        mut work: impl FnMut(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        let done = self
            .engine(shard)
            .read_until(deadline, |connection| self.reading(shard, connection, &mut work));
        self.at(shard, done)
    }

    /// Does `work` on a connection to the primary of a shard, in no transaction.
    pub(crate) fn with_on<T>(
        &self,
        shard: ShardId,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        let done = self
            .engine(shard)
            .with(Intent::Write, |connection| self.reading(shard, connection, work));
        self.at(shard, done)
    }

    /// Does `work`, which reads, and then looks whether the shard has our map.
    fn reading<T>(
        &self,
        shard: ShardId,
        connection: &mut dyn Connection,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        if !self.shard(shard).agrees.load(Ordering::Acquire) {
            self.look(shard, connection)?;
        }
        let value = work(connection)?;
        self.look_behind(shard, connection)?;
        Ok(value)
    }

    /// Looks whether a shard still has our map, behind what was read from it: rows leave a shard
    /// after it was given a newer map, and come to one as it is, so that what was read before is
    /// all that belongs there.
    pub(crate) fn look_behind(
        &self,
        shard: ShardId,
        connection: &mut dyn Connection,
    ) -> Result<()> {
        let agreed = self.shard(shard).agrees.load(Ordering::Acquire);
        if agreed && StoredMap::version(connection)? == Some(self.map().version()) {
            return Ok(());
        }
        self.shard(shard).agrees.store(false, Ordering::Release);
        self.look(shard, connection)
    }

    /// Looks whether a shard has our map.
    fn look(&self, shard: ShardId, connection: &mut dyn Connection) -> Result<()> {
        let stored = StoredMap::read(connection)?.ok_or_else(stored::missing)?;
        stored.agrees(self.name(shard), self.map())?;
        self.shard(shard).agrees.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether a shard has our map, or none yet.
    #[cfg(feature = "cli")]
    pub(crate) fn agrees(&self, shard: ShardId) -> Result<()> {
        let looked = self.engine(shard).is_there().and_then(|is_there| {
            if !is_there {
                return Ok(());
            }
            self.engine(shard).with(Intent::Write, |connection| {
                match StoredMap::read(connection)? {
                    Some(stored) => stored.agrees(self.name(shard), self.map()),
                    None => Ok(()),
                }
            })
        });
        self.at(shard, looked)
    }

    pub(crate) fn name(&self, shard: ShardId) -> &str {
        self.map().name_of(shard)
    }

    /// Names the shard in an error.
    pub(crate) fn at<T>(&self, shard: ShardId, done: Result<T>) -> Result<T> {
        done.locate(|place| place.shard = Some(self.name(shard).to_owned()))
    }

    /// Closes the idle connections of all shards and turns away everybody who waits or comes.
    pub fn dispose(&self) {
        self.shared.shards.iter().for_each(|shard| shard.engine.dispose());
    }
}

/// So many threads serve all shards; more shards take turns.
const MOST_WORKERS: usize = 64;

/// The column of an entity that is its shard key, looked up once for many rows.
#[derive(Debug)]
pub(crate) struct ShardColumn {
    index: usize,
    column: Column,
}

impl ShardColumn {
    pub(crate) fn of<E: Sharded>() -> Result<Self> {
        let columns = E::columns()?.into_iter().enumerate();
        let name = E::shard_key();
        let found = columns.into_iter().find(|(_, column)| Some(column.name.as_str()) == name);
        let (index, column) = found.ok_or_else(|| {
            Error::new(ErrorKind::Config, "the shard key of an entity is none of its columns")
        })?;
        Ok(Self { index, column })
    }

    /// The shard of an entity.
    pub(crate) fn shard_of<E: Sharded>(&self, entity: &E, map: &ShardMap) -> Result<ShardId> {
        let mut packed = Vec::new();
        let there = entity.pack_field(self.index, &self.column.column_type, &mut packed)?;
        let key = if there {
            ShardKey::of_packed(&self.column.column_type, &packed)
        } else {
            Err(Error::new(ErrorKind::Config, "a shard key is NULL: such a row has no shard"))
        };
        let shard = key.and_then(|key| map.shard_of_key(&key));
        shard.locate(|place| place.column = Some(self.column.name.as_str().to_owned()))
    }
}

impl fmt::Debug for ShardedEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engines: Vec<_> = self.shared.shards.iter().map(|shard| &shard.engine).collect();
        f.debug_struct("ShardedEngine")
            .field("version", &self.map().version())
            .field("engines", &engines)
            .finish_non_exhaustive()
    }
}
