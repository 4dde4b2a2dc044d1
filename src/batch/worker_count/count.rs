//! How many batches may be in flight now.

use super::choice::{WorkerChoice, WorkerReason};
use super::machine;
use super::search::Search;
use super::window::{Done, Reading};
use crate::backend::server_limit::ServerLimit;
use crate::batch::context::Context;
use crate::batch::patience::Patience;
use crate::batch::run::Start;
use crate::batch::unit::{Phase, Unit};
use crate::error::Result;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// With fewer batches, there is nothing to measure and nothing to win.
const LEAST_BATCHES: u64 = 32;

/// How many batches may be in flight now.
#[derive(Debug)]
pub(in crate::batch) struct WorkerCount {
    now: AtomicUsize,
    most: usize,
    /// How many batches are still to be handed out.
    left: AtomicUsize,
    measured: Mutex<Measured>,
}

#[derive(Debug)]
enum Measured {
    No(WorkerChoice),
    By(Box<Search>),
}

impl WorkerCount {
    /// That of a run of a job with so many batches.
    ///
    /// # Errors
    /// As [`Patience::with_connection`].
    pub(in crate::batch) fn of(
        start: &Start<'_>,
        patience: &Patience<'_>,
        batches: u64,
    ) -> Result<Self> {
        if !start.parallel {
            return Ok(Self::fixed(1, WorkerReason::Serial));
        }
        let capacity = start.engine.capacity() as usize;
        let count = start.limits.worker_count(capacity);
        let most = start.limits.most_workers(capacity);
        let reason = if start.part.is_some() {
            WorkerReason::Shards
        } else if start.limits.workers.is_some() {
            WorkerReason::Set
        } else if start.joins.is_some() {
            WorkerReason::Joined
        } else if most <= count {
            WorkerReason::Pool
        } else if batches < LEAST_BATCHES {
            WorkerReason::TooFewBatches
        } else {
            return Self::within(count, most, patience);
        };
        Ok(Self::fixed(count, reason))
    }

    /// From `count` up to `most`, if the database takes as many.
    fn within(count: usize, most: usize, patience: &Patience<'_>) -> Result<Self> {
        let (writers, room) = patience.with_connection(|connection| {
            // Where nobody can tell, the server says so when it is asked for a connection.
            let room = connection.server_limit().unwrap_or_default().map(room_of);
            Ok((connection.capabilities().concurrent_writers, room))
        })?;
        let most = room.map_or(most, |room| most.min(room));
        if !writers {
            return Ok(Self::fixed(count, WorkerReason::OneWriter));
        }
        if most <= count {
            return Ok(Self::fixed(count, WorkerReason::Server));
        }
        let search = Box::new(Search::new(count, most, machine::processors()));
        Ok(Self::new(count, most, Measured::By(search)))
    }

    fn fixed(count: usize, reason: WorkerReason) -> Self {
        Self::new(count, count, Measured::No(WorkerChoice::of(count, count, reason)))
    }

    fn new(count: usize, most: usize, measured: Measured) -> Self {
        let (now, left) = (AtomicUsize::new(count), AtomicUsize::new(0));
        Self { now, most, left, measured: Mutex::new(measured) }
    }

    /// How many may be in flight now.
    pub(in crate::batch) fn now(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }

    /// The most that it may become.
    pub(in crate::batch) fn most(&self) -> usize {
        self.most
    }

    /// Notes how many batches are still to be handed out.
    pub(in crate::batch) fn leaves(&self, left: usize) {
        self.left.store(left, Ordering::Relaxed);
    }

    /// What came of it.
    pub(in crate::batch) fn choice(&self) -> WorkerChoice {
        match &*self.measured.lock() {
            Measured::No(choice) => choice.clone(),
            Measured::By(search) => search.choice(),
        }
    }

    /// Does `work`, which is `units`, and learns from how long it took; `in_flight` says how many were.
    pub(in crate::batch) fn measure(
        &self,
        context: &Context<'_>,
        units: &[Unit],
        in_flight: impl FnOnce() -> usize,
        work: impl FnOnce(),
    ) {
        let (meter, group_size) = (context.meter, &context.group_size);
        let (began, retries, refusals) = (Instant::now(), meter.retries(), group_size.refusals());
        work();
        let now = Instant::now();
        let mut measured = self.measured.lock();
        let Measured::By(search) = &mut *measured else { return };
        let is_load = units.iter().all(|unit| unit.phase == Phase::Load);
        if search.is_over() || !is_load || context.patience.halted() {
            return;
        }
        let done = Done {
            rows: units.iter().map(|unit| unit.bounds.rows).sum(),
            time: now.saturating_duration_since(began),
            in_flight: in_flight(),
            together: group_size.now(),
            left: self.left.load(Ordering::Relaxed),
            is_smooth: meter.retries() == retries,
            has_refused: group_size.refusals() != refusals,
        };
        search.ended(&done, now, || Reading {
            own: machine::own(),
            idle: machine::idle(),
            commit: meter.least_commit(),
        });
        self.now.store(search.count(), Ordering::Relaxed);
    }
}

/// How many of the connections that a server has room for one job may have: others want some, too.
fn room_of(limit: ServerLimit) -> usize {
    let free = limit.most.saturating_sub(limit.reserved).saturating_sub(limit.open);
    limit.own.map_or(free, |own| own.min(free)) as usize / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_a_server_has_room_for_is_left_to_others() {
        let limit = ServerLimit { most: 100, reserved: 3, open: 57, own: None };
        assert_eq!(room_of(limit), 20);
        assert_eq!(room_of(ServerLimit { own: Some(10), ..limit }), 5);
        assert_eq!(room_of(ServerLimit { open: 100, ..limit }), 0);
    }
}
