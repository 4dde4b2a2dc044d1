//! Queries, run: their rows as values of Rust.
//!
//! - `run`:     statements and their parameters, through whatever runs them
//! - `query`:   [`Query`](crate::Query): all rows, the first, one, how many
//! - `rows`:    rows one after the other, in constant memory
//! - `pages`:   rows in pages, each of which knows where the next one begins
//! - `change`:  updates and deletions
//! - `shards`:  SQL as it is written, on every shard
//! - `text`:    SQL as it is written, and its rows by the names of their columns
//!
//! A result is read in constant memory unless all of it is asked for, and one that is dropped
//! before its end is cancelled. A NULL or a value that does not fit its Rust type is an error that
//! names the column. What is read by name is looked up once for a result, not for each row.

mod change;
mod pages;
mod query;
mod rows;
mod run;
mod shards;
mod text;

pub use pages::{Page, Pages};
pub use rows::{Chunks, RowStream};
pub use text::FromRow;
