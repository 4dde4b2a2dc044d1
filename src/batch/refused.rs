//! The rows of a unit that were refused, as the reject store has them.

use super::context::Context;
use super::ledger::RejectRecord;
use super::lineage::{Kin, Lineage};
use super::unit::{Phase, Unit};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::layout::Layout;
use crate::sink::repeats::{InputPlace, Repeat};
use crate::sink::table::NotStored;
use crate::source::bounds::{Bounds, Origin};
use crate::source::prepared::{Prepared, Stage};
use crate::source::stateful::Kept;
use crate::sqlstate::SqlState;
use std::collections::HashMap;

/// The rows of a unit that were refused, by whomever.
#[derive(Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) unit: &'a Unit,
    pub(super) prepared: &'a Prepared,
}

impl Refused<'_> {
    /// The rejects of this unit: what could not be prepared, and what the database refused, found
    /// again in the source.
    pub(super) fn records(
        &self,
        connection: &mut dyn Connection,
        refused: Vec<NotStored>,
    ) -> Result<Vec<RejectRecord>> {
        let Self { context, unit, .. } = *self;
        if self.prepared.refused.is_empty() && refused.is_empty() {
            return Ok(Vec::new());
        }
        let mut rejects = Vec::with_capacity(self.prepared.refused.len() + refused.len());
        let lineage = context.lineage(connection)?;
        for row in &self.prepared.refused {
            // Copied, not moved: a second attempt needs them again.
            let error = row.error.without_source();
            let origin = row.origin.clone();
            let mut reject = RejectRecord::new(unit.number(), row.index, origin, row.stage, error);
            if let Ok(at) = self.prepared.named_indexes.binary_search(&row.index) {
                reject.kin = lineage.of_key(self.prepared.named_keys.row(at));
            }
            rejects.push(reject);
        }
        let first_rows = self.first_rows(connection, &refused)?;
        let mut refused = refused;
        refused.sort_unstable_by_key(|row| (row.batch, row.index));
        // A batch is read again once, however many of its rows were refused.
        while let Some(batch) = refused.last().map(|row| row.batch) {
            let first = refused.partition_point(|row| row.batch < batch);
            let rows = refused.split_off(first);
            let bounds = self.bounds(connection, batch)?;
            let indexes: Vec<_> = rows.iter().map(|row| row.index).collect();
            let origins = match context.feed.stateful() {
                None => context.feed.origins(&bounds, &indexes)?,
                Some(stateful) => rows
                    .iter()
                    .map(|row| stateful.refused(&bounds, row.index, self.kept(row)))
                    .collect(),
            };
            let kin = self.kin(lineage, &rows, &origins);
            for ((NotStored { batch, index, error, first, .. }, origin), kin) in
                rows.into_iter().zip(origins).zip(kin)
            {
                let (stage, error) = match first.and_then(|place| first_rows.get(&place)) {
                    Some(row) => (Stage::Duplicate, behind(*row)),
                    None => (Stage::Store, error),
                };
                let reject = RejectRecord::new(batch, index, origin, stage, error);
                rejects.push(RejectRecord { kin, ..reject });
            }
        }
        Ok(rejects)
    }

    /// By what rows of a batch that the database refused are told, and what they refer to. One of
    /// which no values are left is made again from its record, where the source can.
    fn kin(&self, lineage: &Lineage, rows: &[NotStored], origins: &[Origin]) -> Vec<Kin> {
        let Context { sink, feed, .. } = self.context;
        let mut kin = vec![Kin::default(); rows.len()];
        if lineage.is_empty() {
            return kin;
        }
        let layout = sink.layout();
        let mut lost = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            match self.kept(row) {
                Some(kept) => kin[place] = lineage.of_row(layout, kept.fields, &row.error),
                None => lost.push(place),
            }
        }
        let records: Vec<&[u8]> = lost.iter().map(|&place| &origins[place].raw[..]).collect();
        let mut again = Prepared::new(layout);
        // Who the parent is, is a help and no part of the load: it fails nothing.
        if lost.is_empty() || feed.prepare_records(&records, layout, &mut again).is_err() {
            return kin;
        }
        for (at, index) in again.indexes.iter().enumerate() {
            let place = lost[*index as usize];
            kin[place] = lineage.of_row(layout, again.rows.row(at), &rows[place].error);
        }
        kin
    }

    /// What is left of a row that the database refused: of the batch that is being loaded, or what
    /// was staged of it.
    fn kept<'r>(&'r self, refused: &'r NotStored) -> Option<Kept<'r>> {
        let (layout, prepared) = (self.context.sink.layout(), self.prepared);
        if self.unit.phase != Phase::Load {
            return refused.staged.as_ref().map(|rows| Kept::new(layout, rows.row(0), None));
        }
        let row = prepared.indexes.binary_search(&refused.index).ok()?;
        if row >= prepared.rows.len() {
            return None;
        }
        let noted = row < prepared.positions.len();
        let position = noted.then(|| prepared.positions.row(row).next().flatten()).flatten();
        Some(Kept::new(layout, prepared.rows.row(row), position))
    }

    /// The bounds of a batch of the source, of which `unit` has rows.
    fn bounds(&self, connection: &mut dyn Connection, batch: u32) -> Result<Bounds> {
        if self.unit.phase == Phase::Load {
            return Ok(self.unit.bounds);
        }
        bounds_of(self.context, connection, batch)
    }

    /// The rows of the input, from 1, that were the first of the keys of `refused`.
    fn first_rows(
        &self,
        connection: &mut dyn Connection,
        refused: &[NotStored],
    ) -> Result<HashMap<InputPlace, u64>> {
        let mut begins = HashMap::new();
        let mut rows = HashMap::new();
        for (batch, index) in refused.iter().filter_map(|row| row.first) {
            let begin = match begins.get(&batch) {
                Some(begin) => *begin,
                None => self.bounds(connection, batch)?.first_row,
            };
            begins.insert(batch, begin);
            rows.insert((batch, index), begin + u64::from(index));
        }
        Ok(rows)
    }
}

/// Why a row is rejected that has the key of input row `first`.
fn behind(first: u64) -> Error {
    let message = format!("row {first} of the input has the same key and came before it");
    Error::new(ErrorKind::Duplicate, message).with_sqlstate(SqlState::CARDINALITY_VIOLATION)
}

/// The error of a job that allows no two rows of one key, and met some.
///
/// # Errors
/// `Ledger` if the plan is not there any more; `Database` or `Disconnect`.
pub(super) fn repeated(
    context: &Context<'_>,
    connection: &mut dyn Connection,
    repeat: Repeat,
) -> Result<Error> {
    let mut row_of = |(batch, index): InputPlace| {
        let bounds = bounds_of(context, connection, batch)?;
        Ok::<_, Error>(bounds.first_row + u64::from(index))
    };
    let (row, first) = (row_of(repeat.place)?, row_of(repeat.first)?);
    let message = format!("row {row} of the input has the key of row {first}");
    Ok(Error::new(ErrorKind::Duplicate, message)
        .with_sqlstate(SqlState::CARDINALITY_VIOLATION)
        .with_hint(
            "mend the input, or say which of them counts with duplicates = \"first\" or \"last\"; \
             and on_change = \"restart\", for the run has begun",
        )
        .locate(|place| place.file = Some(context.feed.describe())))
}

fn bounds_of(context: &Context<'_>, connection: &mut dyn Connection, batch: u32) -> Result<Bounds> {
    let Context { ledger, place, .. } = context;
    ledger
        .bounds(connection, place.job_id, batch)?
        .ok_or_else(|| Error::new(ErrorKind::Ledger, format!("the ledger has lost batch {batch}")))
}

/// Whether a row was refused of which nobody can tell the key: not where the key itself is
/// none, but where a broken record has several lines, so that other records may be hidden in
/// it, or where the row failed before its key was reached.
pub(super) fn hides_keys(layout: &Layout, prepared: &Prepared) -> bool {
    let in_key = |name: &str| layout.key.iter().any(|&i| layout.columns[i].name.as_str() == name);
    prepared.refused.iter().any(|row| {
        let named = || prepared.named_indexes.binary_search(&row.index).is_ok();
        let without_key = || row.error.place().column.as_deref().is_some_and(in_key);
        let swallows = row.stage == Stage::Parse && spans_lines(&row.origin.raw);
        swallows || !(named() || without_key())
    })
}

/// Whether a record has a line end within, and not only behind.
fn spans_lines(raw: &[u8]) -> bool {
    raw.trim_ascii_end().iter().any(|byte| matches!(byte, b'\n' | b'\r'))
}
