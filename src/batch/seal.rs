//! The end of loading: the stage is made fit for merging.

use super::context::Context;
use super::refused::repeated;
use super::transaction;
use super::worker::Worker;
use crate::backend::Connection;
use crate::error::Result;
use crate::sink::table::{Stored, TableSink};

impl Worker<'_> {
    /// Seals the stage; once every batch is in. Where no row of it is to be merged, it does the merges as
    /// well, which is to say that there are none.
    pub(super) fn seal(&self, connection: &mut dyn Connection, sink: &TableSink) -> Result<Stored> {
        let Context { ledger, place, run_id, .. } = self.context;
        if !sink.seal(connection, *place)? {
            ledger.complete_merges(connection, place.job_id, *run_id)?;
            // Nobody has relied on it before the end of the job, which waits for the disk.
            transaction::need_not_wait(connection)?;
            return Ok(Stored::default());
        }
        match sink.forbidden_repeat(connection, *place)? {
            None => Ok(Stored::default()),
            Some(repeat) => Err(repeated(self.context, connection, repeat)?),
        }
    }
}
