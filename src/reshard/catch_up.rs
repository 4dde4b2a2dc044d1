//! The rows that changed while others were copied.

use super::parties::Parties;
use super::table::{Key, MovedTable};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::rows::{Fields, Rows};
use crate::sharding::{ShardId, ShardKey};
use std::collections::HashSet;

/// So many changes of a table are brought over in one transaction.
const CHANGES_AT_ONCE: usize = 500;

/// What a round came to.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// How many changes were seen to.
    pub(super) settled: u64,
    /// How many rows were written or deleted.
    pub(super) rows: u64,
}

impl Round {
    /// Whether there is little left to do.
    pub(super) fn is_near(&self) -> bool {
        self.settled < CHANGES_AT_ONCE as u64
    }
}

/// The oldest changes of a table, and the rows as they are now.
struct Changes {
    numbers: Vec<i64>,
    keys: Vec<Key>,
    /// For each change its row among `rows`.
    places: Vec<Option<usize>>,
    rows: Rows,
    /// For each row which way it goes; `None` if it stays.
    ways: Vec<Option<(ShardId, ShardId)>>,
}

/// Brings the oldest changes of each table of the shard `from` to the stages of those that take.
///
/// # Errors
/// As [`Parties::write`]; `Shard` if two shards have rows of one key.
pub(super) fn round(parties: &Parties, from: ShardId) -> Result<Round> {
    let mut round = Round::default();
    for table in &parties.tables {
        let changes = read(parties, from, table)?;
        for to in parties.takers_of(from) {
            round.rows += bring(parties, (from, to), table, &changes)?;
        }
        if !changes.numbers.is_empty() {
            // ORDER: behind the commits of the shards that take. Done again, all of it is the same.
            parties.write(from, |connection| {
                let rows = table.rows(connection.capabilities().dialect);
                connection.run(&rows.forget(&changes.numbers)?)
            })?;
        }
        round.settled += changes.numbers.len() as u64;
    }
    Ok(round)
}

fn read(parties: &Parties, from: ShardId, table: &MovedTable) -> Result<Changes> {
    parties.read(from, |connection| {
        let rows = table.rows(connection.capabilities().dialect);
        let (sql, types) = (rows.changed(CHANGES_AT_ONCE)?, rows.changed_types());
        let mut changes = Changes {
            numbers: Vec::new(),
            keys: Vec::new(),
            places: Vec::new(),
            rows: Rows::new(table.columns.len() as u16),
            ways: Vec::new(),
        };
        connection.unload(&sql, &types, &mut |row| {
            if let Some(fault) = row.fault {
                return Err(fault.error).locate(|place| place.table = Some(table.table.plain()));
            }
            changes.take(parties, table, &row.fields)
        })?;
        Ok(changes)
    })
}

impl Changes {
    /// Notes a change: its number, the key, and all columns of the row.
    fn take(&mut self, parties: &Parties, table: &MovedTable, fields: &Fields<'_>) -> Result<()> {
        let mut fields = fields.clone();
        let damaged = || Error::new(ErrorKind::Decode, "a damaged note of a change");
        let number = fields.next().flatten().and_then(|bytes| bytes.try_into().ok());
        self.numbers.push(i64::from_be_bytes(number.ok_or_else(damaged)?));
        let key = fields.by_ref().take(table.key.len());
        self.keys.push(key.map(|field| field.unwrap_or_default().to_vec()).collect());
        // No column of a key is NULL: where one is, there is no such row.
        let is_there = fields.clone().nth(table.key[0]).flatten().is_some();
        self.places.push(is_there.then_some(self.rows.len()));
        if is_there {
            let shard_key = table.shard_key_of(fields.clone())?;
            let way = shard_key.map(|key| parties.routes.of(&key)).transpose()?.flatten();
            self.ways.push(way);
            let mut row = self.rows.begin();
            for field in fields {
                match field {
                    Some(bytes) => row.field(bytes)?,
                    None => row.null(),
                }
            }
            row.finish()?;
        }
        Ok(())
    }

    /// The rows that go from `from` to `to`, each once and with its key.
    fn going(&self, from: ShardId, to: ShardId) -> Vec<(&Key, Fields<'_>)> {
        let mut seen = HashSet::new();
        let all = self.keys.iter().zip(&self.places);
        let goes = |place: usize| self.ways[place] == Some((from, to));
        all.filter_map(|(key, place)| {
            let place = (*place).filter(|place| goes(*place))?;
            seen.insert(key).then(|| (key, self.rows.row(place)))
        })
        .collect()
    }

    /// The keys that have no row any more that goes from `from` to `to`.
    fn gone(&self, from: ShardId, to: ShardId) -> HashSet<&Key> {
        let goes =
            |place: &Option<usize>| place.is_some_and(|place| self.ways[place] == Some((from, to)));
        let all = self.keys.iter().zip(&self.places);
        all.filter(|(_, place)| !goes(place)).map(|(key, _)| key).collect()
    }
}

/// Writes the rows that go this way to the stage, deletes from it those that do not any more, and says
/// how many there were.
fn bring(
    parties: &Parties,
    way: (ShardId, ShardId),
    table: &MovedTable,
    all: &Changes,
) -> Result<u64> {
    let going = all.going(way.0, way.1);
    let gone: Vec<&Key> = all.gone(way.0, way.1).into_iter().collect();
    if going.is_empty() && gone.is_empty() {
        return Ok(0);
    }
    let deleted = parties.write(way.1, |connection| {
        let keys: Vec<&Key> = going.iter().map(|(key, _)| *key).collect();
        for (_, shard_key) in table.owners(connection, &keys)? {
            // The copy of another shard's row would be written over.
            if !is_copy(parties, way, shard_key.as_ref())? {
                return Err(collision(table));
            }
        }
        let mut copies = Vec::new();
        for (key, shard_key) in table.owners(connection, &gone)? {
            if is_copy(parties, way, shard_key.as_ref())? {
                copies.push(key);
            }
        }
        let rows: Vec<_> = going.iter().map(|(_, fields)| fields.clone()).collect();
        table.upsert(connection, &rows)?;
        table.delete(connection, &copies.iter().collect::<Vec<_>>(), true)
    })?;
    Ok(going.len() as u64 + deleted)
}

/// The error where rows of two shards have one key.
pub(super) fn collision(table: &MovedTable) -> Error {
    let table = table.table.plain();
    let message =
        format!("table {table}: a row that is moved has the primary key of a row of another shard");
    Error::new(ErrorKind::Shard, message).with_hint(
        "keys have to be unique over all shards: cancel the move, and give one of them another key",
    )
}

fn is_copy(
    parties: &Parties,
    way: (ShardId, ShardId),
    shard_key: Option<&ShardKey>,
) -> Result<bool> {
    Ok(match shard_key {
        Some(key) => parties.routes.of(key)? == Some(way),
        None => false,
    })
}

/// Notes keys, given as texts, as those of rows that changed.
///
/// # Errors
/// As [`Parties::write`].
pub(super) fn note(
    parties: &Parties,
    from: ShardId,
    table: &MovedTable,
    keys: &[Vec<String>],
) -> Result<()> {
    parties.write(from, |connection| {
        let sql = table.rows(connection.capabilities().dialect).note()?;
        for key in keys {
            let key: Vec<_> = key.iter().map(|text| text.as_str().into()).collect();
            connection.execute(&sql, &key)?;
        }
        Ok(())
    })
}
