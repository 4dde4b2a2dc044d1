//! A query for the shards, and what they had to say.

use super::cell_key::CellKey;
use super::cells::OwnCell;
use super::gathered::{Gathered, Missing, OnShardError};
use super::merge::{Merge, Row};
use super::{fold, plain, reach};
use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::param::Param;
use crate::query::{Distinct, Query, Select, Statement, Value, render};
use crate::sharding::engine::ShardedEngine;
use crate::sharding::placement::ShardId;
use crate::sqlstate::{Class, SqlState};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// A query for the shards of an engine: what [`Query::scatter`] makes.
///
/// It goes to the shards that its conditions on the shard key leave (`eq`, `is_in`), to all of them
/// otherwise, all at once. Rows come in the order that is asked for; without one those of a shard are
/// together. Texts are ordered by their bytes, whatever the collations of the databases. Each shard
/// is read as of its own moment.
#[derive(Debug)]
#[must_use = "it asks nobody until `all` or another method is called"]
pub struct Scatter<'a, S, R> {
    query: Query<S, R>,
    shards: &'a ShardedEngine,
    on_error: OnShardError,
    within: Option<Duration>,
}

impl<S, R: Send> Query<S, R> {
    /// The same query, for several shards.
    ///
    /// ```
    /// use rowmill::{Entity, Find, ShardMap, ShardedEngine, count_all};
    /// #[derive(Entity)]
    /// struct Sale {
    ///     #[entity(shard_key)]
    ///     customer: i64,
    ///     country: String,
    ///     cents: i64,
    /// }
    /// # let folder = std::env::temp_dir().join(format!("rowmill-scatter-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
    /// let map = ShardMap::hashed(["north", "south"])?;
    /// let shards = ShardedEngine::open(map, [("north", url("n.db")), ("south", url("s.db"))])?;
    /// for shard in shards.ids() {
    ///     let table = "create table sale (customer integer, country text, cents integer)";
    ///     shards.engine(shard).run(table)?;
    /// }
    /// let top = Sale::query().order_by(Sale::cents.desc()).limit(100).scatter(&shards).all()?;
    /// let by_country = Sale::query()
    ///     .group_by(Sale::country)
    ///     .select((Sale::country, count_all::<Sale>(), Sale::cents.avg()))
    ///     .scatter(&shards)
    ///     .all()?;
    /// # assert!(top.is_empty() && by_country.is_empty());
    /// # drop(shards);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn scatter<'a>(&self, shards: &'a ShardedEngine) -> Scatter<'a, S, R> {
        Scatter { query: self.clone(), shards, on_error: OnShardError::Fail, within: None }
    }
}

impl<S, R: Send> Scatter<'_, S, R> {
    /// Sets what becomes of the query when a shard does not answer. Default: it fails.
    pub fn on_error(mut self, policy: OnShardError) -> Self {
        self.on_error = policy;
        self
    }

    /// Sets how long a shard may take to answer. Default: as long as its options allow.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = Some(limit);
        self
    }

    /// All rows.
    ///
    /// # Errors
    /// The error of the first shard that fails, whatever the policy; `Unsupported` if the query
    /// cannot be put to several shards; `Shard` if one has another map; as
    /// [`Query::all`](crate::Query::all).
    #[track_caller]
    pub fn all(&self) -> Result<Vec<R>> {
        self.gather()?.complete()
    }

    /// All rows of the shards that answered.
    ///
    /// # Errors
    /// As [`all`](Self::all); with [`OnShardError::Partial`] a shard that cannot be reached, is too
    /// slow or has another map is in [`missing`](Gathered::missing) instead, unless all of them are.
    #[track_caller]
    pub fn gather(&self) -> Result<Gathered<Vec<R>>> {
        let select = &self.query.select;
        let targets = reach::shards_of(select, self.shards.map())?;
        if targets.len() > 1 {
            reach::check(select)?;
            if fold::is_needed(select) {
                return self.folded(&targets);
            }
            return self.merged(&targets);
        }
        self.ask(&targets, |connection| {
            let mut rows = Vec::new();
            read(connection, select, &mut |row| {
                rows.push(self.query.read.cells(&mut |index| row.cell(index))?);
                Ok(())
            })?;
            Ok(rows)
        })
        .map(|gathered| gathered.map(|parts| parts.into_iter().flatten().collect()))
    }

    /// The first row; `None` if there is none. Only an order says which one that is.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn first(&self) -> Result<Option<R>> {
        let mut query = self.query.clone();
        query.select.limit = Some(query.select.limit.map_or(1, |limit| limit.min(1)));
        let first = Scatter { query, ..*self };
        Ok(first.all()?.into_iter().next())
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    #[track_caller]
    pub fn count(&self) -> Result<u64> {
        self.gather_count()?.complete()
    }

    /// How many rows the shards have that answered.
    ///
    /// # Errors
    /// As [`gather`](Self::gather).
    #[track_caller]
    pub fn gather_count(&self) -> Result<Gathered<u64>> {
        let select = &self.query.select;
        let targets = reach::shards_of(select, self.shards.map())?;
        let whole = select.group_by.is_empty() && matches!(select.distinct, Distinct::No);
        if targets.len() > 1 {
            reach::check(select)?;
            if !whole {
                return Ok(self.gather()?.map(|rows| rows.len() as u64));
            }
        }
        let mut each = select.clone();
        if targets.len() > 1 {
            // What is left out, and what is too much, is that of the sum.
            (each.limit, each.offset) = (None, None);
        }
        let counts = self.ask(&targets, |connection| {
            let statement = render::count(&each, connection.capabilities().dialect)?;
            let mut count = 0;
            run(connection, &statement, &mut |row| {
                count = i64::unpack(row.cell(0)?)? as u64;
                Ok(())
            })?;
            Ok(count)
        })?;
        let several = targets.len() > 1;
        Ok(counts.map(|counts| {
            let sum: u64 = counts.into_iter().sum();
            if !several {
                return sum;
            }
            let behind = sum.saturating_sub(select.offset.unwrap_or(0));
            behind.min(select.limit.unwrap_or(u64::MAX))
        }))
    }

    fn merged(&self, targets: &[ShardId]) -> Result<Gathered<Vec<R>>> {
        let select = &self.query.select;
        let each = plain::on_each(select)?;
        let directions = plain::directions(select);
        let once = matches!(select.distinct, Distinct::Rows);
        let parts = self.ask(targets, |connection| {
            let mut rows = Vec::new();
            read(connection, &each, &mut |row| {
                rows.push(self.merged_row(row, directions.len(), once)?);
                Ok(())
            })?;
            Ok(rows)
        })?;
        let offset = usize::try_from(select.offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let limit =
            select.limit.map_or(usize::MAX, |rows| usize::try_from(rows).unwrap_or(usize::MAX));
        Ok(parts.map(|parts| {
            let mut seen = HashSet::new();
            Merge::new(parts, &directions)
                .map(|row| row.value)
                .filter(|(identity, _)| !once || seen.insert(identity.clone()))
                .skip(offset)
                .take(limit)
                .map(|(_, row)| row)
                .collect()
        }))
    }

    /// A row with what it is ordered by, which its last cells are, and with what tells it from
    /// others where each is wanted once.
    fn merged_row(
        &self,
        row: &dyn RowRef,
        keys: usize,
        once: bool,
    ) -> Result<Row<(Vec<CellKey>, R)>> {
        let own = row.len() - keys;
        let order = (own..row.len()).map(|index| CellKey::to_sort(row.cell(index)?));
        let order = order.collect::<Result<_>>()?;
        let mut identity = Vec::new();
        if once {
            for index in 0..own {
                identity.push(CellKey::of(row.cell(index)?)?);
            }
        }
        let value = self.query.read.cells(&mut |index| row.cell(index))?;
        Ok(Row { order, value: (identity, value) })
    }

    fn folded(&self, targets: &[ShardId]) -> Result<Gathered<Vec<R>>> {
        let plan = fold::Plan::of(&self.query.select)?;
        let parts = self.ask(targets, |connection| {
            let mut part = Vec::new();
            for select in std::iter::once(&plan.groups).chain(&plan.distinct) {
                let mut rows = Vec::new();
                read(connection, select, &mut |row| {
                    rows.push(OwnCell::row(row)?);
                    Ok(())
                })?;
                part.push(rows);
            }
            Ok(part)
        })?;
        let Gathered { found, asked, missing } = parts;
        let rows = plan.fold(found)?;
        let read = |row: &Vec<OwnCell>| {
            self.query.read.cells(&mut |index| {
                let cell = row.get(index).map(OwnCell::cell);
                cell.ok_or_else(|| Error::new(ErrorKind::Internal, "a column is missing"))
            })
        };
        let found = rows.iter().map(read).collect::<Result<_>>()?;
        Ok(Gathered { found, asked, missing })
    }

    /// Asks each of the shards, and keeps to the policy.
    #[track_caller]
    fn ask<T: Send>(
        &self,
        targets: &[ShardId],
        ask: impl Fn(&mut dyn Connection) -> Result<T> + Sync,
    ) -> Result<Gathered<Vec<T>>> {
        let deadline = self.within.and_then(|limit| Instant::now().checked_add(limit));
        let answers = self.shards.on_each(targets, |shard, _| {
            self.shards.read_on(shard, deadline, |connection| ask(connection))
        })?;
        let mut gathered =
            Gathered { found: Vec::new(), asked: targets.len(), missing: Vec::new() };
        for (shard, answer) in targets.iter().zip(answers) {
            match answer {
                Ok(found) => gathered.found.push(found),
                Err(error) if self.may_be_missing(&error) => {
                    let shard = self.shards.map().name_of(*shard).to_owned();
                    gathered.missing.push(Missing { shard, error });
                }
                Err(error) => return Err(error),
            }
        }
        if gathered.found.is_empty() {
            gathered.complete().map(|found| Gathered { found, asked: 0, missing: Vec::new() })
        } else {
            Ok(gathered)
        }
    }

    /// A statement that is wrong is wrong on every shard; nobody is to take that for a shard that is
    /// down.
    fn may_be_missing(&self, error: &Error) -> bool {
        let is_cancelled = error.sqlstate() == SqlState::parse("57014");
        let is_absent =
            matches!(error.class(), Class::Transient | Class::Disconnect | Class::Unavailable)
                || error.kind() == ErrorKind::Shard
                || (self.within.is_some() && is_cancelled);
        self.on_error == OnShardError::Partial && is_absent
    }
}

fn read(
    connection: &mut dyn Connection,
    select: &Select,
    each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
) -> Result<()> {
    let statement = render::select(select, connection.capabilities().dialect)?;
    run(connection, &statement, each)
}

fn run(
    connection: &mut dyn Connection,
    statement: &Statement,
    each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
) -> Result<()> {
    let params: Vec<Param<'_>> = statement.values.iter().map(Value::param).collect();
    connection.query(&statement.sql, &params, each)
}
