//! The rows of a batch, as they are staged.

use super::portion::Portion;
use super::staged::Staged;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::{Fields, RowWriter, Rows};
use crate::sql::stage::{OWN_COLUMN_COUNT, state};

/// The number, in its batch, of what is no row: -1 in the stage.
const NO_INDEX: u32 = u32::MAX;

impl Staged<'_> {
    /// The good rows of a batch.
    pub(super) fn live_rows(&self, batch: u32, portion: Portion<'_>) -> Result<Rows> {
        let mut rows = self.rows();
        for (row, &index) in portion.indexes.iter().enumerate() {
            let bucket = self.bucket(batch, portion.rows.row(row), &self.stage.key);
            let mut writer = rows.begin();
            writer.copy(portion.rows, row);
            finish_row(writer, bucket, batch, index, state::LIVE)?;
        }
        Ok(rows)
    }

    /// The keys of rows that were refused before, and of those in `refused`; and a row that stands
    /// for all whose key nobody can tell.
    pub(super) fn named_rows(
        &self,
        batch: u32,
        portion: Portion<'_>,
        refused: &[usize],
    ) -> Result<Rows> {
        let mut rows = self.rows();
        let in_order: Vec<_> = (0..self.stage.key.len()).collect();
        let mut name = |fields: Fields<'_>, key: &[usize], index| -> Result<()> {
            let bucket = self.bucket(batch, fields.clone(), key);
            let fields: Vec<_> = fields.collect();
            let mut writer = rows.begin();
            for column in 0..self.stage.columns.len() {
                let place = self.stage.key.iter().position(|&index| index == column);
                match place.and_then(|place| fields[key[place]]) {
                    Some(bytes) => writer.field(bytes)?,
                    None => writer.null(),
                }
            }
            finish_row(writer, bucket, batch, index, state::NAMED)
        };
        for (row, &index) in portion.named_indexes.iter().enumerate() {
            name(portion.named_keys.row(row), &in_order, index)?;
        }
        for &row in refused {
            name(portion.rows.row(row), &self.stage.key, portion.indexes[row])?;
        }
        if portion.hides_keys {
            let mut writer = rows.begin();
            self.stage.columns.iter().for_each(|_| writer.null());
            finish_row(writer, 0, batch, NO_INDEX, state::HIDDEN)?;
        }
        Ok(rows)
    }

    fn rows(&self) -> Rows {
        Rows::new(self.stage.columns.len() as u16 + OWN_COLUMN_COUNT)
    }

    /// The bucket of a row: the same for all rows of one key.
    fn bucket(&self, batch: u32, row: Fields<'_>, key: &[usize]) -> u32 {
        if self.buckets == 1 {
            return 0;
        }
        if key.is_empty() {
            return batch % self.buckets;
        }
        let fields: Vec<_> = row.collect();
        let mut hash = crc32fast::Hasher::new();
        for (&index, &column) in key.iter().zip(&self.stage.key) {
            let bytes = fields[index].unwrap_or_default();
            match &self.stage.columns[column].column_type {
                // 1.0 and 1.00 are one key; they differ in the display scale, bytes 6 and 7.
                ColumnType::Numeric(_) if bytes.len() >= 8 => {
                    hash.update(&bytes[..6]);
                    hash.update(&bytes[8..]);
                }
                // 0.0 and -0.0 are one key.
                ColumnType::Float4 | ColumnType::Float8
                    if bytes.iter().skip(1).all(|&byte| byte == 0) =>
                {
                    hash.update(&[0]);
                }
                _ => hash.update(bytes),
            }
            hash.update(&[0xff]);
        }
        hash.finalize() % self.buckets
    }
}

/// Writes the columns that the stage has of its own, and ends the row.
fn finish_row(
    mut row: RowWriter<'_>,
    bucket: u32,
    batch: u32,
    index: u32,
    state: i16,
) -> Result<()> {
    row.field(&bucket.to_be_bytes())?;
    row.field(&batch.to_be_bytes())?;
    row.field(&index.to_be_bytes())?;
    row.field(&state.to_be_bytes())?;
    row.finish()
}
