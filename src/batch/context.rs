//! What all parts of a run share.

use super::forecast::Forecast;
use super::ledger::Ledger;
use super::limits::{Limits, RejectClass};
use super::lineage::Lineage;
use super::meter::Meter;
use super::patience::Patience;
use super::unit::Phase;
use crate::backend::Connection;
use crate::error::Result;
use crate::sink::destination::Sink;
use crate::sink::table::StagePlace;
use crate::source::feed::Feed;
use crate::trace::Span;
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
    /// How many rows may be rejected, by all runs and all processes together.
    pub(super) max_rejects: u64,
    /// The same for kinds of them.
    pub(super) class_limits: Vec<(RejectClass, u64)>,
    /// Where in each phase this run begins, as a share of it, if others work on the job, too.
    pub(super) joins_at: Option<f64>,
    pub(super) meter: &'a Meter,
    pub(super) span: &'a Span,
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

    /// The name by which a phase is told to observers: sealing is the beginning of what comes next.
    pub(super) fn announced(&self, phase: Phase) -> &'static str {
        match phase {
            Phase::Seal if self.sink.merges_in_parallel() => Phase::Merge.name(),
            Phase::Seal => Phase::Finish.name(),
            phase => phase.name(),
        }
    }
}
