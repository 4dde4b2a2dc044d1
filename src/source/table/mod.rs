//! A table, or what a query yields, as a source.
//!
//! - `consistency`: what is promised of the instant at which rows are read
//! - `options`:     what a user says of it
//! - `facts`:       what is found of it when a run begins
//! - `cut`:         which way it is cut, and where; `cut_blocks`: by blocks; `cut_numbers`: by the length
//!   of ranges; `answers`: what the database says of it
//! - `piece`:       a part of it, and the memo that keeps all parts in the ledger
//! - `snapshot`:    the connection that keeps a snapshot alive for others
//! - `gate`:        how many read at once
//! - `run`:         what a run knows of it, and the connections over which it reads
//! - `core`:        the plan, and reading a piece of it: what all of them share
//! - `selection`:   how its columns become those of a target
//! - `position`:    where a row stands, for the reject store; `records`: rows from what is there
//! - `columns`:     rows for declared columns; `entity`: rows as values of an entity
//!
//! It promises: each row that is there all the time is read exactly once, whatever dies, under the
//! consistency that was declared; where that cannot be kept, the run is refused and says why. A
//! connection is taken for one piece, and given back before the target is asked for one: who reads
//! and who writes never wait for each other. Pieces are many, so that they even out between the
//! workers; a piece is a batch.
//!
//! Where the database has replicas, who lends connections sees to it that each shows what was
//! committed when the run began; a snapshot is that of one server. What is found of the table, and
//! counted of its changes, is asked of where it is written.
//!
//! A value whose type is that of the target is passed through as the server packed it.

mod answers;
mod columns;
mod consistency;
mod core;
mod cut;
mod cut_blocks;
mod cut_numbers;
mod entity;
mod facts;
mod gate;
mod options;
mod piece;
mod position;
mod records;
mod run;
mod selection;
mod snapshot;

pub use columns::{TableColumn, TableColumns};
pub use consistency::Consistency;
pub use entity::Table;
pub use options::Partitions;
