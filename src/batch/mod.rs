//! A job, cut into batches that are done in parallel, each exactly once.
//!
//! - `job`:        what is declared, and the start of a run
//! - `pipeline`:   rows on their way from a source to a table
//! - `write`:      which table, and how
//! - `limits`:     batches, workers, rejects, retries
//! - `identity`:   what makes a job the same job
//! - `run`:        one execution: plan, load, merge, finish
//! - `replay`:     rejects that are tried again
//! - `open`:       what is still to be done
//! - `plan`:       the source, cut, before the first batch runs
//! - `outline`:    the bounds of all batches of a plan, in few bytes
//! - `begin`:      what a run does before its first batch
//! - `ends`:       source and target, looked at side by side before that
//! - `change`:     a job that is started again and is not what it was
//! - `rights`:     those that a run needs
//! - `context`:    what all parts of a run share
//! - `ending`:     when a run ends before its work does
//! - `forecast`:   whether a run will miss its deadline
//! - `lock`:       the lock of a job, held by its run
//! - `members`:    several processes on one job
//! - `patience`:   how a run goes on where its server was away
//! - `meter`:      what a run measures
//! - `dispatcher`: permit, bounded channel, worker set; and the serial twin
//! - `permits`:    the right to be in flight
//! - `unit`:       a piece of work that is done in one transaction
//! - `transaction`: all or nothing
//! - `group`:      batches that share one; `group_size`: how many; `group_choice`: why no more
//! - `worker_count`: how many batches are in flight, found by measuring
//! - `worker`:     how a unit is done; `outcome`: what came of an attempt
//! - `refused`:    its rows that were refused, as the reject store has them
//! - `seal`:       the end of loading; `close`: the end of the job
//! - `after_commit`: what is done once the job is complete
//! - `lineage`:    which of them are the fault of others
//! - `ledger`:     what was planned and what is done, in the target database itself
//! - `shards`:     a job whose rows go to several databases, by a map
//! - `observer`:   watching a run
//! - `report`:     what a run did
//! - `receipt`:    where its time went, and how it compares with the runs before
//!
//! ```text
//! plan      the source is cut; the bounds of every batch are stored before the first one runs
//! dispatch  permit -> bounded channel -> worker set
//! prepare   parse, transform, pack on the workers; no connection held
//! write     check out; BEGIN; claim the unit's ledger row; rows; rejects; counters;
//!           ledger row done, as the last statement; COMMIT; give back; release the permit
//! ```
//!
//! It promises that a batch in flight holds a permit, that there are no more permits than
//! connections, that every batch is done once whatever dies and whenever, and that every row that
//! was read is accounted for.

mod after_commit;
mod begin;
pub mod change;
mod close;
mod context;
mod dispatcher;
pub mod ending;
mod ends;
mod forecast;
mod group;
pub mod group_choice;
mod group_size;
pub mod identity;
pub mod job;
pub mod ledger;
pub mod limits;
mod lineage;
mod lock;
mod members;
mod meter;
pub mod observer;
mod open;
mod outcome;
mod outline;
mod patience;
mod permits;
pub mod pipeline;
mod plan;
pub mod receipt;
mod refused;
pub mod replay;
pub mod report;
mod rights;
mod run;
mod seal;
pub mod shards;
mod transaction;
mod unit;
mod worker;
pub mod worker_count;
pub mod write;
