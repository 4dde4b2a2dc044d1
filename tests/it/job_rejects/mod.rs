//! A bad row costs one row: where it lands, with what, and when there are too many of them.
//!
//! - `parse`:   records without the shape of the file
//! - `convert`: texts that are no values
//! - `store`:   rows that the database refuses
//! - `limits`:  how many may be rejected, and what happens then
//! - `limit_model`: the same for any rows, batches, workers and limits
//! - `kind`:    the kinds of bad rows that PostgreSQL knows
//! - `kinds`:   each of them, at several shares
//! - `effort`:  how many statements they cost
//! - `precheck`: what is refused before anything is sent, held against the server
//! - `judged`:  rows that queries find, held against rows that come alone
//! - `one_by_one`: rows that no query finds, tried by one statement

mod convert;
mod effort;
mod judged;
mod kind;
mod kinds;
mod limit_model;
mod limits;
mod one_by_one;
mod parse;
mod precheck;
mod store;

use crate::support::{Home, Tally, on_both};
use rowmill::{ErrorKind, Job, MaxRejects, Mode};

/// The modes of a table with a key that starts empty: what is good is inserted by each of them.
const MODES: [Mode; 5] = Mode::ALL;

fn tally(read: u64, inserted: u64) -> Tally {
    Tally { read, inserted, rejected: read - inserted, ..Tally::default() }
}

/// Runs a job in each mode, with small and large batches, on a table that is emptied before; then
/// `check` is given what it rejected.
fn in_every_mode(home: &Home, job: impl Fn(Mode) -> Job, check: impl Fn(Tally, &[String])) {
    for mode in MODES {
        for batch_rows in [1, 3, 1_000] {
            home.sql("delete from t");
            let before = home.rejects_or_none().len();
            let tally = home.run(&job(mode).batch_rows(batch_rows).workers(2));
            let rejects = home.rejects();
            eprintln!("mode {mode}, batches of {batch_rows}");
            check(tally, &rejects[before..]);
        }
    }
}
