//! Cutting a table by its blocks.

use super::answers::{number as number_at, numbers};
use super::cut::{Cutter, Pieces, ROW_BYTES, cannot};
use super::piece::{Cut, Piece};
use crate::backend::Connection;
use crate::backend::table_storage::StoragePart;
use crate::error::Result;
use crate::sql::partition::{Relation, Weights};

/// So many blocks say how many rows there are to one, where the database does not know it.
const SAMPLED_BLOCKS: u64 = 256;

impl Cutter<'_> {
    /// Cuts by ranges of blocks, table by table.
    pub(super) fn by_blocks(&self, connection: &mut dyn Connection) -> Result<Pieces> {
        let parts = &self.facts.storage.parts;
        let counted = parts.iter().map(|part| self.counted(connection, part));
        let counted = counted.collect::<Result<Vec<_>>>()?;
        let known: Option<u64> = counted.iter().copied().sum();
        // What is to be weighed is taken for rows of a usual size.
        let weights = self.weights(known.unwrap_or_else(|| self.bytes() / ROW_BYTES));
        let mut cuts = Vec::new();
        for ((number, part), rows) in (0..).zip(parts).zip(&counted) {
            match (part.blocks, rows) {
                (None, _) => {
                    let what = format!("{} cannot be read by blocks", part.table.plain());
                    return Err(cannot(&what));
                }
                (Some(blocks), Some(rows)) => {
                    self.evenly((number, part), blocks, *rows, &weights, &mut cuts);
                }
                (Some(_), None) => self.weighed(connection, number, part, &mut cuts)?,
            }
        }
        Ok(Pieces {
            cuts,
            reason: format!(
                "by ranges of blocks of {} {}{}",
                parts.len(),
                if parts.len() == 1 { "table" } else { "tables" },
                if known.is_none() { ", weighed with what is kept outside of them" } else { "" }
            ),
        })
    }

    /// About how many rows a table has: as far as is known, or by a few of its blocks. `None` where
    /// its blocks say little of its bytes, because much is kept outside of them.
    fn counted(&self, connection: &mut dyn Connection, part: &StoragePart) -> Result<Option<u64>> {
        let blocks = part.blocks.unwrap_or(0);
        if part.outside_bytes * 4 > part.bytes {
            return Ok(None);
        }
        if part.rows.is_some() || blocks == 0 {
            return Ok(Some(part.rows.unwrap_or(0)));
        }
        let percent = (SAMPLED_BLOCKS * 100) as f64 / blocks as f64;
        let percent = percent.clamp(0.001, 100.0);
        let relation = Relation::only(self.facts.capabilities.dialect, &part.table);
        let [rows, _] = numbers(connection, &relation.count_sample(percent))?;
        Ok(Some((rows as f64 * 100.0 / percent) as u64))
    }

    fn evenly(
        &self,
        (number, part): (u32, &StoragePart),
        blocks: u64,
        rows: u64,
        weights: &Weights,
        cuts: &mut Vec<Cut>,
    ) {
        let per_block = rows.div_ceil(blocks.max(1)).max(1);
        let block_bytes = part.bytes / blocks.max(1);
        let by_bytes = self.limits.bytes / block_bytes.max(1);
        let size = (weights.rows / per_block).min(by_bytes).max(1);
        let mut start = 0;
        loop {
            let end = (start + size).min(blocks);
            let is_last = end == blocks;
            let share = end * rows / blocks.max(1) - start * rows / blocks.max(1);
            let piece = Piece::Blocks(number, start, (!is_last).then_some(end));
            cuts.push(Cut { piece, rows: share, bytes: (end - start) * block_bytes });
            if is_last {
                return;
            }
            start = end;
        }
    }

    fn weighed(
        &self,
        connection: &mut dyn Connection,
        number: u32,
        part: &StoragePart,
        cuts: &mut Vec<Cut>,
    ) -> Result<()> {
        let relation = Relation::only(self.facts.capabilities.dialect, &part.table);
        let total = numbers(connection, &relation.count(&[]))?[0];
        let mut weights = self.weights(total);
        weights.bytes.get_or_insert(self.limits.bytes);
        let (mut start, mut rows, mut bytes) = (0, 0, 0);
        let first = cuts.len();
        connection.query(&relation.cut_by_block(&weights), &[], &mut |row| {
            let (end, counted, weighed) =
                (number_at(row, 0)? + 1, number_at(row, 1)?, number_at(row, 2)?);
            let piece = Piece::Blocks(number, start, Some(end));
            cuts.push(Cut { piece, rows: counted - rows, bytes: weighed - bytes });
            (start, rows, bytes) = (end, counted, weighed);
            Ok(())
        })?;
        match cuts.get_mut(first..).and_then(<[Cut]>::last_mut) {
            Some(Cut { piece: Piece::Blocks(_, _, end), .. }) => *end = None,
            _ => cuts.push(Cut { piece: Piece::Blocks(number, 0, None), rows: 0, bytes: 0 }),
        }
        Ok(())
    }
}
