//! The Rust source of the entities of tables that are there.
//!
//! - `names`:       a name of the database as a name of Rust
//! - `rust_type`:   the Rust type of a column, and what has to be said beside it
//! - `field`:       a column as a field
//! - `entity`:      a table as a struct
//! - `enumeration`: an enum of the database as one of Rust
//! - `reading`:     [`EntitySource`]: reading the catalog
//!
//! What is written compiles, and the table is as it says: `Schema::verify` finds no difference.

mod entity;
mod enumeration;
mod field;
mod names;
mod reading;
mod rust_type;

pub use reading::EntitySource;
pub use rust_type::TimeTypes;
