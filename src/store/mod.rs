//! Entities in their tables, without a session: each call is a statement, or a few that hold
//! together.
//!
//! - `crud`:       [`Insert`], [`Crud`]: one row at a time
//! - `many`:       [`InsertMany`], [`CrudMany`]: many rows at a time
//! - `shards`:     [`ShardWriter`](crate::ShardWriter): the same, on several shards
//! - `relations`:  [`load_children`], [`load_parents`], [`load_through`]: what belongs to many rows
//! - `duplicates`: which row counts where two have the same key; what became of rows
//! - `fields`:     [`Fields`]: which columns are set
//! - `entity_map`: how an entity lies in its table, worked out once
//! - `record`, `by_key`: entities, and keys, whose type does not matter any more
//! - `single`:     statements on one row
//! - `given`:      rows as the parameters of one statement: arrays, or values
//! - `insert`, `load`, `upsert`, `update`: statements on many rows
//! - `trend`:      what became of rows that were upserted, so that the next are guessed
//! - `keys`:       rows in the order of their keys, and one for each
//! - `stale`:      errors for rows that are not there any more as they were read
//!
//! # What it promises
//!
//! Rows of any number are few statements, whose text does not depend on the number where the
//! database has arrays, and which are cut to what it takes. Whatever is several statements holds
//! as a whole or not at all. What the database made is filled into the row it was made for: rows
//! that come back are matched by key, never by their order. All who write many rows that are there
//! write them in the same order.

mod by_key;
pub(crate) mod crud;
mod duplicates;
pub(crate) mod entity_map;
mod fields;
pub(crate) mod given;
pub(crate) mod insert;
mod keys;
mod load;
mod many;
pub(crate) mod record;
pub(crate) mod relations;
mod shards;
pub(crate) mod single;
pub(crate) mod stale;
mod trend;
pub(crate) mod update;
mod upsert;

pub use crud::{Crud, Insert, Saved};
pub use duplicates::{Duplicates, Upserted};
pub use fields::Fields;
pub use many::{CrudMany, InsertMany};
pub use relations::{RefersTo, load_children, load_parents, load_through};
