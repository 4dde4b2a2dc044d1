//! Rejects, counted over all shards.
//!
//! Each ledger has the count of its own shard, which no other shard sees. So a run adds up what it
//! found on each of them and what it adds itself; others cannot add any meanwhile, for they do not
//! get the lock of the job. What a shard had rejected that cannot be reached is not known, and
//! does not count.

use crate::batch::ledger::{RejectRecord, too_many};
use crate::batch::limits::RejectClass;
use crate::batch::unit::Phase;
use crate::error::Result;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Whose rejects they are: a shard, and a unit of it.
pub(super) type Of = (usize, Phase, u32);

/// The rejects of all shards: how many there are of whatever kind, then of each kind with a limit.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    earlier: Vec<u64>,
    /// What this run has written, or is about to; as many entries as there are units with rejects.
    now: HashMap<Of, Vec<u64>>,
}

impl Tally {
    /// Adds what earlier runs rejected on a shard.
    pub(super) fn add_earlier(&self, counts: &[u64]) {
        let earlier = &mut self.0.lock().earlier;
        earlier.resize(counts.len(), 0);
        earlier.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }

    /// Counts the rejects of a unit in the place of those of an earlier attempt, and refuses them
    /// where there would be too many.
    ///
    /// # Errors
    /// `RejectLimit`.
    pub(super) fn count(
        &self,
        of: Of,
        rejects: &[RejectRecord],
        limit: u64,
        classes: &[(RejectClass, u64)],
    ) -> Result<()> {
        let mut counted = self.0.lock();
        counted.now.remove(&of);
        if rejects.is_empty() {
            return Ok(());
        }
        let mut counts = vec![rejects.len() as u64];
        counts.extend(
            classes.iter().map(|(class, _)| {
                rejects.iter().filter(|reject| is_of(reject, class)).count() as u64
            }),
        );
        let all = |index: usize| {
            let now = counted.now.values().map(|counts| counts[index]);
            counted.earlier.get(index).copied().unwrap_or_default()
                + now.sum::<u64>()
                + counts[index]
        };
        if all(0) > limit {
            let message = format!("{} rows rejected on all shards, {limit} are allowed", all(0));
            return Err(too_many(message, "max_rejects"));
        }
        for (index, (class, limit)) in classes.iter().enumerate() {
            let count = all(index + 1);
            if count > *limit {
                let message =
                    format!("{count} rows rejected by {class} on all shards, {limit} are allowed");
                return Err(too_many(message, "its limit"));
            }
        }
        counted.now.insert(of, counts);
        Ok(())
    }

    /// Takes back what was counted of a unit.
    pub(super) fn forget(&self, of: Of) {
        self.0.lock().now.remove(&of);
    }
}

fn is_of(reject: &RejectRecord, class: &RejectClass) -> bool {
    match (class.stage(), class.code()) {
        (Some(stage), _) => reject.stage.name() == stage,
        (_, Some(code)) => {
            reject.error.sqlstate().is_some_and(|state| state.code().starts_with(code))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};
    use crate::source::bounds::Origin;
    use crate::source::prepared::Stage;
    use crate::sqlstate::SqlState;

    fn rejects(count: u32) -> Vec<RejectRecord> {
        let error =
            || Error::new(ErrorKind::Encode, "x").with_sqlstate(SqlState::NOT_NULL_VIOLATION);
        let one = |index| {
            RejectRecord::new(0, index, Origin::of_row(1, Vec::new()), Stage::Precheck, error())
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn the_limit_holds_over_shards_and_earlier_runs_and_an_attempt_counts_once() {
        let tally = Tally::default();
        tally.add_earlier(&[1]);
        tally.add_earlier(&[1]);
        let load = |shard, number| (shard, Phase::Load, number);
        tally.count(load(0, 0), &rejects(2), 5, &[]).unwrap();
        tally.count(load(0, 0), &rejects(2), 5, &[]).unwrap();
        tally.count(load(1, 0), &rejects(1), 5, &[]).unwrap();
        let error = tally.count(load(2, 0), &rejects(1), 5, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RejectLimit);
        assert!(error.message().starts_with("6 rows rejected on all shards"), "{error}");
        tally.forget(load(0, 0));
        tally.count(load(2, 0), &rejects(2), 5, &[]).unwrap();
    }

    #[test]
    fn a_kind_has_its_limit_over_all_shards() {
        let tally = Tally::default();
        let classes = [(RejectClass::parse("23").unwrap(), 1)];
        tally.add_earlier(&[1, 0]);
        tally.count((0, Phase::Load, 0), &rejects(1), 9, &classes).unwrap();
        let error = tally.count((1, Phase::Load, 0), &rejects(1), 9, &classes).unwrap_err();
        assert!(error.message().contains("2 rows rejected by 23 on all shards"), "{error}");
    }
}
