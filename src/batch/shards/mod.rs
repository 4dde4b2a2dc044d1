//! A job whose rows go to several databases, by a map.
//!
//! - `spread`:   by what rows are spread: a column, and the map
//! - `part`:     what the run of one shard knows of the whole
//! - `run`:      the runs of all shards, side by side
//! - `survey`:   what each shard has of the job, before anything is done
//! - `reading`:  a batch is read once, whoever asks for it
//! - `split`:    the rows of a batch, shard by shard
//! - `job`:      the start of a run
//! - `feed`:     the source as one shard sees it
//! - `tally`:    rejects, counted over all shards
//! - `progress`: several runs, as one who watches sees them
//! - `replay`:   rejects that are tried again, each on its shard
//! - `report`:   what came of it, shard by shard
//!
//! Each shard has a run of its own, with everything that a run has: the lock of the job, the plan, a
//! ledger, rejects. So its part is exactly-once by itself, and a shard that is away costs the others
//! nothing. What they share is the plan, which is the same on all of them, and the reading of the
//! source: whoever comes to a batch first prepares it, and the parts of the others wait for them, in
//! bounded memory; who stays behind reads again.
//!
//! It promises that a row is on the shard that the map names, once; that the map is the one by which
//! the job began, on every shard, until each transaction ends; that all rows that were read are
//! accounted for on one shard each.

mod feed;
mod job;
mod part;
mod progress;
mod reading;
mod replay;

pub mod report;
mod run;
mod split;
mod spread;
mod survey;
mod tally;

pub(super) use part::Part;

pub(super) use run::{Whole, run};
pub(super) use spread::{SHARD_MAP, Spread, moved};
