//! Rows that were rejected, stored after all.

use super::mode::Mode;
use super::portion::Portion;
use super::staging::Staging;
use super::table::{NotStored, Stored, TableSink};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::stage::{StageTable, state};
use crate::sqlstate::SqlState;

impl TableSink {
    /// Stores rows that were rejected before, in the mode of the table; what `replace` and `mirror`
    /// delete was deleted before. Of several rows with one key, the same counts as in a run.
    ///
    /// A row of the table with the same key and other values may be newer: a row of the input that
    /// came later, another night, a person. Nobody can tell, so the row is refused, unless
    /// `overwrite` says otherwise.
    ///
    /// # Errors
    /// `Database` or `Disconnect`, if it is not the fault of a row.
    pub fn store_again(
        &self,
        connection: &mut dyn Connection,
        portion: Portion<'_>,
        overwrite: bool,
    ) -> Result<Stored> {
        let dialect = connection.capabilities().dialect;
        let layout = self.layout();
        let stage = StageTable::temporary(dialect, &layout.columns, &layout.key)?;
        connection.run(&stage.create_temporary())?;
        let staged = self.staged_once(stage, false);
        let rows = Staging::part(&staged.stage, 0, portion, 0..portion.rows.len())?;
        let mut stored = Stored::default();
        staged.load_rows(connection, &rows.rows, &mut |row, error| {
            let index = portion.indexes[rows.sources[row]];
            stored.refused.push(NotStored::new(0, index, error));
        })?;
        if let Some(policy) = self.target().on_duplicates() {
            stored.duplicates =
                staged.settle_repeats(connection, 0, policy, &mut stored.refused)?;
        }
        let updates = matches!(self.target().mode, Mode::Upsert | Mode::Mirror);
        if updates && !overwrite {
            let kept = staged.take_out_others(connection, &may_be_newer)?;
            stored.refused.extend(kept);
        }
        let mut refused = Vec::new();
        stored += staged.merge_rows(connection, 0, state::LIVE, &mut refused)?;
        stored.refused.extend(refused);
        connection.run(&staged.stage.drop())?;
        Ok(stored)
    }
}

fn may_be_newer() -> Error {
    Error::new(ErrorKind::Database, "the table has another row with this key, which may be newer")
        .with_sqlstate(SqlState::UNIQUE_VIOLATION)
        .with_hint("replay with --overwrite to replace it")
}
