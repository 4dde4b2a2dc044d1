//! The merge of staged rows.

use super::isolate::{isolate, under_savepoint};
use super::mode::Mode;
use super::portion::Portion;
use super::table::{NotStored, Stored};
use super::target::Target;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sql::merge::Merge;
use crate::sql::stage::{StageTable, state};
use crate::sqlstate::SqlState;

/// A stage and where its rows go.
pub(super) struct Staged<'a> {
    pub(super) stage: StageTable,
    pub(super) target: &'a Target,
    pub(super) buckets: u32,
}

/// The batch and the index of a staged row.
type Position = (i64, i64);

const WHOLE: (Position, Position) = ((0, 0), (i32::MAX as i64, i32::MAX as i64));

impl Staged<'_> {
    /// Loads the rows of a batch, and the keys of those that were refused before.
    pub(super) fn load(
        &self,
        connection: &mut dyn Connection,
        batch: u32,
        portion: Portion<'_>,
    ) -> Result<Stored> {
        let mut stored = Stored::default();
        let mut refused = Vec::new();
        let live = self.live_rows(batch, portion)?;
        self.load_rows(connection, &live, &mut |row, error| {
            refused.push(row);
            let index = portion.indexes[row];
            stored.refused.push(NotStored { batch, index, error });
        })?;
        // ORDER: behind the live rows: what the stage itself refuses is named all the same.
        let named = self.named_rows(batch, portion, &refused)?;
        // A key that cannot even be staged is none; its row was refused before.
        self.load_rows(connection, &named, &mut |_, _| {})?;
        Ok(stored)
    }

    fn load_rows(
        &self,
        connection: &mut dyn Connection,
        rows: &Rows,
        refuse: &mut dyn FnMut(usize, Error),
    ) -> Result<()> {
        let columns = self.stage.load_columns()?;
        let whole = 0..rows.len();
        let load = &mut |connection: &mut dyn Connection, part| {
            connection.load(&self.stage.name, &columns, rows, part)
        };
        isolate(connection, std::slice::from_ref(&whole), load, refuse).map(|_| ())
    }

    /// Merges one bucket.
    pub(super) fn merge(&self, connection: &mut dyn Connection, bucket: u32) -> Result<Stored> {
        let mut stored =
            Stored { duplicates: self.drop_superseded(connection, bucket)?, ..Stored::default() };
        let mut refused = Vec::new();
        stored += self.merge_rows(connection, bucket, state::LIVE, &mut refused)?;
        for row in refused {
            // What another bucket has not brought in or taken out yet may be all that is wrong.
            let later = waits_for_others(&row.error);
            let next = if later { state::DEFERRED } else { state::NAMED };
            self.set_state(connection, bucket, &row, next)?;
            if !later {
                stored.refused.push(row);
            }
        }
        Ok(stored)
    }

    /// Deletes what the source does not name, where asked to and where every key can be told, and
    /// gives deferred rows their second chance.
    pub(super) fn finish(&self, connection: &mut dyn Connection, delete: bool) -> Result<Stored> {
        let mut stored = Stored::default();
        // ORDER: before the second chances; a row that goes may be all that is in their way.
        if delete && self.count(connection, 0, state::HIDDEN)? == 0 {
            stored.deleted = connection.execute(&self.statements().delete_missing(), &[])?;
        }
        stored += self.settle(connection)?;
        Ok(stored)
    }

    /// Merges deferred rows, again and again as long as one of them comes through: it may be what
    /// another one waits for.
    fn settle(&self, connection: &mut dyn Connection) -> Result<Stored> {
        let mut stored = Stored::default();
        loop {
            let mut refused = Vec::new();
            let mut came_through = 0;
            for bucket in 0..self.buckets {
                let mut here = Vec::new();
                let done = self.merge_rows(connection, bucket, state::DEFERRED, &mut here)?;
                came_through += done.inserted + done.updated + done.unchanged;
                stored += done;
                refused.extend(here.into_iter().map(|row| (bucket, row)));
            }
            if came_through == 0 || refused.is_empty() {
                stored.refused.extend(refused.into_iter().map(|(_, row)| row));
                return Ok(stored);
            }
            // ORDER: first all are done, then those that were refused are not.
            for bucket in 0..self.buckets {
                self.end_deferral(connection, bucket)?;
            }
            for (bucket, row) in refused {
                self.set_state(connection, bucket, &row, state::DEFERRED)?;
            }
        }
    }

    /// Deletes all rows and merges all buckets; without rows, only where `may_delete` says so.
    pub(super) fn replace(
        &self,
        connection: &mut dyn Connection,
        may_delete: bool,
    ) -> Result<Stored> {
        let mut stored = Stored::default();
        if !may_delete {
            return Ok(stored);
        }
        stored.deleted = connection.execute(&self.statements().delete_all(), &[])?;
        for bucket in 0..self.buckets {
            stored += self.merge(connection, bucket)?;
        }
        stored += self.settle(connection)?;
        Ok(stored)
    }

    fn drop_superseded(&self, connection: &mut dyn Connection, bucket: u32) -> Result<u64> {
        // To append, every row counts: one that meets another is refused.
        if self.stage.key.is_empty() || self.target.mode == Mode::Append {
            return Ok(0);
        }
        let sql = self.statements().drop_superseded(self.target.mode.last_wins());
        connection.execute(&sql, &[Param::from(i64::from(bucket))])
    }

    /// Merges the rows of a bucket that are in `state`, all at once if the database takes them.
    fn merge_rows(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        refused: &mut Vec<NotStored>,
    ) -> Result<Stored> {
        let rows = self.count(connection, bucket, state)?;
        if rows == 0 {
            return Ok(Stored::default());
        }
        let attempt = |connection: &mut dyn Connection, part: (Position, Position), rows: u64| {
            self.merge_part(connection, bucket, state, part, rows)
        };
        match under_savepoint(connection, |connection| attempt(connection, WHOLE, rows)) {
            Err(error) if error.is_data() => {}
            settled => return settled,
        }
        let positions = self.positions(connection, bucket, state)?;
        let middle = positions.len() / 2;
        isolate(
            connection,
            &[0..middle, middle..positions.len()],
            &mut |connection, part| {
                let ends = (positions[part.start], positions[part.end - 1]);
                attempt(connection, ends, part.len() as u64)
            },
            &mut |row, error| {
                let (batch, index) = positions[row];
                refused.push(NotStored { batch: batch as u32, index: index as u32, error });
            },
        )
    }

    fn merge_part(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        ((first_batch, first_index), (last_batch, last_index)): (Position, Position),
        rows: u64,
    ) -> Result<Stored> {
        let params = [
            Param::from(i64::from(bucket)),
            Param::from(i64::from(state)),
            first_batch.into(),
            first_index.into(),
            last_batch.into(),
            last_index.into(),
        ];
        let merge = self.statements();
        let mut stored = Stored::default();
        match self.target.mode {
            Mode::Append | Mode::Replace => {
                stored.inserted = connection.execute(&merge.insert(), &params)?;
            }
            Mode::InsertIgnore => {
                stored.inserted = connection.execute(&merge.insert_ignore(), &params)?;
            }
            Mode::Upsert | Mode::Mirror => {
                // ORDER: updates first; a row that was just inserted must not be looked at again.
                if let Some(update) = merge.update() {
                    stored.updated = connection.execute(&update, &params)?;
                }
                stored.inserted = connection.execute(&merge.insert_missing(), &params)?;
            }
        }
        let touched = stored.inserted + stored.updated;
        stored.unchanged = rows.checked_sub(touched).ok_or_else(|| {
            let message = format!("a merge of {rows} rows touched {touched}");
            Error::new(ErrorKind::Internal, message)
        })?;
        Ok(stored)
    }

    fn statements(&self) -> Merge<'_> {
        Merge { stage: &self.stage, target: &self.target.table }
    }

    fn count(&self, connection: &mut dyn Connection, bucket: u32, state: i16) -> Result<u64> {
        let params = [Param::from(i64::from(bucket)), Param::from(i64::from(state))];
        let mut count = 0;
        connection.query(&self.statements().count(), &params, &mut |row| {
            count = integer(row.cell(0)?)? as u64;
            Ok(())
        })?;
        Ok(count)
    }

    fn positions(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
    ) -> Result<Vec<Position>> {
        let params = [Param::from(i64::from(bucket)), Param::from(i64::from(state))];
        let mut positions = Vec::new();
        connection.query(&self.statements().positions(), &params, &mut |row| {
            positions.push((integer(row.cell(0)?)?, integer(row.cell(1)?)?));
            Ok(())
        })?;
        Ok(positions)
    }

    fn end_deferral(&self, connection: &mut dyn Connection, bucket: u32) -> Result<()> {
        let (from, to) = (i64::from(state::DEFERRED), i64::from(state::NAMED));
        let params = [i64::from(bucket).into(), from.into(), to.into()];
        connection.execute(&self.statements().set_states(), &params).map(|_| ())
    }

    fn set_state(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        row: &NotStored,
        state: i16,
    ) -> Result<()> {
        let params = [
            Param::from(i64::from(bucket)),
            Param::from(i64::from(row.batch)),
            Param::from(i64::from(row.index)),
            Param::from(i64::from(state)),
        ];
        connection.execute(&self.statements().set_state(), &params).map(|_| ())
    }
}

/// Whether a row was refused for a row that another merge may still bring in or take out.
fn waits_for_others(error: &Error) -> bool {
    matches!(
        error.sqlstate(),
        Some(
            SqlState::UNIQUE_VIOLATION
                | SqlState::FOREIGN_KEY_VIOLATION
                | SqlState::EXCLUSION_VIOLATION
        )
    )
}

fn integer(cell: CellRef<'_>) -> Result<i64> {
    <i64 as crate::mapping::cell::Cell>::unpack(cell)
}
