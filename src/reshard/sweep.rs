//! Rows that nobody looks for any more where they were.

use super::parties::Parties;
use super::table::{Key, MovedTable};
use crate::error::Result;
use crate::sharding::ShardId;

/// So many keys are looked at together.
const ROWS_AT_ONCE: usize = 2_000;

/// Deletes the rows of a table on the shard `giver` that are on another one now.
///
/// # Errors
/// As [`Parties::write`].
pub(super) fn sweep(parties: &Parties, giver: ShardId, table: &MovedTable) -> Result<u64> {
    let mut last: Option<Key> = None;
    let mut deleted = 0;
    loop {
        let page = parties
            .read(giver, |connection| table.page(connection, last.as_ref(), ROWS_AT_ONCE))?;
        let mut gone = Vec::new();
        for (key, shard_key) in &page {
            let way = shard_key.as_ref().map(|key| parties.routes.of(key)).transpose()?.flatten();
            if way.is_some_and(|(from, _)| from == giver) {
                gone.push(key);
            }
        }
        if !gone.is_empty() {
            deleted += parties.write(giver, |connection| table.delete(connection, &gone, false))?;
        }
        if page.len() < ROWS_AT_ONCE {
            return Ok(deleted);
        }
        last = page.into_iter().next_back().map(|(key, _)| key);
    }
}
