//! What the run of one shard knows of the whole.

use super::spread::Spread;
use super::tally::Tally;
use crate::backend::Connection;
use crate::batch::context::Context;
use crate::batch::ledger::RejectRecord;
use crate::batch::plan::Plan;
use crate::batch::unit::Unit;
use crate::error::{Error, ErrorKind, Result};
use crate::sharding::{ShardId, ShardedEngine};
use std::sync::Arc;

/// What the run of one shard knows of the whole.
pub(in crate::batch) struct Part<'a> {
    pub(super) shards: &'a ShardedEngine,
    pub(super) shard: ShardId,
    pub(super) spread: &'a Spread,
    /// For a shard that has none yet.
    pub(super) plan: Option<Arc<Plan>>,
    pub(super) tally: &'a Tally,
}

impl Part<'_> {
    /// By what rows are spread.
    pub(in crate::batch) fn spread(&self) -> &Spread {
        self.spread
    }

    /// The plan that all shards have.
    ///
    /// # Errors
    /// `Ledger` if the shard had one a moment ago.
    pub(in crate::batch) fn plan(&self) -> Result<Arc<Plan>> {
        self.plan.clone().ok_or_else(|| {
            Error::new(ErrorKind::Ledger, "the shard has lost the job a moment ago")
                .with_hint("the same command begins again")
        })
    }

    /// Holds the map of the shard until the transaction ends.
    ///
    /// # Errors
    /// `Shard` if it is another one, with the difference.
    pub(in crate::batch) fn hold(&self, connection: &mut dyn Connection) -> Result<()> {
        self.shards.hold_map(self.shard, connection)
    }

    /// Counts the rejects of a unit over all shards.
    ///
    /// # Errors
    /// `RejectLimit` where there would be too many.
    pub(in crate::batch) fn limit_rejects(
        &self,
        context: &Context<'_>,
        unit: &Unit,
        rejects: &[RejectRecord],
    ) -> Result<()> {
        let of = (self.shard.index(), unit.phase, unit.number());
        self.tally.count(of, rejects, context.max_rejects, &context.class_limits)
    }

    /// Takes back what was counted of a unit.
    pub(in crate::batch) fn forget_rejects(&self, unit: &Unit) {
        self.tally.forget((self.shard.index(), unit.phase, unit.number()));
    }
}
