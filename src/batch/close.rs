//! The end of a job: its books balance.

use super::context::Context;
use super::ledger::Counts;
use super::worker::Worker;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};

impl Worker<'_> {
    /// The end of the job: every row is accounted for, or the end is not committed.
    pub(super) fn close(&self, connection: &mut dyn Connection, totals: Counts) -> Result<()> {
        let Context { ledger, place, .. } = self.context;
        if !totals.balance() {
            let message = format!(
                "{} rows were read, and not all are accounted for: {totals:?}",
                totals.read
            );
            return Err(Error::new(ErrorKind::Internal, message));
        }
        // Here, and not only behind the end: one that is killed right after it did not crash.
        ledger.end_run(connection, self.context.run_id, "complete", None)?;
        ledger.complete_job(connection, place.job_id)
    }
}
