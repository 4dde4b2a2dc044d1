//! Where rows come from.
//!
//! - `feed`:     what the dispatcher asks of a source: a plan, and the rows of a batch, packed
//! - `bounds`:   where a batch lies in its source
//! - `packed_row`: one row of a file on its way to a value of an entity
//! - `prepared`: the rows of a batch, packed, and its rejects
//! - `input`:    the bytes of files: one or several, compressed, spooled
//! - `csv`:      CSV files, cut at record boundaries
//! - `ndjson`:   files with one JSON object a line
//! - `parquet`:  Parquet files, cut by row groups and rows within them
//! - `rows`:     sources that yield values: the trait for a user's own, and any iterator
//! - `stateful`: sources that know more of a plan than bounds can say
//! - `table`:    a table, or what a query yields, cut by keys or by blocks
//!
//! A source is cut before the first batch runs, and gives the same rows for the same bounds every
//! time it is asked: a restart and a second look at a rejected row depend on it. A source never
//! knows where its rows go, nor whether replicas or shards exist.

pub mod bounds;
pub mod csv;
pub mod feed;
pub mod input;
pub mod ndjson;
mod packed_row;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod prepared;
pub mod rows;
pub mod stateful;
pub mod table;
