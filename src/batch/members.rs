//! Several processes on one job.
//!
//! There is no coordinator. They share the lock of the job, which keeps those out who want it for
//! themselves; whoever gets a second lock plans, and the others wait for the plan; a unit belongs to
//! whoever has locked its row in the ledger. Each run shows that it lives by a lock of its own, on
//! the session that holds that of the job, so that whoever asks can tell the dead from the living
//! without a clock.

use super::begin::Look;
use super::ledger::{Ledger, RunRecord};
use super::patience::Patience;
use super::run::Start;
use super::transaction::in_transaction;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use std::time::Duration;

/// How long one who finds nothing to do waits before it looks again.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// Refuses to share a job where rows cannot be locked one by one.
pub(super) fn check(start: &Start<'_>, patience: &Patience<'_>) -> Result<()> {
    if start.joins.is_none() {
        return Ok(());
    }
    let skips = patience.engine.get()?.capabilities().skip_locked;
    if skips {
        return Ok(());
    }
    let message =
        "several processes cannot share a job here: the database has one writer at a time";
    Err(Error::new(ErrorKind::Unsupported, message)
        .with_hint("run it without --join; its batches are prepared in parallel all the same"))
}

/// Lets one of several processes do `work`, which plans, and has the others wait until `look` finds
/// what came of it. A planner that dies leaves the place to the next.
pub(super) fn plan_once<T>(
    start: &Start<'_>,
    patience: &Patience<'_>,
    mut look: impl FnMut() -> Result<Look>,
    work: impl FnOnce(Look) -> Result<T>,
) -> Result<T> {
    let key = start.identity.plan_key(start.ledger);
    loop {
        let planner = patience.with_connection(|_| start.engine.lock_job(key))?;
        // ORDER: looked at under the lock; its last holder may have planned just now.
        let found = look()?;
        if planner.is_some() || !matches!(found, Look::New(..)) {
            return work(found);
        }
        start.observer.phase("plan");
        patience.pause(PAUSE)?;
    }
}

/// Records the run, and says of those that died that they crashed.
pub(super) fn begin_run(
    start: &Start<'_>,
    patience: &Patience<'_>,
    ledger: &Ledger,
    job_id: i64,
) -> Result<RunRecord> {
    let mut tried: Option<RunRecord> = None;
    patience.with_connection(|connection| {
        if let Some(run) = tried.take() {
            // The COMMIT of the attempt before may have held without a word.
            if ledger.running(connection, job_id)?.contains(&run) {
                return Ok(run);
            }
        }
        let dead = sweep_dead(start, patience, ledger, job_id, connection)?;
        in_transaction(connection, |connection| {
            ledger.crashed(connection, &dead)?;
            let run = ledger.begin_run(connection, job_id)?;
            show(start, patience, &run)?;
            tried = Some(run.clone());
            Ok(run)
        })
    })
}

/// The runs that have not said that they ended and are dead; what the dead have left of their locks is taken
/// away, also by the last run, which may have died right behind its last word.
///
/// ORDER: before the ledger says that they crashed. Nobody looks for what a run has left that is known to have
/// ended.
pub(super) fn sweep_dead(
    start: &Start<'_>,
    patience: &Patience<'_>,
    ledger: &Ledger,
    job_id: i64,
    connection: &mut dyn Connection,
) -> Result<Vec<RunRecord>> {
    let key = |run: &RunRecord| key_of(start, run);
    let mut dead = ledger.running(connection, job_id)?;
    if start.joins.is_some() && !dead.is_empty() {
        let keys: Vec<_> = dead.iter().map(key).collect();
        let mut lives = start.engine.locked_jobs(&keys)?.into_iter();
        dead.retain(|_| !lives.next().unwrap_or(true));
    }
    let last = ledger.last_run(connection, job_id)?;
    patience.lock.sweep(dead.iter().chain(&last).map(key));
    Ok(dead)
}

/// Records the first run of a job, in the transaction that records its plan: no other one can have begun.
pub(super) fn first_run(
    start: &Start<'_>,
    patience: &Patience<'_>,
    ledger: &Ledger,
    job_id: i64,
    connection: &mut dyn Connection,
) -> Result<RunRecord> {
    let run = ledger.new_run(connection, job_id)?;
    show(start, patience, &run)?;
    Ok(run)
}

/// Shows that the run lives.
///
/// ORDER: before anybody can see it in the ledger, or it would be taken for dead.
fn show(start: &Start<'_>, patience: &Patience<'_>, run: &RunRecord) -> Result<()> {
    patience.lock.show(key_of(start, run))
}

/// The key of the lock by which a run of the job shows that it lives.
pub(super) fn key_of(start: &Start<'_>, run: &RunRecord) -> i64 {
    start.identity.member_key(start.ledger, run.number)
}

/// Where the member `hint` begins in a phase, as a share of it: far from all others, however many
/// they are (the golden section).
pub(super) fn place_of(hint: u64) -> f64 {
    (hint as f64 * 0.618_033_988_749_894_9).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_begin_far_from_each_other() {
        for members in 1..64_u64 {
            let mut places: Vec<_> = (0..members).map(place_of).collect();
            places.sort_by(f64::total_cmp);
            let closest = places.windows(2).map(|pair| pair[1] - pair[0]).fold(1.0, f64::min);
            assert!(closest > 0.3 / members as f64, "{members} members: {closest}");
        }
    }
}
