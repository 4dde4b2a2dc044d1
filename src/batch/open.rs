//! What of a job is still to be done.

use super::context::Context;
use super::ledger::JobRecord;
use super::plan::Plan;
use super::unit::{Phase, Unit};
use crate::error::Result;

/// The first batches of a plan that this run has just made, all of which are open; none where it has none.
/// What the ledger has of it need not be read again.
pub(super) fn planned(context: &Context<'_>, plan: &Plan) -> Option<(Phase, Vec<Unit>)> {
    let most = context.worker_count.most() * UNITS_A_WORKER;
    let units: Vec<_> = plan.loads().take(most).collect();
    (!units.is_empty()).then_some((Phase::Load, units))
}

/// The first open units of the first phase that has any; none where all is done.
///
/// # Errors
/// `Database` or `Disconnect`.
pub(super) fn first(context: &Context<'_>, job: &JobRecord) -> Result<Option<(Phase, Vec<Unit>)>> {
    if context.joins_at.is_none() {
        let most = context.worker_count.most() * UNITS_A_WORKER;
        let open = context.patience.with_connection(|connection| {
            context.ledger.first_open(connection, context.place.job_id, most)
        })?;
        return Ok(open.first().map(|unit| unit.phase).map(|phase| (phase, open)));
    }
    for phase in Phase::IN_ORDER {
        let open = open_units(context, job, phase)?;
        if !open.is_empty() {
            return Ok(Some((phase, open)));
        }
    }
    Ok(None)
}

/// So many open units are handed out at once to each worker: few, so that a long plan takes no more
/// memory than a short one; but a worker that has done the last of its own waits for the others.
const UNITS_A_WORKER: usize = 200;

/// The same where others take from the same units: what is handed out ages.
const UNITS_A_MEMBER: usize = 8;

/// Open units of a phase: those from the place of this run on, and then from the first on.
fn open_units(context: &Context<'_>, job: &JobRecord, phase: Phase) -> Result<Vec<Unit>> {
    let (ledger, job_id) = (&context.ledger, context.place.job_id);
    let most = context.worker_count.most() * UNITS_A_MEMBER;
    let count = match phase {
        Phase::Load => job.batches,
        _ => u64::from(job.buckets),
    };
    let from = (count as f64 * context.joins_at.unwrap_or_default()) as u32;
    context.patience.with_connection(|connection| {
        let mut units = ledger.open_units(connection, job_id, phase, from, most)?;
        if units.len() < most && from > 0 {
            let first = ledger.open_units(connection, job_id, phase, 0, most - units.len())?;
            units.extend(first.into_iter().filter(|unit| unit.number() < from));
        }
        Ok(units)
    })
}
