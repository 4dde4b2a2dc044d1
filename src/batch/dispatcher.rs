//! Permit, bounded channel, worker set; and the serial twin.
//!
//! The dispatcher runs on the caller's thread. It takes a permit, sends a unit with it, or a group of
//! batches, and a worker gives the permit back when its connection is back. The channel has room for every
//! permit, so sending never waits; no worker ever sends into it.

use super::context::Context;
use super::permits::Permits;
use super::unit::Unit;
use super::worker::Worker;
use crate::error::Result;
use crate::workers::Workers;
use crossbeam_channel::{Receiver, bounded};

type InHand = (Vec<Unit>, super::permits::Permit);

/// Does `units` on `workers`, and returns when all of them are done or the run has to end.
///
/// # Errors
/// The first error of a unit; `Stopped` if the run was asked to stop before the last unit.
pub(super) fn parallel(context: &Context<'_>, workers: &Workers, units: Vec<Unit>) -> Result<()> {
    let permits = Permits::new(workers.count(), context.limits.in_flight_bytes);
    let (sender, receiver) = bounded::<InHand>(workers.count());
    let given = permits.clone();
    let all_sent = workers.run(
        || drain(context, &receiver),
        move || {
            let mut left = &units[..];
            while !left.is_empty() {
                let (next, behind) = left.split_at(context.group_size.next(left, workers.count()));
                let permit = permits.acquire(next.iter().map(Unit::bytes).sum());
                if context.patience.halted() || sender.send((next.to_vec(), permit)).is_err() {
                    return false;
                }
                left = behind;
            }
            // ORDER: the sender is dropped with this closure; only then do the workers end.
            drop(sender);
            true
        },
    )?;
    context.meter.in_flight(given.peak());
    settle(context, all_sent)
}

/// Does `units` one after the other on this thread: the same result, without a worker set.
///
/// # Errors
/// As [`parallel`].
pub(super) fn serial(context: &Context<'_>, units: &[Unit]) -> Result<()> {
    let mut worker = Worker::new(context);
    let mut left = units;
    while !left.is_empty() {
        if context.patience.halted() {
            return settle(context, false);
        }
        let (next, behind) = left.split_at(context.group_size.next(left, 1));
        context.meter.in_flight(1);
        worker.done_together(next);
        left = behind;
    }
    settle(context, true)
}

fn drain(context: &Context<'_>, receiver: &Receiver<InHand>) {
    let mut worker = Worker::new(context);
    for (units, permit) in receiver {
        if !context.patience.halted() {
            worker.done_together(&units);
        }
        drop(permit);
    }
}

fn settle(context: &Context<'_>, all_started: bool) -> Result<()> {
    match context.patience.failure.take() {
        Some(error) => Err(error),
        // A unit that was sent and then passed over shows in the ledger: it is still open.
        None if all_started && !context.patience.halted() => Ok(()),
        None => Err(context.patience.ending.stopped()),
    }
}
