//! What all parts of a run share.

use super::forecast::Forecast;
use super::group_size::GroupSize;
use super::ledger::{Ledger, RejectRecord};
use super::limits::{Limits, RejectClass};
use super::lineage::Lineage;
use super::meter::Meter;
use super::patience::Patience;
use super::shards::Part;
use super::unit::{Phase, Unit};
use super::worker_count::WorkerCount;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::key_range::KeyRange;
use crate::sink::destination::Sink;
use crate::sink::table::StagePlace;
use crate::source::bounds::Bounds;
use crate::source::feed::Feed;
use crate::source::prepared::Prepared;
use crate::trace::Span;
use parking_lot::Mutex;
use std::sync::OnceLock;

/// What all parts of a run share.
pub(super) struct Context<'a> {
    pub(super) patience: &'a Patience<'a>,
    pub(super) feed: &'a dyn Feed,
    pub(super) sink: Sink,
    /// What the catalog says of it, once there is a reject to tell of: see [`Context::lineage`].
    pub(super) known_lineage: OnceLock<Lineage>,
    pub(super) ledger: Ledger,
    pub(super) place: StagePlace,
    pub(super) run_id: i64,
    pub(super) limits: Limits,
    pub(super) forecast: Forecast,
    pub(super) group_size: GroupSize,
    pub(super) worker_count: WorkerCount,
    /// How many rows may be rejected, by all runs and all processes together.
    pub(super) max_rejects: u64,
    /// The same for kinds of them.
    pub(super) class_limits: Vec<(RejectClass, u64)>,
    /// Where in each phase this run begins, as a share of it, if others work on the job, too.
    pub(super) joins_at: Option<f64>,
    pub(super) meter: &'a Meter,
    pub(super) span: &'a Span,
    /// Which part of a job over shards it is.
    pub(super) part: Option<&'a Part<'a>>,
    /// The memory of workers that are through with what was handed out at once, for those who do the next:
    /// megabytes that are freed and asked for again come to lie beside each other.
    pub(super) spare: Mutex<Vec<Prepared>>,
}

impl Context<'_> {
    /// By what the rejects are told, read when it is first asked for: most runs have none.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn lineage(&self, connection: &mut dyn Connection) -> Result<&Lineage> {
        if let Some(known) = self.known_lineage.get() {
            return Ok(known);
        }
        let read = Lineage::of(&self.sink, connection)?;
        Ok(self.known_lineage.get_or_init(|| read))
    }

    /// The range of the source's key of which no other batch has a row, where batches have such ranges.
    pub(super) fn key_range(&self, bounds: &Bounds) -> Option<KeyRange> {
        self.feed.stateful()?.key_range(bounds)
    }

    /// Holds the map of a shard until the transaction ends, so that no row is written to where a
    /// newer map does not look for it. ORDER: behind the claim, before anything is written.
    pub(super) fn hold_map(&self, connection: &mut dyn Connection) -> Result<()> {
        self.part.map_or(Ok(()), |part| part.hold(connection))
    }

    /// Counts the rejects of a unit, and refuses them where there would be too many. ORDER: last but
    /// the mark, as [`Ledger::count_rejects`].
    pub(super) fn limit_rejects(
        &self,
        connection: &mut dyn Connection,
        unit: &Unit,
        rejects: &[RejectRecord],
    ) -> Result<()> {
        if !rejects.is_empty() {
            let (job_id, count) = (self.place.job_id, rejects.len() as u64);
            self.ledger.count_rejects(connection, job_id, count, self.max_rejects)?;
            self.ledger.check_classes(connection, job_id, &self.class_limits)?;
        }
        // Also where there are none: an attempt that failed may have had some.
        self.part.map_or(Ok(()), |part| part.limit_rejects(self, unit, rejects))
    }

    /// Takes back what was counted of a unit that failed for good.
    pub(super) fn forget_rejects(&self, unit: &Unit, error: &Error) {
        if let Some(part) = self.part.filter(|_| error.kind() != ErrorKind::CommitUnknown) {
            part.forget_rejects(unit);
        }
    }

    /// Tells observers if the deadline will be missed.
    pub(super) fn foresee(&self, unit: &Unit) {
        let Context { patience, forecast, .. } = self;
        let Some((deadline, now)) = patience.ending.deadline() else { return };
        let amount = if unit.phase == Phase::Load { unit.bytes() } else { 1 };
        if let Some(late) = forecast.done(amount, deadline, now) {
            patience.observer.will_be_late(late);
        }
    }

    /// The name by which a phase is told to observers: sealing is the beginning of what comes next.
    pub(super) fn announced(&self, phase: Phase) -> &'static str {
        match phase {
            Phase::Seal if self.sink.merges_in_parallel() => Phase::Merge.name(),
            Phase::Seal => Phase::Finish.name(),
            phase => phase.name(),
        }
    }
}
