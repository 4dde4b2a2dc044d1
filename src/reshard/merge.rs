//! The rows that wait on a shard, brought in where everybody looks for them.

use super::catch_up::collision;
use super::parties::Parties;
use crate::backend::Connection;
use crate::error::{Locate, Result};
use crate::mapping::cell::Cell;
use crate::sharding::{ShardId, StoredMap};

/// Brings in all that waits on the shard `taker`, and stores the next map with it: nobody sees one
/// without the other.
///
/// # Errors
/// As [`Parties::write`].
pub(super) fn merge(parties: &Parties, taker: ShardId) -> Result<()> {
    parties.write(taker, |connection| {
        let stored = StoredMap::read(connection)?;
        if stored.is_some_and(|stored| stored.map == *parties.shards.map()) {
            // It was done, and the one who did it did not live to record it.
            return Ok(());
        }
        bring_in(parties, connection)?;
        parties.shards.store_map(taker, connection)
    })
}

/// Tries that, and takes it back: what would keep rows out is told while everything can still be as it
/// was.
///
/// # Errors
/// `Shard` if a row has the key of one that is there; what the database says of others.
pub(super) fn rehearse(parties: &Parties, taker: ShardId) -> Result<()> {
    parties.read(taker, |connection| {
        for table in &parties.tables {
            let sql = table.rows(connection.capabilities().dialect).collides()?;
            let mut count = 0_i64;
            connection.query(&sql, &[], &mut |row| {
                count = i64::unpack(row.cell(0)?)?;
                Ok(())
            })?;
            if count > 0 {
                return Err(collision(table));
            }
        }
        connection.begin()?;
        let tried = bring_in(parties, connection).and_then(|()| connection.check_constraints());
        connection.rollback()?;
        tried.map_err(|error| {
            error.with_hint(
                "cancel the move, or make the tables as they are where the rows come from",
            )
        })
    })
}

fn bring_in(parties: &Parties, connection: &mut dyn Connection) -> Result<()> {
    for table in &parties.tables {
        let sql = table.rows(connection.capabilities().dialect).merge()?;
        let merged = connection.execute(&sql, &[]);
        merged.locate(|place| place.table = Some(table.table.plain()))?;
    }
    Ok(())
}
