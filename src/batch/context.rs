//! What all parts of a run share.

use super::budget::Budget;
use super::ledger::Ledger;
use super::limits::Limits;
use super::meter::Meter;
use super::patience::Patience;
use crate::sink::table::{StagePlace, TableSink};
use crate::source::feed::Feed;
use crate::trace::Span;

/// What all parts of a run share.
pub(super) struct Context<'a> {
    pub(super) patience: &'a Patience<'a>,
    pub(super) feed: &'a dyn Feed,
    pub(super) sink: TableSink,
    pub(super) ledger: Ledger,
    pub(super) place: StagePlace,
    pub(super) run_id: i64,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    pub(super) meter: &'a Meter,
    pub(super) span: &'a Span,
}
