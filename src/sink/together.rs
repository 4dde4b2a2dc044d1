//! Batches that share a transaction: all of their rows are stored, or the transaction is of no use.
//!
//! Rows of an append are one COPY, and so are rows that are staged: each says which batch it is of. Where
//! batches are ranges of a key, those of an upsert have to be apart, all of them
//! ([`apart`](super::apart)): then it makes no difference which of them comes first, and what came of each
//! is known by its own statements. No two transactions wait for a row of each other, for none has a key
//! of the other one.

use super::apart::keys_apart;
use super::notes::Note;
use super::staging::Staging;
use super::table::{StagePlace, Stored, TableSink};
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::key_range::KeyRange;
use crate::mapping::rows::Rows;
use std::ops::Range;

/// A batch whose rows lie between those of others.
#[derive(Debug)]
pub(crate) struct Joined {
    batch: u32,
    rows: Range<usize>,
    /// Of its rows, where it is upserted.
    keys: Option<Vec<i64>>,
}

impl TableSink {
    /// Whether several batches can be stored by one transaction.
    pub(crate) fn takes_groups(&self) -> bool {
        let decides = self.exists() && !self.rules().judges;
        self.capabilities.copy && (self.is_staged() || !decides)
    }

    /// Whether it is worth trying with the next ones; `have_ranges` says whether each of them is a range of a
    /// key. Elsewhere a batch of new keys may go straight into the table, alone.
    pub(crate) fn takes_groups_now(&self, have_ranges: bool) -> bool {
        have_ranges || !self.direct.is_worth_it()
    }

    /// A batch that has the rows `own` of `rows`, if it can be stored with others.
    pub(crate) fn join(
        &self,
        batch: u32,
        rows: &Rows,
        own: Range<usize>,
        range: Option<KeyRange>,
    ) -> Option<Joined> {
        let keys = match range.filter(|_| self.is_staged() && self.direct.is_possible()) {
            Some(range) => Some(keys_apart(&self.layout, rows, own.clone(), range)?),
            None => None,
        };
        Some(Joined { batch, rows: own, keys })
    }

    /// Stores `batches`, which have all of `rows`; says what came of each, or `None` if not every row was
    /// stored. For each row `indexes` has its number in its batch.
    ///
    /// # Errors
    /// `Database`, also where one of the rows is refused; `Disconnect`.
    pub(crate) fn store_together(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
        (rows, indexes): (&Rows, &[u32]),
        batches: &[Joined],
    ) -> Result<Option<Vec<Stored>>> {
        if self.is_staged() {
            let are_apart = batches.iter().all(|batch| batch.keys.is_some());
            return match are_apart {
                true => self.upsert_together(connection, place, (rows, indexes), batches),
                false => self.stage_together(connection, place, (rows, indexes), batches),
            }
            .map(Some);
        }
        let Self { layout, .. } = self;
        let all = rows.len();
        let stored = connection.load(&self.target().table, &layout.columns, rows, 0..all)?;
        let whole =
            |batch: &Joined| Stored { inserted: batch.rows.len() as u64, ..Stored::default() };
        Ok((stored == all as u64).then(|| batches.iter().map(whole).collect()))
    }

    fn stage_together(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
        rows: (&Rows, &[u32]),
        batches: &[Joined],
    ) -> Result<Vec<Stored>> {
        let staged = self.staged(place)?;
        let parts: Vec<_> = batches.iter().map(|batch| (batch.batch, batch.rows.clone())).collect();
        let staging = Staging::live(&staged.stage, staged.buckets, rows, &parts)?;
        let columns = staged.stage.load_columns()?;
        let whole = 0..staging.rows.len();
        connection.load(&staged.stage.name, &columns, &staging.rows, whole)?;
        Ok(batches.iter().map(|_| Stored::default()).collect())
    }

    fn upsert_together(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
        (rows, indexes): (&Rows, &[u32]),
        batches: &[Joined],
    ) -> Result<Vec<Stored>> {
        let staged = self.staged(place)?;
        let parts: Vec<_> = batches.iter().map(|batch| batch.rows.clone()).collect();
        let stored = staged.upsert_parts(connection, rows, &parts, self.direct.are_new())?;
        let with_rows = || batches.iter().zip(&stored).filter(|(batch, _)| !batch.rows.is_empty());
        let notes: Vec<_> = with_rows()
            .map(|(Joined { batch, rows, keys }, stored)| Note {
                batch: *batch,
                indexes: &indexes[rows.clone()],
                keys: keys.as_deref().unwrap_or_default(),
                are_new: stored.inserted == rows.len() as u64,
            })
            .collect();
        staged.note(connection, &notes)?;
        // The batches to come are as the last of these was.
        if let Some((_, last)) = with_rows().next_back() {
            self.direct.note_apart(last);
        }
        Ok(stored)
    }
}
