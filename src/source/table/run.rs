//! What a run knows of its source, and the connections over which it reads.

use super::consistency::Consistency;
use super::facts::Facts;
use super::gate::Gate;
use super::piece::Memo;
use super::snapshot::{self, Snapshot};
use crate::backend::Connection;
use crate::engine::Acquire;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::source::stateful::Surroundings;
use crate::sql::partition::begin_reading;
use parking_lot::Mutex;
use std::sync::Arc;

/// Up to so many, PostgreSQL's defaults (`jit_above_cost`, `min_parallel_table_scan_size`) are out of reach,
/// however far apart the rows lie.
const FEW_ROWS: u64 = 1_000;

/// What a run knows.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) surroundings: Surroundings,
    /// Who lends the connections over which it is read.
    pub(super) lender: Arc<dyn Acquire>,
    pub(super) gate: Gate,
    pub(super) facts: Facts,
    pub(super) consistency: Consistency,
    pub(super) plan: Mutex<Option<Arc<Plan>>>,
    pub(super) snapshot: Mutex<Option<Arc<Snapshot>>>,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) memo: Memo,
    pub(super) text: String,
    pub(super) explanation: Vec<String>,
}

impl Run {
    pub(super) fn planned(&self) -> Result<Arc<Plan>> {
        let plan = self.plan.lock().clone();
        plan.ok_or_else(|| Error::new(ErrorKind::Internal, "the source was not planned"))
    }

    pub(super) fn tables(&self) -> Vec<TableName> {
        self.facts.storage.parts.iter().map(|part| part.table.clone()).collect()
    }

    /// Takes the snapshot of this run, if it is to have one and has none.
    pub(super) fn hold_snapshot(&self) -> Result<()> {
        let mut snapshot = self.snapshot.lock();
        if self.consistency == Consistency::Snapshot && snapshot.is_none() {
            let taken = Snapshot::take(&*self.lender, &self.tables())?;
            *snapshot = Some(Arc::new(taken));
        }
        Ok(())
    }

    /// Lets `work` read with a connection, as of the snapshot if there is one.
    pub(super) fn read<T>(&self, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        self.lend(work, false)
    }

    /// The same for `work` that is one statement for so many `rows`, which needs no transaction where a table
    /// is read as of the instant of each: there is nothing in it that could write, and no second statement
    /// to agree with. For a few rows no server thinks of compiling it or of reading in parallel, so that
    /// the settings of a transaction would change nothing.
    pub(super) fn read_once<T>(
        &self,
        rows: u64,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        let is_single = self.consistency == Consistency::PerBatch && self.facts.has_blocks();
        let is_alone = is_single && rows <= FEW_ROWS;
        self.lend(work, is_alone)
    }

    fn lend<T>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
        is_alone: bool,
    ) -> Result<T> {
        let snapshot = self.snapshot.lock().clone();
        // ORDER: a place, then a connection.
        let _pass = self.gate.enter();
        let as_of = snapshot.as_ref().map(|snapshot| snapshot.name.as_str());
        let (mut work, mut done) = (Some(work), None);
        self.lender.lend(&mut |connection| {
            if let Some(work) = work.take() {
                done = Some(match is_alone {
                    true => work(connection)?,
                    false => self.reading(connection, as_of, work)?,
                });
            }
            Ok(())
        })?;
        done.ok_or_else(|| Error::new(ErrorKind::Internal, "nobody lent a connection"))
    }

    fn reading<T>(
        &self,
        connection: &mut dyn Connection,
        as_of: Option<&str>,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        if !self.facts.capabilities.transaction_modes {
            return work(connection);
        }
        let settings = begin_reading(as_of);
        if as_of.is_some() {
            connection.begin()?;
            connection.run(&settings).map_err(snapshot::gone)?;
        } else {
            connection.begin_with(&settings)?;
        }
        let done = work(connection);
        // Nothing was written; what cannot be ended is closed by the pool.
        let _ = connection.rollback();
        done
    }
}
