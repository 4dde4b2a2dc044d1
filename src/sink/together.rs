//! Batches that share a transaction: all of their rows are stored, or the transaction is of no use.
//!
//! Rows of an append are one COPY. Batches of an upsert have to be apart, all of them
//! ([`apart`](super::apart)): then it makes no difference which of them comes first, and what came of each
//! is known by its own statements. No two transactions wait for a row of each other, for none has a key
//! of the other one.

use super::apart::keys_apart;
use super::notes::Note;
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
    keys: Vec<i64>,
}

impl TableSink {
    /// Whether several batches can be stored by one transaction; `have_ranges` says whether each of them
    /// is a range of a key.
    pub(crate) fn takes_groups(&self, have_ranges: bool) -> bool {
        let decides = self.exists() && !self.rules().judges;
        let appends = !self.is_staged() && !decides;
        self.capabilities.copy && (appends || (have_ranges && self.direct.is_possible()))
    }

    /// A batch that has the rows `own` of `rows`, if it can be stored with others.
    pub(crate) fn join(
        &self,
        batch: u32,
        rows: &Rows,
        own: Range<usize>,
        range: Option<KeyRange>,
    ) -> Option<Joined> {
        let keys = match self.is_staged() {
            true => keys_apart(&self.layout, rows, own.clone(), range?)?,
            false => Vec::new(),
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
            return self.upsert_together(connection, place, (rows, indexes), batches).map(Some);
        }
        let Self { layout, .. } = self;
        let all = rows.len();
        let stored = connection.load(&self.target().table, &layout.columns, rows, 0..all)?;
        let whole =
            |batch: &Joined| Stored { inserted: batch.rows.len() as u64, ..Stored::default() };
        Ok((stored == all as u64).then(|| batches.iter().map(whole).collect()))
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
                keys,
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
