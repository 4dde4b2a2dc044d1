//! What was staged of rows that were refused, for a source that does not find them again.

use super::staged::Staged;
use super::table::NotStored;
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::rows::Rows;

impl Staged<'_> {
    /// Keeps what was staged of the rows that were refused, for a source that does not find them
    /// again.
    pub(super) fn keep(
        &self,
        connection: &mut dyn Connection,
        rows: &mut [NotStored],
    ) -> Result<()> {
        for row in rows {
            row.staged = self.staged_row(connection, row)?;
        }
        Ok(())
    }

    /// What was staged of a row.
    fn staged_row(&self, connection: &mut dyn Connection, row: &NotStored) -> Result<Option<Rows>> {
        let mut types: Vec<_> =
            self.stage.load_columns()?.into_iter().map(|column| column.column_type).collect();
        types.truncate(self.stage.columns.len());
        let sql = self.statements().one_row(row.batch, row.index);
        let mut found = None;
        connection.unload(&sql, &types, &mut |staged| {
            let mut rows = Rows::new(types.len() as u16);
            let mut writer = rows.begin();
            writer.fields(&staged.fields, types.len() as u16, true);
            writer.finish()?;
            found = Some(rows);
            Ok(())
        })?;
        Ok(found)
    }
}
