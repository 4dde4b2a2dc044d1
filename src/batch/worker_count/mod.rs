//! How many batches are in flight at once, found by measuring the first of them.
//!
//! - `count`:   how many may be in flight now, as the dispatcher asks for it
//! - `search`:  the steps by which the number is found
//! - `window`:  what a few transactions in a row say of a number
//! - `machine`: what the system says of the processors
//! - `choice`:  what was found and why, as the report has it
//!
//! A worker that waits for its server costs next to nothing, so where most of the time is waiting, as
//! with a server that is far, twice as many are tried for a moment. They stay if rows come in faster by
//! then; if not, it is the number before, and nothing is tried again. So a job that has the right
//! number pays for one short trial, and one whose processors are busy for none.
//!
//! It promises that a number that the job was given is kept, and that no number is above the
//! connections of the pool, nor above what the server has room for.

pub mod choice;
mod count;
mod machine;
mod search;
mod window;

pub(super) use count::WorkerCount;
