//! SQL text, on paper: nothing here talks to a database.
//!
//! - `dialect`: how the same thing is spelled on different databases
//! - `rows`:    reading and writing single rows of a table
//! - `bulk`:    reading and writing many rows at once; `upsert`: inserting them or updating what is there
//! - `rights`:  which rights a user lacks
//! - `table`:   creating a table from columns
//! - `migration`: the table in which migrations are recorded
//! - `shard_map`: the table in which the map of the shards is kept
//! - `shard_move`: moving rows between shards: what captures changes, and the rows; `move_record`: how
//!   far that is
//! - `part`:    the table in which the parts of an output file are recorded
//! - `script`:  the statements of a text, one by one
//! - `shape`:   creating and dropping the tables of entities
//! - `stage`:   the table in which a job collects its rows before they are merged
//! - `merge`:   the statements that bring staged rows into their target
//! - `rebuild`: emptying a table at once, and dropping indexes that are built anew
//! - `one_by_one`: one statement that brings them in row by row
//! - `constraint`: the constraints of a table, and the queries that read them
//! - `verdict`: the queries that find staged rows which break a constraint
//! - `ledger`:  the tables in which runs are recorded
//! - `ledger_steps`: how they come to be, version by version
//! - `lineage`: which rows refer to which, so that a reject is put down to another
//! - `partition`: cutting a table and reading its parts; `literal`: keys in statements without
//!   parameters
//!
//! Every name is an [`Ident`](crate::Ident) and quotes itself; every value is a parameter,
//! but for the keys of [`partition`].

pub mod bulk;
pub mod constraint;
pub mod dialect;
pub mod ledger;
mod ledger_steps;
mod lineage;
pub mod literal;
pub mod merge;
pub mod migration;
pub mod move_record;
pub mod one_by_one;
pub mod part;
pub mod partition;
pub mod rebuild;
mod rights;
pub mod rows;
pub mod script;
pub mod shape;
pub mod shard_map;
pub mod shard_move;
pub mod stage;
pub mod table;
pub mod upsert;
pub mod verdict;
