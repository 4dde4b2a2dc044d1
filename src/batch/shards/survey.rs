//! What each shard has of the job, before anything is done.

use super::run::Whole;
use super::tally::Tally;
use crate::backend::Connection;
use crate::batch::ledger::{JobRecord, Ledger};
use crate::error::Result;
use crate::sharding::ShardId;
use crate::source::bounds::Bounds;
use std::time::Duration;

/// What a shard has of the job.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) ledger: Ledger,
    pub(super) job: JobRecord,
    /// Batches that are not done, with their rows and bytes.
    pub(super) open: [u64; 3],
    /// Its rejects: of whatever kind, and of each kind that has a limit.
    pub(super) rejected: Vec<u64>,
}

impl Found {
    /// Whether a batch of it is done.
    fn has_begun(&self) -> bool {
        self.job.complete || self.open[0] < self.job.batches
    }
}

/// What the shards have of the job, each in its place: nothing, where it has not run there yet.
#[derive(Debug)]
pub(super) struct Survey(pub(super) Vec<Result<Option<Found>>>);

impl Survey {
    /// Looks at the shards that were `reached`, at once if the run is parallel. Each is asked for its
    /// map, too.
    ///
    /// # Errors
    /// `Internal` if the thread holds a connection; what is amiss on a shard is in its place.
    pub(super) fn of(whole: &Whole<'_>, reached: &[Result<()>]) -> Result<Self> {
        let look = |shard: ShardId| match &reached[shard.index()] {
            Ok(()) => whole.shards.with_on(shard, |connection| find(whole, connection)),
            Err(error) => Err(error.without_source()),
        };
        on_all(whole, look).map(Self)
    }

    /// Whether all shards are complete.
    pub(super) fn is_complete(&self) -> bool {
        self.0.iter().all(|found| matches!(found, Ok(Some(found)) if found.job.complete))
    }

    /// Whether a shard can be asked, and has no plan.
    pub(super) fn lacks_plan(&self) -> bool {
        self.0.iter().any(|found| matches!(found, Ok(None)))
    }

    /// Whether a batch is done on any shard.
    pub(super) fn has_begun(&self) -> bool {
        self.there().any(|(_, found)| found.has_begun())
    }

    /// Counts what earlier runs rejected, on whatever shard.
    pub(super) fn count_rejects(&self, tally: &Tally) {
        self.there().for_each(|(_, found)| tally.add_earlier(&found.rejected));
    }

    /// The shard whose plan holds for all: the first that has something to do, or else one that is
    /// through.
    pub(super) fn planned(&self) -> Option<(usize, &Found)> {
        self.there().find(|(_, found)| !found.job.complete).or_else(|| self.there().next())
    }

    fn there(&self) -> impl Iterator<Item = (usize, &Found)> {
        let found = self.0.iter().enumerate();
        found.filter_map(|(place, found)| Some((place, found.as_ref().ok()?.as_ref()?)))
    }
}

/// Finds out which shards can be reached: one that cannot is told within seconds, as long as nothing
/// has begun.
///
/// # Errors
/// `Internal` if the thread holds a connection.
pub(super) fn reach(whole: &Whole<'_>) -> Result<Vec<Result<()>>> {
    on_all(whole, |shard| whole.shards.at(shard, whole.shards.engine(shard).reach(PATIENCE)))
}

/// For so long a shard that cannot be reached is tried at the start of a run.
const PATIENCE: Duration = Duration::from_secs(3);

fn on_all<T: Send>(
    whole: &Whole<'_>,
    work: impl Fn(ShardId) -> Result<T> + Sync,
) -> Result<Vec<Result<T>>> {
    let ids: Vec<_> = whole.shards.ids().collect();
    if whole.parallel {
        return whole.shards.on_each(&ids, |shard, _| work(shard));
    }
    Ok(ids.into_iter().map(work).collect())
}

fn find(whole: &Whole<'_>, connection: &mut dyn Connection) -> Result<Option<Found>> {
    if Ledger::find(connection, whole.ledger)?.is_none() {
        return Ok(None);
    }
    // One of an older version is brought up to this one before it is relied upon.
    let ledger = Ledger::open(connection, whole.ledger)?;
    let Some(job) = ledger.job(connection, whole.identity)? else { return Ok(None) };
    let open = ledger.open_totals(connection, job.id)?;
    let classes: Vec<_> = whole.class_limits.iter().map(|(class, _)| (class.clone(), 0)).collect();
    let rejected = ledger.reject_counts(connection, job.id, &classes)?;
    Ok(Some(Found { ledger, job, open, rejected }))
}

/// The batches of a plan; none where they were pruned.
pub(super) fn batches(
    found: &Found,
    connection: &mut dyn Connection,
) -> Result<Option<Vec<Bounds>>> {
    let batches = found.ledger.batches(connection, found.job.id)?;
    Ok((batches.len() as u64 == found.job.batches).then_some(batches))
}
