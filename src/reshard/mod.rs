//! Moving buckets of keys from one shard to another, while others read and write.
//!
//! - `mover`:    [`Reshard`]: what is declared, and a run of it
//! - `start`:    the beginning of a move, or of a new epoch of the one that is under way
//! - `steps`:    the steps, each of which can be done again
//! - `record`:   how far a move is, kept on every shard that takes part
//! - `routes`:   which keys go from where to where
//! - `table`:    a table whose rows are moved, and its statements
//! - `parties`:  the shards of a move, and the one rule by which all that is written holds or not
//! - `copy`:     the rows that are there, as jobs
//! - `catch_up`: the rows that changed since
//! - `sweep`:    rows that nobody looks for any more where they were
//! - `merge`:    the rows that wait, brought in where everybody looks for them
//!
//! ```text
//! copy      triggers note the key of every row that changes on the shards that give. The rows of the
//!           buckets are copied by a job for each table and each pair of shards, into tables of the
//!           shards that take where nobody reads them (the stage)
//! catch-up  what was noted is read again, and brought to the stage, until little is left; that the
//!           rows will fit is tried, and taken back
//! switch    the next map is stored on the shards that give: who wrote by the old one is waited for,
//!           and refused from then on. What is left is brought over
//! merge     the rows are deleted where they were; on each shard that takes, those of the stage come
//!           into its tables and the map is stored, in one transaction. Then all others get it
//! clean     triggers and stages go
//! ```
//!
//! # What it promises
//!
//! **No row is lost, doubled or stale**, whoever reads and writes by a map meanwhile. A row that changed
//! while it was copied, or that the copy could not bring in, is noted, and what is noted is read again
//! as it is now. From the switch to the end of the merge nobody can write to the buckets, or ask all
//! shards at once: by the old map who gives refuses, by the new one who takes.
//!
//! **A kill at any instant changes nothing of that.** Every step can be done again, and its name is in
//! the record before it begins: the same call carries on. Up to the switch, `cancel` leaves everything
//! as it was.
//!
//! **One mover.** A lock on the first shard keeps the second one out; and should that be lost
//! unnoticed, each start begins an epoch that every transaction holds, so that an older mover
//! writes nothing any more.
//!
//! **Connections.** It holds one at a time, beside that of its lock; the jobs of the copy are jobs.

mod catch_up;
mod copy;
mod merge;
mod mover;
mod parties;
mod record;
mod routes;
mod start;
mod steps;
mod sweep;
mod table;

pub use mover::Reshard;
pub use record::{MoveStatus, MoveStep};
