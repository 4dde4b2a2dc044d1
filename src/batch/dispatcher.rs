//! Permit, bounded channel, worker set; and the serial twin.
//!
//! The dispatcher runs on the caller's thread. It takes a permit, sends a unit with it, or a group of
//! batches, to the worker whose seat the permit is for, and that one gives the permit back when its
//! connection is back. Each channel has room for the one permit of its seat, so sending never waits; no
//! worker ever sends into it. There are as many workers as there may become permits: those whose seat
//! is not allowed yet sleep, and have neither memory nor a connection.

use super::context::Context;
use super::permits::Permits;
use super::unit::Unit;
use super::worker::Worker;
use crate::error::Result;
use crate::workers::Workers;
use crossbeam_channel::{Receiver, Sender, bounded};

type InHand = (Vec<Unit>, super::permits::Permit);

/// Does `units` on `workers`, and returns when all of them are done or the run has to end.
///
/// # Errors
/// The first error of a unit; `Stopped` if the run was asked to stop before the last unit.
pub(super) fn parallel(context: &Context<'_>, workers: &Workers, units: Vec<Unit>) -> Result<()> {
    let worker_count = &context.worker_count;
    let permits = Permits::new(workers.count(), context.limits.in_flight_bytes);
    permits.allow(worker_count.now());
    // One channel for each worker: it has room for what the permit of its seat stands for.
    let channels = (0..workers.count()).map(|_| bounded(1));
    let (senders, receivers): (Vec<Sender<InHand>>, Vec<_>) = channels.unzip();
    let given = permits.clone();
    let all_sent = workers.run(
        |seat| drain(context, &permits, &receivers[seat]),
        move || {
            let mut left = &units[..];
            while !left.is_empty() {
                let together = context.group_size.next(left, worker_count.now());
                let (next, behind) = left.split_at(together);
                let permit = given.acquire(next.iter().map(Unit::bytes).sum());
                worker_count.leaves(behind.len());
                let sender = &senders[permit.seat()];
                if context.patience.halted() || sender.send((next.to_vec(), permit)).is_err() {
                    return false;
                }
                left = behind;
            }
            // ORDER: the senders are dropped with this closure; only then do the workers end.
            drop(senders);
            true
        },
    )?;
    context.meter.in_flight(permits.peak());
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
    worker.leave();
    settle(context, true)
}

fn drain(context: &Context<'_>, permits: &Permits, receiver: &Receiver<InHand>) {
    // Who gets nothing to do has nothing.
    let mut worker = None;
    for (units, permit) in receiver {
        if !context.patience.halted() {
            let worker = worker.get_or_insert_with(|| Worker::new(context));
            let taken = || permits.taken();
            context.worker_count.measure(context, &units, taken, || worker.done_together(&units));
        }
        let count = context.worker_count.now();
        permits.allow(count);
        if permit.seat() >= count {
            worker = None;
        }
        drop(permit);
    }
    if let Some(worker) = worker {
        worker.leave();
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
