//! Rows that are spread over several databases by a key.
//!
//! - `hash`:      XXH64, the hash that buckets are told by
//! - `key`:       [`ShardKey`]: the value by which a row is placed
//! - `placement`: [`Placement`]: which key is on which shard: by hash, range or list
//! - `map`:       [`ShardMap`]: the shards and the placement, with a version
//! - `written`:   a map as a text, and the difference between two
//! - `engine`:    [`ShardedEngine`]: an engine for each shard
//! - `builder`:   [`ShardedEngineBuilder`]: which database each shard is
//! - `stored`:    the map as it is stored on a shard
//! - `scatter`:   the same work on several shards, all at once
//! - `writes`:    [`ShardWriter`]: a transaction on each shard; [`ShardWrites`]: what came of it
//! - `two_phase`: all shards or none, by name; what a coordinator left behind
//! - `gather`:    [`Scatter`]: a query that is put to several shards, and one result of all their rows
//!
//! # What it promises
//!
//! **Placement** is pure, and the same everywhere: a key is on one shard, whatever the machine, the
//! version of this crate and the width of the column. Adding a shard moves its share of the keys and
//! no other.
//!
//! **The map** is stored on every shard, together with which shard that is. A shard is asked for it
//! before it is first used, and in every transaction that writes, where it cannot change until that
//! ends: nobody writes a row to where a newer map does not look for it. Behind every read it is
//! asked for its version: nobody reads from where rows have been. A shard that has another map is
//! refused with the difference.
//!
//! **Nothing holds over several shards**: no transaction, no constraint, no snapshot. What is written
//! to several of them is a transaction on each.
//!
//! **Connections.** Whoever works for a shard holds one connection and waits for no second one, so
//! that a budget of any size is enough.

mod builder;
mod engine;
mod gather;
mod hash;
mod key;
mod map;
mod placement;
mod scatter;
mod stored;
mod two_phase;
mod writes;
mod written;

pub use builder::ShardedEngineBuilder;
pub use engine::ShardedEngine;
pub use gather::{Gathered, Missing, OnShardError, Scatter};
pub use key::{KeyKind, ShardKey};
pub use map::{BucketMove, DEFAULT_BUCKETS, ShardMap};
pub use placement::{Buckets, Lookup, Placement, Ranges, ShardId};
pub use stored::StoredMap;
pub use two_phase::{PreparedTransaction, Resolved};
pub use writes::{ShardOutcome, ShardWriter, ShardWrites};
