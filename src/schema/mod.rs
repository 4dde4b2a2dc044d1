//! The tables of entities, and the database that has them.
//!
//! - `migrations/`: [`Migrations`]: changes of a database, as SQL files
//! - `source/`:  [`EntitySource`]: the Rust source of entities, from tables that are there
//! - `tables`:   [`Schema`]: the entities of a program, and what can be done with their tables
//! - `order`:    which table comes first, where tables refer to each other
//! - `create`:   creating and dropping them
//! - `compare`:  the tables held against the catalog; `fits` is what it says of types
//! - `report`:   all differences, each a [`Difference`]
//! - `sequence`: numbers that start behind the largest one
//!
//! Creating is for tests, staging and first steps: a table that is there is never changed. What
//! changes tables that have rows is a migration.

mod compare;
mod create;
mod difference;
mod fits;
mod migrations;
mod order;
mod report;
mod sequence;
mod source;
mod tables;

pub use difference::{Difference, DifferenceKind};
pub use migrations::{AppliedMigration, Migration, MigrationState, MigrationStatus, Migrations};
pub use report::SchemaReport;
pub use source::{EntitySource, TimeTypes};
pub use tables::Schema;
