//! The steps of a move, each of which can be done again.

use super::catch_up::{self, Round};
use super::copy;
use super::merge;
use super::mover::Reshard;
use super::parties::Parties;
use super::record::{MoveStatus, MoveStep};
use super::sweep;
use crate::error::Result;
use crate::sharding::ShardId;

impl Reshard {
    pub(super) fn copy(&self, parties: &Parties, status: &mut MoveStatus) -> Result<MoveStep> {
        for table in &parties.tables {
            // ORDER: before the first row is read.
            for giver in parties.routes.givers() {
                parties.define(giver, |connection| {
                    table.rows(connection.capabilities().dialect).capture()
                })?;
            }
            for taker in parties.routes.takers() {
                parties.define(taker, |connection| {
                    let rows = table.rows(connection.capabilities().dialect);
                    match connection.table_info(&rows.stage()?)? {
                        Some(_) => Ok(Vec::new()),
                        None => rows.create_stage(),
                    }
                })?;
            }
        }
        status.rows_copied = 0;
        for table in &parties.tables {
            for way in parties.routes.pairs() {
                parties.go_on()?;
                let (copied, refused) = copy::copy(parties, &status.name, table, way, &self.copy)?;
                catch_up::note(parties, way.0, table, &refused)?;
                status.rows_copied += copied;
                self.keep(parties, status)?;
            }
        }
        Ok(MoveStep::CatchUp)
    }

    pub(super) fn catch_up(&self, parties: &Parties, status: &mut MoveStatus) -> Result<MoveStep> {
        let givers = parties.routes.givers();
        let near = |status: &mut MoveStatus| {
            givers.iter().try_for_each(|giver| {
                while !self.round(parties, status, *giver)?.is_near() {}
                Ok(())
            })
        };
        near(status)?;
        for taker in parties.routes.takers() {
            merge::rehearse(parties, taker)?;
        }
        // That took its time, and left more to do.
        near(status)?;
        Ok(MoveStep::Switch)
    }

    fn round(&self, parties: &Parties, status: &mut MoveStatus, giver: ShardId) -> Result<Round> {
        let round = catch_up::round(parties, giver)?;
        if round.settled > 0 {
            status.rows_caught_up += round.rows;
            self.keep(parties, status)?;
        }
        Ok(round)
    }

    pub(super) fn switch(&self, parties: &Parties, status: &mut MoveStatus) -> Result<MoveStep> {
        let givers = parties.routes.givers();
        // ORDER: from here to the end of the merge nobody can write to these buckets: who gives has the
        // next map, and who takes has not.
        parties.publish(&givers)?;
        for giver in givers {
            while self.round(parties, status, giver)?.settled > 0 {}
        }
        Ok(MoveStep::Merge)
    }

    pub(super) fn merge(&self, parties: &Parties, status: &mut MoveStatus) -> Result<MoveStep> {
        let givers = parties.routes.givers();
        for &giver in &givers {
            for table in &parties.tables {
                // ORDER: before the rows are deleted, which are no changes.
                parties.define(giver, |connection| {
                    table.rows(connection.capabilities().dialect).pause()
                })?;
            }
        }
        for &giver in &givers {
            for table in parties.tables.iter().rev() {
                status.rows_deleted += sweep::sweep(parties, giver, table)?;
                self.keep(parties, status)?;
            }
        }
        // ORDER: behind the deletions. Nobody who reads all shards by the next map gets an answer of
        // this one before, and afterwards every row is there once.
        let takers = parties.routes.takers();
        for &taker in &takers {
            merge::merge(parties, taker)?;
        }
        let is_other = |shard: &ShardId| !givers.contains(shard) && !takers.contains(shard);
        parties.publish(&self.shards.ids().filter(is_other).collect::<Vec<_>>())?;
        Ok(MoveStep::Clean)
    }

    /// Takes away what the move needed.
    pub(super) fn clean(parties: &Parties) -> Result<MoveStep> {
        for table in &parties.tables {
            for giver in parties.routes.givers() {
                parties.define(giver, |connection| {
                    table.rows(connection.capabilities().dialect).release()
                })?;
            }
            for taker in parties.routes.takers() {
                parties.define(taker, |connection| {
                    Ok(vec![table.rows(connection.capabilities().dialect).drop_stage()?])
                })?;
            }
        }
        Ok(MoveStep::Done)
    }

    /// Records that the next step begins.
    pub(super) fn enter(
        &self,
        parties: &Parties,
        status: &mut MoveStatus,
        next: MoveStep,
    ) -> Result<()> {
        status.step = next;
        self.keep(parties, status)?;
        // On the others it stands for whoever looks at them.
        let home = Self::home();
        let others = [parties.routes.givers(), parties.routes.takers()].concat();
        for shard in others.into_iter().filter(|shard| *shard != home) {
            parties.write(shard, |connection| status.update(connection))?;
        }
        Ok(())
    }

    fn keep(&self, parties: &Parties, status: &MoveStatus) -> Result<()> {
        parties.write(Self::home(), |connection| status.update(connection))?;
        self.tell(status);
        Ok(())
    }

    pub(super) fn tell(&self, status: &MoveStatus) {
        self.told.iter().for_each(|tell| tell(status));
    }
}
