//! The merge of staged rows of which the database refuses some.
//!
//! They are held against the constraints of the table by queries, first each alone, and what is left is
//! merged as a whole. What no query finds is for the database to tell: one row after the other by a
//! statement of its own, or by halving. What was in vain lately is passed over.

use super::isolate::{Trust, isolate, under_savepoint};
use super::staged::{Staged, WHOLE, is_for_another};
use super::table::{NotStored, Stored};
use super::verdict::{Court, Look};
use crate::backend::Connection;
use crate::error::Result;
use crate::sql::stage::state;
use std::ops::Range;

impl Staged<'_> {
    /// Merges the rows of a bucket that are in `state`, all at once if the database takes them.
    pub(super) fn merge_rows(
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
        if !self.are_doubtful {
            match self.merge_whole(connection, bucket, state, rows) {
                Err(error) if error.is_data() => {}
                settled => return settled,
            }
        }
        let before = refused.len();
        let stored = self.merge_judged(connection, bucket, state, rows, refused)?;
        self.lately.note(refused.len() - before);
        Ok(stored)
    }

    /// Merges the `rows` rows of a bucket of which some are refused, or likely to be: without those
    /// that queries find.
    fn merge_judged(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        mut rows: u64,
        refused: &mut Vec<NotStored>,
    ) -> Result<Stored> {
        // Rows are held against others only where that is needed: it costs the most.
        let looks = [Look::Alone, Look::All];
        let first = usize::from(self.lately.expects_related());
        // Nothing is tried as a whole that was refused as it is, or is likely to be.
        let mut is_untried = self.are_doubtful && self.rules.judges;
        for &look in &looks[first..] {
            let judged = self.court().judge(connection, bucket, state, look)?;
            self.set_state(connection, bucket, &judged, state::NAMED)?;
            rows -= judged.len() as u64;
            let may_go = is_untried || !judged.is_empty();
            if look == Look::All {
                self.lately.note_related(judged.iter().any(|row| is_for_another(&row.error)));
            }
            refused.extend(judged);
            if self.lately.expects_unexplained() {
                break;
            }
            if may_go {
                match self.merge_whole(connection, bucket, state, rows) {
                    Err(error) if error.is_data() => is_untried = false,
                    settled => return settled,
                }
            }
        }
        self.merge_each(connection, bucket, state, rows, refused)
    }

    /// Merges the `rows` rows of a bucket of which the database refuses some, and no query tells which.
    fn merge_each(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        rows: u64,
        refused: &mut Vec<NotStored>,
    ) -> Result<Stored> {
        let before = refused.len();
        let stored = match self.one_by_one(connection, bucket, state, rows)? {
            Some(mut stored) => {
                refused.append(&mut stored.refused);
                stored
            }
            None => self.halve(connection, bucket, state, refused)?,
        };
        self.lately.note_unexplained(rows, refused.len() - before);
        Ok(stored)
    }

    fn merge_whole(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        rows: u64,
    ) -> Result<Stored> {
        under_savepoint(connection, |connection| {
            self.merge_part(connection, bucket, state, WHOLE, rows)
        })
    }

    /// Merges rows of which the database refuses some, and nobody knows which, where it has no
    /// statement that tries each.
    fn halve(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        refused: &mut Vec<NotStored>,
    ) -> Result<Stored> {
        let positions = self.positions(connection, bucket, state)?;
        let middle = positions.len() / 2;
        let ends = |part: &Range<usize>| (positions[part.start], positions[part.end - 1]);
        let merged = isolate(
            connection,
            &[0..middle, middle..positions.len()],
            Trust::to_the_end(false),
            &mut |connection, part| {
                let rows = part.len() as u64;
                self.merge_part(connection, bucket, state, ends(&part), rows)
            },
            &mut |row, error| {
                let (batch, index) = positions[row];
                refused.push(NotStored::new(batch as u32, index as u32, error));
            },
        );
        merged.map(|(stored, _)| stored)
    }

    fn court(&self) -> Court<'_> {
        let Self { stage, target, rules, .. } = self;
        Court { stage, target: &target.table, mode: target.mode, rules }
    }
}
