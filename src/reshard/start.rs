//! The beginning of a move, or of a new epoch of the one that is under way.

use super::mover::Reshard;
use super::parties::Parties;
use super::record::{MoveStatus, MoveStep};
use super::routes::Routes;
use super::table::MovedTable;
use crate::backend::JobLock;
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::sharding::{ShardId, StoredMap};

/// The lock of who moves buckets, on the first shard: "rowmill" and a number.
const LOCK: i64 = 0x726f_776d_696c_6c01;

impl Reshard {
    pub(super) fn lock(&self) -> Result<Box<dyn JobLock>> {
        let home = Self::home();
        let lock = self.shards.at(home, self.shards.engine(home).lock_job(LOCK))?;
        lock.ok_or_else(|| {
            Error::new(ErrorKind::AlreadyRunning, "another process moves buckets of these shards")
                .with_hint("rowmill shards status shows where it stands")
        })
    }

    /// The record of the move to this map, if it is over and the map is stored on every shard.
    pub(super) fn already_done(&self) -> Result<Option<MoveStatus>> {
        let status = self.status()?.filter(|status| status.step == MoveStep::Done);
        let Some(status) = status.filter(|status| status.to == *self.shards.map()) else {
            return Ok(None);
        };
        self.shards.check()?;
        Ok(Some(status))
    }

    /// Begins a move, or a new epoch of the one that is under way.
    pub(super) fn begin(&self) -> Result<(Parties, MoveStatus)> {
        let last = self.status()?;
        let epoch = last.as_ref().map_or(0, |last| last.epoch) + 1;
        let status = match last.filter(|last| last.step.is_open()) {
            Some(open) => self.carry_on(open)?,
            None => self.anew()?,
        };
        let status = MoveStatus { epoch, ..status };
        let routes = Routes::between(&status.from, &status.to)?;
        let tables = self.tables_of(&routes, &status.tables)?;
        // ORDER: the first shard first, whose record counts.
        let home = Self::home();
        let others = [routes.givers(), routes.takers()].concat();
        for shard in [home].into_iter().chain(others.into_iter().filter(|shard| *shard != home)) {
            let engine = self.shards.engine(shard);
            self.shards.at(shard, engine.atomically(|connection| status.write(connection)))?;
        }
        let (shards, stop) = (self.shards.clone(), self.stop.clone());
        let parties =
            Parties { shards, routes, tables, epoch: status.epoch, stop, retry: self.retry };
        Ok((parties, status))
    }

    /// The move that is under way, if it is this one.
    fn carry_on(&self, open: MoveStatus) -> Result<MoveStatus> {
        let refused = |message: String| Err(Error::new(ErrorKind::Config, message));
        let version = open.to.version();
        if open.to != *self.shards.map() {
            let difference = self.shards.map().difference(&open.to).unwrap_or_default();
            return refused(format!(
                "a move to another map of version {version} is under way: {difference}"
            ));
        }
        if !self.tables.is_empty() && self.tables != open.tables {
            return refused(format!("the move to version {version} was begun with other tables"));
        }
        Ok(open)
    }

    /// A move that begins, where every shard has the map that it begins from.
    fn anew(&self) -> Result<MoveStatus> {
        if self.tables.is_empty() {
            return Err(Error::new(ErrorKind::Config, "no table is named whose rows are moved")
                .with_hint("name all tables that are spread by the map, each with its shard key"));
        }
        let to = self.shards.map();
        let stored = |shard: ShardId| {
            let read = self.shards.engine(shard).with(Intent::Write, StoredMap::read);
            self.shards.at(shard, read)
        };
        let from = stored(Self::home())?.map(|stored| stored.map).ok_or_else(|| {
            Error::new(ErrorKind::Shard, "no map of shards is stored on the first shard")
        })?;
        Routes::between(&from, to)?;
        for shard in to.ids() {
            let name = to.name_of(shard);
            let agrees = match (stored(shard)?, from.shard_named(name)) {
                (Some(stored), _) => stored.agrees(name, &from),
                (None, Some(_)) => {
                    Err(Error::new(ErrorKind::Shard, "no map of shards is stored on this database"))
                }
                (None, None) => Ok(()),
            };
            self.shards.at(shard, agrees)?;
        }
        Ok(MoveStatus::new(from, to.clone(), self.tables.clone()))
    }

    /// The tables as they are on the shards that give, which have to be the same on those that take.
    fn tables_of(&self, routes: &Routes, named: &[(String, String)]) -> Result<Vec<MovedTable>> {
        let find = |shard: ShardId, number: usize, (table, key): &(String, String)| {
            let found = self
                .shards
                .engine(shard)
                .with(Intent::Write, |connection| MovedTable::find(connection, number, table, key));
            self.shards.at(shard, found)
        };
        let Some(&first) = routes.givers().first() else { return Ok(Vec::new()) };
        let mut tables = Vec::new();
        for (number, named) in (1..).zip(named) {
            let table = find(first, number, named)?;
            for shard in [routes.givers(), routes.takers()].concat() {
                self.shards.at(shard, find(shard, number, named)?.takes(&table))?;
            }
            tables.push(table);
        }
        Ok(tables)
    }
}
