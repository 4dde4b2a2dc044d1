//! The map as it is stored on a shard.

use super::map::ShardMap;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::sql::shard_map::ShardMapTable;

/// What a database says of itself as a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredMap {
    /// Which shard it is.
    pub shard: String,
    /// The map that holds for it.
    pub map: ShardMap,
}

impl StoredMap {
    /// What is stored; `None` where nothing is. Changes nothing.
    ///
    /// # Errors
    /// `Shard` if it cannot be read as a map; `Database` or `Disconnect`.
    pub fn read(connection: &mut dyn Connection) -> Result<Option<Self>> {
        let table = ShardMapTable::of(connection.capabilities().dialect)?;
        if connection.table_info(&table.name)?.is_none() {
            return Ok(None);
        }
        Self::of(connection, &table.read())
    }

    /// The same, held until the transaction ends: the map cannot be changed before.
    pub(super) fn hold(connection: &mut dyn Connection) -> Result<Option<Self>> {
        let can = connection.capabilities();
        let sql = ShardMapTable::of(can.dialect)?.hold(can.row_locks);
        Self::of(connection, &sql)
    }

    /// The version alone, of a map that was stored before.
    pub(super) fn version(connection: &mut dyn Connection) -> Result<Option<u64>> {
        let sql = ShardMapTable::of(connection.capabilities().dialect)?.version();
        let mut version = None;
        connection.query(&sql, &[], &mut |row| {
            version = Some(i64::unpack(row.cell(0)?)? as u64);
            Ok(())
        })?;
        Ok(version)
    }

    fn of(connection: &mut dyn Connection, sql: &str) -> Result<Option<Self>> {
        let mut stored = None;
        connection.query(sql, &[], &mut |row| {
            let (shard, map) = (String::unpack(row.cell(0)?)?, String::unpack(row.cell(1)?)?);
            stored = Some((shard, map));
            Ok(())
        })?;
        let Some((shard, map)) = stored else { return Ok(None) };
        let map = map.parse().map_err(|error: Error| {
            Error::new(ErrorKind::Shard, "the map that is stored cannot be read")
                .with_hint("use the program that wrote it, or a newer one")
                .with_source(error)
        })?;
        Ok(Some(Self { shard, map }))
    }

    /// Whether the database is the shard `name` of `map`.
    ///
    /// # Errors
    /// `Shard` if it is not, with the difference.
    pub(crate) fn agrees(&self, name: &str, map: &ShardMap) -> Result<()> {
        if self.shard != name {
            let message = format!("this database is the shard {}, not {name}", self.shard);
            return Err(
                Error::new(ErrorKind::Shard, message).with_hint("look at the URLs of the shards")
            );
        }
        let Some(difference) = map.difference(&self.map) else { return Ok(()) };
        let message = format!(
            "the map is version {} here, and version {} is stored on the shard: {difference}",
            map.version(),
            self.map.version()
        );
        Err(Error::new(ErrorKind::Shard, message).with_hint(
            "use the stored map, or publish the other one once its rows are where it says",
        ))
    }
}

/// Stores `map` on the shard `name`, in a transaction of the caller.
///
/// # Errors
/// `Shard` if the database is another shard, or has a newer map or another one of the same version.
pub(super) fn store(connection: &mut dyn Connection, name: &str, map: &ShardMap) -> Result<()> {
    let table = ShardMapTable::of(connection.capabilities().dialect)?;
    for statement in table.create() {
        connection.run(&statement).map_err(|error| {
            error.with_hint(
                "the map of the shards is kept in the schema rowmill, which the user \
                             must be able to create, or to create tables in",
            )
        })?;
    }
    // ORDER: behind the lock that creating takes; somebody else may just have stored one.
    let stored = StoredMap::read(connection)?;
    let is_ours = |stored: &StoredMap| stored.shard == name && stored.map.version() < map.version();
    if let Some(stored) = stored.filter(|stored| !is_ours(stored)) {
        return stored.agrees(name, map);
    }
    let version = map.version() as i64;
    let written = map.to_json()?;
    connection.execute(&table.store(), &[name.into(), version.into(), written.into()])?;
    Ok(())
}

/// The error for a shard on which no map is stored.
pub(super) fn missing() -> Error {
    Error::new(ErrorKind::Shard, "no map of shards is stored on this database")
        .with_hint(
            "call check once for new shards, or publish where one was replaced; where buckets are being \
             moved to it, try again in a moment",
        )
}
