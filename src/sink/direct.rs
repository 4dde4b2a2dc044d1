//! Batches whose keys are all new, loaded straight into the table: they are written once, not twice.
//!
//! It is tried under a savepoint, where the table has one unique index, that of the key, and nothing
//! else in the database has a say in whether a row is taken. A batch that meets a row is staged
//! instead, as a whole. Of one that is in, the keys are staged, in the same transaction: so whatever
//! comes later, in whatever order the workers come, a merge knows of each key which rows of the
//! input have it, and the last of the input counts as it would without any of this.
//!
//! Where batches are ranges of a key, those whose rows keep to it are stored directly for a better reason:
//! see [`apart`](super::apart).

use super::apart::keys_apart;
use super::isolate::UNDO;
use super::mode::Mode;
use super::portion::Portion;
use super::rules::Rules;
use super::staged::Staged;
use super::staging::Staging;
use super::table::{StagePlace, Stored, TableSink};
use super::target::Target;
use crate::backend::Connection;
use crate::backend::capabilities::Capabilities;
use crate::error::{Error, Result};
use crate::mapping::layout::Layout;
use crate::sql::merge::Merge;
use crate::sql::stage::state;
use crate::sqlstate::SqlState;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Whether batches are tried directly, and how that went in this run.
#[derive(Debug, Default)]
pub(super) struct Direct {
    /// Whether the mode lets them: the same in all runs of a job.
    conceivable: bool,
    /// Whether the table lets them, too.
    possible: bool,
    hits: AtomicU32,
    misses: AtomicU32,
    /// Whether the rows of the last batch whose keys were apart were new.
    were_new: AtomicBool,
}

/// Who waits has met a key of another batch, which may wait for one of this: the server would find that
/// out after a second.
const TRY: &str = "SAVEPOINT rowmill_part; SET LOCAL lock_timeout = '200ms'";
/// A rollback to the savepoint takes the limit back, too.
const KEEP: &str = "SET LOCAL lock_timeout TO DEFAULT; RELEASE SAVEPOINT rowmill_part";

/// So many batches have to have gone in for each that did not.
const HITS_A_MISS: u32 = 16;

impl Direct {
    /// What a table lets; `exists` is whether it was there, or is created with its key alone.
    pub(super) fn of(
        target: &Target,
        layout: &Layout,
        rules: &Rules,
        exists: bool,
        capabilities: &Capabilities,
    ) -> Self {
        let is_key = |index: &usize| !layout.columns[*index].nullable;
        let knows_keys = !layout.key.is_empty() && layout.key.iter().all(is_key);
        let as_bytes = layout.columns.iter().all(|column| !column.column_type.travels_as_text());
        let last_counts = matches!(target.mode, Mode::Upsert | Mode::Mirror)
            && target.stated_duplicates().is_none();
        let sole_key = !exists || (rules.judges && is_that_of(&rules.sole_key, layout));
        let conceivable = capabilities.copy && last_counts;
        let possible = conceivable && knows_keys && as_bytes && sole_key;
        Self { conceivable, possible, ..Self::default() }
    }

    /// Has no batch tried in this run.
    pub(super) fn forgo(&mut self) {
        self.possible = false;
    }

    /// Whether there may be rows that were loaded directly, in this run or in one before it, when the
    /// table was another one.
    pub(super) fn is_conceivable(&self) -> bool {
        self.conceivable
    }

    /// Whether batches whose keys no other can have are stored directly.
    pub(super) fn is_possible(&self) -> bool {
        self.possible
    }

    /// Whether the rows of the next of them are thought to be new.
    pub(super) fn are_new(&self) -> bool {
        self.were_new.load(Ordering::Relaxed)
    }

    pub(super) fn note_apart(&self, stored: &Stored) {
        let were_new = stored.inserted > stored.updated + stored.unchanged;
        self.were_new.store(were_new, Ordering::Relaxed);
    }

    /// Whether the next batch is tried.
    pub(super) fn is_worth_it(&self) -> bool {
        let misses = self.misses.load(Ordering::Relaxed);
        self.possible && self.hits.load(Ordering::Relaxed) >= misses.saturating_mul(HITS_A_MISS)
    }

    pub(super) fn note(&self, is_in: bool) {
        let count = if is_in { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether these are the columns of the key, in any order.
fn is_that_of(columns: &[String], layout: &Layout) -> bool {
    let has =
        |index: &usize| columns.iter().any(|name| layout.columns[*index].name.as_str() == name);
    columns.len() == layout.key.len() && layout.key.iter().all(has)
}

impl TableSink {
    /// Stores the rows of a batch directly, if their keys are apart or all are new, or else in the stage.
    pub(super) fn stage_batch(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
        batch: u32,
        portion: Portion<'_>,
    ) -> Result<Stored> {
        let staged = self.staged(place)?;
        if let Some(stored) = self.upsert_apart(&staged, connection, batch, portion)? {
            return Ok(stored);
        }
        // Where some batches are apart, all others are staged: one that is loaded would not be found
        // to be before or behind one of those.
        let is_loaded = portion.key_range.is_none() && self.direct.is_worth_it();
        if is_loaded && !portion.rows.is_empty() {
            let loaded = staged.load_directly(connection, batch, portion)?;
            self.direct.note(loaded.is_some());
            if let Some(stored) = loaded {
                return Ok(stored);
            }
        }
        staged.load(connection, batch, portion)
    }

    /// Upserts the rows of a batch whose keys no other batch can have; `None` if they are not such.
    fn upsert_apart(
        &self,
        staged: &Staged<'_>,
        connection: &mut dyn Connection,
        batch: u32,
        portion: Portion<'_>,
    ) -> Result<Option<Stored>> {
        if !self.direct.is_possible() {
            return Ok(None);
        }
        let whole = 0..portion.rows.len();
        let range = portion.key_range.filter(|_| !portion.rows.is_empty());
        let keys = range.and_then(|range| keys_apart(&self.layout, portion.rows, whole, range));
        let Some(keys) = keys else { return Ok(None) };
        let is_new = self.direct.are_new();
        let stored = staged.upsert_apart(connection, batch, portion, &keys, is_new)?;
        if let Some(stored) = &stored {
            self.direct.note_apart(stored);
        }
        Ok(stored)
    }
}

impl Staged<'_> {
    /// Loads the rows of a batch straight into the target; `None`, and nothing changed, if one of them
    /// meets a row.
    ///
    /// # Errors
    /// An error after which the transaction cannot go on, or has to be run again.
    pub(super) fn load_directly(
        &self,
        connection: &mut dyn Connection,
        batch: u32,
        portion: Portion<'_>,
    ) -> Result<Option<Stored>> {
        let keys = Staging::stored(&self.stage, self.buckets, batch, portion, state::STORED)?;
        connection.ahead(TRY)?;
        let whole = 0..portion.rows.len();
        let columns = &self.stage.columns;
        let loaded = connection.load(&self.target.table, columns, portion.rows, whole).and_then(
            |inserted| {
                let columns = self.stage.load_columns()?;
                connection.load(&self.stage.name, &columns, &keys.rows, 0..keys.rows.len())?;
                Ok(inserted)
            },
        );
        match loaded {
            Ok(inserted) => {
                connection.ahead(KEEP)?;
                self.load_named(connection, batch, portion, &[])?;
                Ok(Some(Stored { inserted, ..Stored::default() }))
            }
            Err(error) if error.is_data() || is_crossing(&error) => {
                connection.run(UNDO).map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    /// Settles the rows of a bucket whose key is stored: those that another one supersedes go, and
    /// the last of the input takes the place of what is stored. The row that was stored has been
    /// counted, so each other one of its key is a duplicate; but one that changes what was there before
    /// the job is an update, for nobody knows any more what was there.
    pub(super) fn settle_stored(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
    ) -> Result<Stored> {
        let statements = self.statements();
        let mut stored = Stored::default();
        if Self::count_by(connection, &statements.count_stored(), bucket)? == 0 {
            return Ok(stored);
        }
        connection.ahead(Merge::compare_by_hash())?;
        let mut marked = 0;
        for (stored, replacing) in REPLACED {
            let sql = statements.mark_replacing(stored, replacing);
            marked += connection.execute(&sql, &[i64::from(bucket).into()])?;
        }
        if marked == 0 {
            return Ok(stored);
        }
        stored.duplicates =
            Self::count_by(connection, &statements.drop_superseded_beside_stored(), bucket)?;
        // ORDER: after the statements that hold the bucket against itself.
        self.look_up_by_key(connection)?;
        let mut refused = Vec::new();
        for (_, replacing) in REPLACED {
            let merged = self.merge_rows(connection, bucket, replacing, &mut refused)?;
            stored.duplicates += merged.unchanged;
            if replacing == state::REPLACING {
                stored.duplicates += merged.inserted + merged.updated;
            } else {
                stored.inserted += merged.inserted;
                stored.updated += merged.updated;
            }
        }
        self.set_state(connection, bucket, &refused, state::NAMED)?;
        stored.refused = refused;
        Ok(stored)
    }
}

/// The states of rows that are stored, and of those that take their places.
const REPLACED: [(i16, i16); 2] =
    [(state::STORED, state::REPLACING), (state::TOUCHED, state::SUCCEEDING)];

/// Whether two batches have waited for each other, each for a key of the other one.
fn is_crossing(error: &Error) -> bool {
    matches!(error.sqlstate(), Some(SqlState::DEADLOCK_DETECTED | SqlState::LOCK_NOT_AVAILABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_as_long_as_nearly_all_batches_go_in() {
        let direct = Direct { possible: true, ..Direct::default() };
        assert!(direct.is_worth_it());
        direct.note(false);
        assert!(!direct.is_worth_it());
        (0..HITS_A_MISS).for_each(|_| direct.note(true));
        assert!(direct.is_worth_it());
        direct.note(false);
        assert!(!direct.is_worth_it());
        assert!(!Direct::default().is_worth_it());
    }
}
