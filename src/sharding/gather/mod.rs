//! A query that is put to several shards, and one result of all their rows.
//!
//! - `scatter`:  [`Scatter`]: a query for the shards
//! - `gathered`: [`Gathered`]: what they had to say
//! - `reach`:    which shards a query has to be put to, and whether it can be put to several
//! - `change`:   the same of updates and deletions by a condition
//! - `plain`:    rows that are whole on their shard: in order, with a limit
//! - `merge`:    rows that are in order on each shard, in order
//! - `fold`:     groups whose rows are on several shards
//! - `cells`, `cell_key`: values that outlive their row, and are compared without their database
//!
//! What cannot be put together from the parts is refused, never guessed: a join whose rows may be on
//! two shards, a fragment of SQL that makes one value of many rows.

mod cell_key;
mod cells;
mod change;
mod fold;
mod gathered;
mod merge;
mod plain;
mod reach;
mod scatter;

pub use gathered::{Gathered, Missing, OnShardError};
pub use scatter::Scatter;
