//! The buckets of a stage: how many there are, and what makes them fit for merging.

use super::mode::Mode;
use super::table::{StagePlace, TableSink};
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;

/// Rows of a bucket at most, roughly: what one merge locks and one retry repeats. They lie all over the stage: the
/// more buckets there are, the more often each block of it is read.
const BUCKET_ROWS: u64 = 50_000;
/// A stage of few rows has a few buckets all the same, so that they are merged side by side.
const SMALL_BUCKET_ROWS: u64 = 10_000;
const FEW_BUCKETS: u64 = 4;
/// More buckets would only be smaller statements.
const MAX_BUCKETS: u64 = 1_024;

impl TableSink {
    /// Into how many buckets `rows` rows are staged.
    pub fn bucket_count(&self, rows: u64) -> u32 {
        // Only the database knows which keys are equal: one bucket has them all.
        if self.has_loose_key() {
            return 1;
        }
        let few = rows.div_ceil(SMALL_BUCKET_ROWS).min(FEW_BUCKETS);
        rows.div_ceil(BUCKET_ROWS).max(few).clamp(1, MAX_BUCKETS) as u32
    }

    /// Whether keys of other bytes may be equal.
    fn has_loose_key(&self) -> bool {
        self.layout.key.iter().any(|&index| match &self.layout.columns[index].column_type {
            ColumnType::Interval | ColumnType::Jsonb | ColumnType::Array(_) => true,
            other => other.travels_as_text(),
        })
    }

    /// Makes the stage fit for merging, once every batch is in it; in a transaction, whose commit
    /// then waits for the disk. Says whether there may be anything to merge. Can be repeated.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn seal(&self, connection: &mut dyn Connection, place: StagePlace) -> Result<bool> {
        let stage = self.stage(place.job_id)?;
        stage.close().iter().try_for_each(|statement| connection.ahead(statement))?;
        if !self.merges_in_parallel() {
            // All are merged at once, for which nothing is made ready.
            return Ok(true);
        }
        let may_be_stored = self.direct.is_conceivable();
        let has_live = !may_be_stored || has_row(connection, &stage.has_live())?;
        if !has_live && self.target().mode != Mode::Mirror {
            return Ok(false);
        }
        // What was planned may have been an estimate, so the rows themselves are counted, up to a limit.
        let are_few = u64::from(place.buckets) <= FEW_BUCKETS;
        let is_small = match stage.is_large().filter(|_| are_few) {
            Some(is_large) => !has_row(connection, &is_large)?,
            None => false,
        };
        if !has_live {
            // What no row names is still to be looked for, by the keys of those that are in.
            if is_small {
                connection.run(&stage.analyze())?;
            }
            return Ok(false);
        }
        if may_be_stored {
            if !is_small {
                connection.run(&stage.index_live())?;
            }
            self.staged(place)?.unfold_notes(connection)?;
        }
        if is_small {
            connection.run(&stage.analyze())?;
            return Ok(true);
        }
        stage.index_all().iter().try_for_each(|statement| connection.run(statement))?;
        Ok(true)
    }
}

fn has_row(connection: &mut dyn Connection, sql: &str) -> Result<bool> {
    let mut has_row = false;
    connection.query(sql, &[], &mut |_| {
        has_row = true;
        Ok(())
    })?;
    Ok(has_row)
}
