//! Rows of a batch that the database refused without saying which, or of which it refused many.
//!
//! They are loaded into a temporary table without constraints, judged there by a query for each kind
//! of constraint, and what is left is inserted by one statement: a few round trips, however many
//! rows are bad. After a batch with many of them the next one comes here at once.

use super::isolate::tried;
use super::portion::Portion;
use super::staging::Staging;
use super::table::{NotStored, Stored, TableSink};
use crate::backend::Connection;
use crate::error::Result;
use crate::sql::stage::{StageTable, state};
use std::ops::Range;

impl TableSink {
    /// Stores the rows of `range`; `None`, with nothing changed, if there can be no temporary table.
    ///
    /// # Errors
    /// `Database` or `Disconnect`, if it is not the fault of a row.
    pub(super) fn store_suspects(
        &self,
        connection: &mut dyn Connection,
        batch: u32,
        portion: Portion<'_>,
        range: Range<usize>,
    ) -> Result<Option<Stored>> {
        let dialect = connection.capabilities().dialect;
        let layout = self.layout();
        let stage = StageTable::temporary(dialect, &layout.columns, &layout.key)?;
        let created = tried(connection, |connection| connection.run(&stage.create_temporary()))?;
        if created.is_none() {
            return Ok(None);
        }
        let staged = self.staged_once(stage, true);
        let rows = Staging::part(&staged.stage, batch, portion, range)?;
        let mut stored = Stored::default();
        staged.load_rows(connection, &rows.rows, &mut |row, error| {
            let index = portion.indexes[rows.sources[row]];
            stored.refused.push(NotStored::new(batch, index, error));
        })?;
        let mut refused = Vec::new();
        stored += staged.merge_rows(connection, 0, state::LIVE, &mut refused)?;
        stored.refused.extend(refused);
        Ok(Some(stored))
    }
}
