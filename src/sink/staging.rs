//! The rows of a batch as they are staged.
//!
//! They are brought into the order of their buckets before they are sent: a merge then reads the
//! few pages of a batch that are its own, and not all of them.

use super::portion::Portion;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::{Fields, RowWriter, Rows};
use crate::sql::stage::{OWN_COLUMN_COUNT, StageTable, state};

/// The rows of a batch as they are staged.
pub(super) struct Staging {
    /// The rows, with the columns of the stage's own.
    pub(super) rows: Rows,
    /// For each of them its number in the batch; none for a key that is only named.
    pub(super) indexes: Vec<Option<u32>>,
}

/// A row before it is staged.
struct Entry {
    bucket: u32,
    index: u32,
    /// Its number among the good rows, or among the named keys.
    row: usize,
    good: bool,
}

impl Staging {
    /// Stages the rows of batch `batch` in `buckets` buckets.
    pub(super) fn of(
        stage: &StageTable,
        buckets: u32,
        batch: u32,
        portion: Portion<'_>,
    ) -> Result<Self> {
        let in_order: Vec<_> = (0..stage.key.len()).collect();
        let bucket = |row, key: &[usize]| bucket(stage, buckets, batch, &row, key);
        let good = portion.indexes.iter().enumerate().map(|(row, &index)| {
            let bucket = bucket(portion.rows.row(row), &stage.key);
            Entry { bucket, index, row, good: true }
        });
        let named = portion.named_indexes.iter().enumerate().map(|(row, &index)| {
            let bucket = bucket(portion.named_keys.row(row), &in_order);
            Entry { bucket, index, row, good: false }
        });
        let mut entries: Vec<_> = good.chain(named).collect();
        entries.sort_unstable_by_key(|entry| (entry.bucket, entry.index));
        let mut rows = Rows::new(stage.columns.len() as u16 + OWN_COLUMN_COUNT);
        for entry in &entries {
            pack(&mut rows, stage, batch, portion, entry)?;
        }
        let indexes = entries.iter().map(|entry| entry.good.then_some(entry.index)).collect();
        Ok(Self { rows, indexes })
    }
}

fn pack(
    rows: &mut Rows,
    stage: &StageTable,
    batch: u32,
    portion: Portion<'_>,
    entry: &Entry,
) -> Result<()> {
    let mut row = rows.begin();
    if entry.good {
        row.copy(portion.rows, entry.row);
    } else {
        only_key(stage, &mut row, &portion.named_keys.row(entry.row))?;
    }
    row.field(&entry.bucket.to_be_bytes())?;
    row.field(&batch.to_be_bytes())?;
    row.field(&entry.index.to_be_bytes())?;
    let beginning = if entry.good { state::LIVE } else { state::NAMED };
    row.field(&beginning.to_be_bytes())?;
    row.finish()
}

/// Writes a row that has only its key.
fn only_key(stage: &StageTable, row: &mut RowWriter<'_>, key: &Fields<'_>) -> Result<()> {
    for column in 0..stage.columns.len() {
        let place = stage.key.iter().position(|&index| index == column);
        match place.and_then(|place| key.clone().nth(place).flatten()) {
            Some(bytes) => row.field(bytes)?,
            None => row.null(),
        }
    }
    Ok(())
}

/// The bucket of a row: the same for all rows of one key. `key` numbers the fields of `row` that
/// are the key, in the key's order.
fn bucket(stage: &StageTable, buckets: u32, batch: u32, row: &Fields<'_>, key: &[usize]) -> u32 {
    if buckets == 1 {
        return 0;
    }
    if key.is_empty() {
        return batch % buckets;
    }
    let mut hash = crc32fast::Hasher::new();
    for (&index, &column) in key.iter().zip(&stage.key) {
        let bytes = row.clone().nth(index).flatten().unwrap_or_default();
        match &stage.columns[column].column_type {
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
    hash.finalize() % buckets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;
    use crate::mapping::column::Column;
    use crate::mapping::text;
    use crate::sql::dialect::Dialect;

    fn stage(key_type: &str) -> StageTable {
        let column =
            |name, sql| Column::new(Ident::new(name).unwrap(), ColumnType::parse(sql).unwrap());
        let columns = [column("note", "text"), column("id", key_type)];
        StageTable::of_job(Dialect::PostgreSql, 1, &columns, &[1]).unwrap()
    }

    fn rows(key_type: &str, ids: &[&str]) -> Rows {
        let key_type = ColumnType::parse(key_type).unwrap();
        let mut rows = Rows::new(2);
        for id in ids {
            let mut row = rows.begin();
            row.field(b"x").unwrap();
            row.field_with(|out| text::input(&key_type, id, out)).unwrap();
            row.finish().unwrap();
        }
        rows
    }

    #[test]
    fn rows_are_in_the_order_of_their_buckets_and_keep_their_numbers() {
        let ids: Vec<_> = (0..100).map(|id| id.to_string()).collect();
        let rows = rows("bigint", &ids.iter().map(String::as_str).collect::<Vec<_>>());
        let indexes: Vec<u32> = (0..100).collect();
        let none = Rows::new(1);
        let portion =
            Portion { rows: &rows, indexes: &indexes, named_keys: &none, named_indexes: &[] };
        let staging = Staging::of(&stage("bigint"), 7, 0, portion).unwrap();
        let buckets: Vec<_> = (0..100).map(|row| staging.rows.row(row).nth(2)).collect();
        assert!(buckets.is_sorted());
        for (row, index) in staging.indexes.iter().enumerate() {
            let id = i64::from(index.unwrap()).to_be_bytes();
            assert_eq!(staging.rows.row(row).nth(1), Some(Some(&id[..])));
        }
    }

    #[test]
    fn equal_keys_share_a_bucket_however_they_are_written() {
        for (key_type, ids) in [
            ("numeric", ["1.0", "1.000", "1"]),
            ("double precision", ["0.0", "-0.0", "0"]),
            ("char(4)", ["a", "a  ", "a   "]),
        ] {
            let (stage, rows) = (stage(key_type), rows(key_type, &ids));
            let buckets: Vec<_> =
                (0..3).map(|row| bucket(&stage, 1_000, 0, &rows.row(row), &[1])).collect();
            assert!(buckets.iter().all(|&bucket| bucket == buckets[0]), "{key_type}");
        }
    }
}
