//! The merge of staged rows.

use super::counted::integer;
use super::indexes::Indexes;
use super::isolate::{Trust, isolate};
use super::lately::Lately;
use super::mode::Mode;
use super::portion::Portion;
use super::rules::Rules;
use super::staging::Staging;
use super::table::{NotStored, Stored, TableSink};
use super::target::Target;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sql::merge::{Merge, Reach};
use crate::sql::stage::{StageTable, state};
use crate::sqlstate::SqlState;

/// A stage and where its rows go.
#[derive(Clone)]
pub(super) struct Staged<'a> {
    pub(super) stage: StageTable,
    pub(super) target: &'a Target,
    pub(super) buckets: u32,
    pub(super) rules: &'a Rules,
    /// Whether batches may have been loaded straight into the target.
    pub(super) loads_directly: bool,
    pub(super) lately: &'a Lately,
    /// Whether some of the rows are known, or likely, to be refused.
    pub(super) are_doubtful: bool,
    /// Whether a bucket is worked on, or all from there on.
    pub(super) reach: Reach,
}

/// The batch and the index of a staged row.
pub(super) type Position = (i64, i64);

pub(super) const WHOLE: (Position, Position) = ((0, 0), (i32::MAX as i64, i32::MAX as i64));

impl TableSink {
    /// Rows in a stage of one transaction alone; `are_doubtful` says that some were refused already.
    pub(super) fn staged_once(&self, stage: StageTable, are_doubtful: bool) -> Staged<'_> {
        let (target, rules, lately) = (self.target(), self.rules(), self.lately());
        let (loads_directly, reach) = (false, Reach::One);
        Staged { stage, target, buckets: 1, rules, loads_directly, lately, are_doubtful, reach }
    }
}

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
        let (rows, whole) = ((portion.rows, portion.indexes), (batch, 0..portion.rows.len()));
        let live = Staging::live(&self.stage, self.buckets, rows, &[whole])?;
        self.load_rows(connection, &live.rows, &mut |row, error| {
            refused.push(live.sources[row]);
            let index = portion.indexes[live.sources[row]];
            stored.refused.push(NotStored::new(batch, index, error));
        })?;
        // ORDER: behind the live rows: what the stage itself refuses is named all the same.
        self.load_named(connection, batch, portion, &refused)?;
        Ok(stored)
    }

    /// Stages the keys of rows that were refused before, and of those good rows that are in `refused`.
    pub(super) fn load_named(
        &self,
        connection: &mut dyn Connection,
        batch: u32,
        portion: Portion<'_>,
        refused: &[usize],
    ) -> Result<()> {
        let named = Staging::named(&self.stage, self.buckets, batch, portion, refused)?;
        // A key that cannot even be staged is none; its row was refused before.
        self.load_rows(connection, &named.rows, &mut |_, _| {})
    }

    pub(super) fn load_rows(
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
        let parts = std::slice::from_ref(&whole);
        isolate(connection, parts, Trust::to_the_end(true), load, refuse).map(|_| ())
    }

    /// Merges one bucket.
    pub(super) fn merge(&self, connection: &mut dyn Connection, bucket: u32) -> Result<Stored> {
        let mut stored = Stored::default();
        if Self::count_by(connection, &self.statements().count_live(), bucket)? == 0 {
            return Ok(stored);
        }
        if self.loads_directly {
            stored += self.settle_stored(connection, bucket)?;
        }
        self.look_up_by_key(connection)?;
        stored.duplicates += self.settle_sealed(connection, bucket, &mut stored.refused)?;
        let mut refused = Vec::new();
        stored += self.merge_rows(connection, bucket, state::LIVE, &mut refused)?;
        // What another bucket has not brought in or taken out yet may be all that is wrong.
        let waits = |row: &NotStored| is_for_another(&row.error);
        let (later, refused): (Vec<_>, Vec<_>) = refused.into_iter().partition(waits);
        self.set_state(connection, bucket, &later, state::DEFERRED)?;
        self.set_state(connection, bucket, &refused, state::NAMED)?;
        stored.refused.extend(refused);
        Ok(stored)
    }

    /// Deletes what the source does not name, where asked to and where every key can be told, and
    /// gives deferred rows their second chance.
    pub(super) fn finish(&self, connection: &mut dyn Connection, delete: bool) -> Result<Stored> {
        let mut stored = Stored::default();
        // ORDER: before the second chances; a row that goes may be all that is in their way.
        if delete {
            stored.held_back = self.count(connection, 0, state::HIDDEN)? > 0;
            if !stored.held_back {
                stored.deleted = connection.execute(&self.statements().delete_missing(), &[])?;
            }
        }
        stored += self.settle(connection)?;
        Ok(stored)
    }

    /// Merges deferred rows, again and again as long as one of them comes through: it may be what
    /// another one waits for.
    fn settle(&self, connection: &mut dyn Connection) -> Result<Stored> {
        // ORDER: after a deletion, which reads both tables from end to end.
        self.look_up_by_key(connection)?;
        let mut stored = Stored::default();
        loop {
            let mut refused = Vec::new();
            let mut came_through = 0;
            let buckets = self.buckets_with(connection, state::DEFERRED)?;
            for &bucket in &buckets {
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
            for &bucket in &buckets {
                self.end_deferral(connection, bucket)?;
            }
            for rows in refused.chunk_by(|one, other| one.0 == other.0) {
                let bucket = rows[0].0;
                let rows = rows.iter().map(|(_, row)| row);
                self.set_state(connection, bucket, rows, state::DEFERRED)?;
            }
        }
    }

    /// Deletes all rows and merges all buckets; without rows, only where `may_delete` says so.
    pub(super) fn replace(
        &self,
        connection: &mut dyn Connection,
        may_delete: bool,
    ) -> Result<Stored> {
        if !may_delete {
            return Ok(Stored::default());
        }
        if self.target.indexes == Indexes::Rebuild
            && let Some(stored) = self.rebuild(connection)?
        {
            return Ok(stored);
        }
        let deleted = connection.execute(&self.statements().delete_all(), &[])?;
        Ok(Stored { deleted, ..self.fill(connection)? })
    }

    /// Merges all buckets, at once if the database takes every row, and else one by one, and then what had
    /// to wait for others.
    pub(super) fn fill(&self, connection: &mut dyn Connection) -> Result<Stored> {
        if let Some(stored) = self.fill_at_once(connection)? {
            return Ok(stored);
        }
        self.stage.index_all().iter().try_for_each(|statement| connection.run(statement))?;
        let mut stored = Stored::default();
        for bucket in 0..self.buckets {
            stored += self.merge(connection, bucket)?;
        }
        stored += self.settle(connection)?;
        Ok(stored)
    }

    /// Has the target looked up by its key from now on in this transaction: a bucket is a small
    /// part of it, which a planner that knows nothing of the others reads from end to end for each.
    pub(super) fn look_up_by_key(&self, connection: &mut dyn Connection) -> Result<()> {
        match self.stage.dialect.prefer_key_lookups() {
            Some(settings) => connection.ahead(settings),
            None => Ok(()),
        }
    }

    /// Takes out the rows of the first bucket that would change a row of the target; each is refused
    /// with what `refusal` makes.
    pub(super) fn take_out_others(
        &self,
        connection: &mut dyn Connection,
        refusal: &dyn Fn() -> Error,
    ) -> Result<Vec<NotStored>> {
        let Some(sql) = self.statements().changing() else { return Ok(Vec::new()) };
        let params = [Param::from(0_i64), Param::from(i64::from(state::LIVE))];
        let mut found = Vec::new();
        connection.query(&sql, &params, &mut |row| {
            let (batch, index) = (integer(row.cell(0)?)? as u32, integer(row.cell(1)?)? as u32);
            found.push(NotStored::new(batch, index, refusal()));
            Ok(())
        })?;
        self.set_state(connection, 0, &found, state::NAMED)?;
        Ok(found)
    }

    pub(super) fn merge_part(
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
                // Where every row was there and was changed, none is missing.
                if stored.updated < rows {
                    stored.inserted = connection.execute(&merge.insert_missing(), &params)?;
                }
            }
        }
        let touched = stored.inserted + stored.updated;
        stored.unchanged = rows.checked_sub(touched).ok_or_else(|| {
            let message = format!("a merge of {rows} rows touched {touched}");
            Error::new(ErrorKind::Internal, message)
        })?;
        Ok(stored)
    }

    pub(super) fn statements(&self) -> Merge<'_> {
        Merge { stage: &self.stage, target: &self.target.table, reach: self.reach }
    }

    fn end_deferral(&self, connection: &mut dyn Connection, bucket: u32) -> Result<()> {
        let (from, to) = (i64::from(state::DEFERRED), i64::from(state::NAMED));
        let params = [i64::from(bucket).into(), from.into(), to.into()];
        connection.execute(&self.statements().set_states(), &params).map(|_| ())
    }

    pub(super) fn set_state<'r>(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        rows: impl IntoIterator<Item = &'r NotStored>,
        state: i16,
    ) -> Result<()> {
        let rows: Vec<_> = rows.into_iter().map(|row| (row.batch, row.index)).collect();
        // The numbers stand in the text, which is not kept: `run` prepares nothing.
        rows.chunks(STATES_AT_ONCE)
            .try_for_each(|rows| connection.run(&self.statements().set_state(bucket, rows, state)))
    }
}

/// So many rows get another state by one statement.
const STATES_AT_ONCE: usize = 1_000;

/// Whether a row was refused for another one, which another merge may still bring in or take out.
pub(super) fn is_for_another(error: &Error) -> bool {
    matches!(
        error.sqlstate(),
        Some(
            SqlState::UNIQUE_VIOLATION
                | SqlState::FOREIGN_KEY_VIOLATION
                | SqlState::EXCLUSION_VIOLATION
        )
    )
}
