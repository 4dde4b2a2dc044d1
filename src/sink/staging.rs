//! The rows of a batch as they are staged.
//!
//! They are brought into the order of their buckets before they are sent: a merge then reads the
//! few pages of a batch that are its own, and not all of them.

use super::portion::Portion;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::{Fields, RowWriter, Rows};
use crate::sql::stage::{OWN_COLUMN_COUNT, StageTable, state};
use std::ops::Range;

/// Rows of a batch as they are staged.
pub(super) struct Staging {
    /// The rows, with the columns of the stage's own.
    pub(super) rows: Rows,
    /// For each of them where it stood in what it was made from.
    pub(super) sources: Vec<usize>,
}

/// The number, in its batch, of what is no row: -1 in the stage.
const NO_INDEX: u32 = u32::MAX;

/// A row before it is staged.
struct Entry<'a> {
    bucket: u32,
    batch: u32,
    index: u32,
    state: i16,
    source: usize,
    fields: Fields<'a>,
}

/// The rows `parts` of `rows`, each part those of one batch, each row in the bucket of its key. For each row
/// `indexes` has its number in its batch.
fn entries<'a>(
    stage: &StageTable,
    buckets: u32,
    (rows, indexes): (&'a Rows, &[u32]),
    parts: &[(u32, Range<usize>)],
    kept_as: i16,
) -> Vec<Entry<'a>> {
    let mut entries = Vec::with_capacity(rows.len());
    for (batch, part) in parts {
        entries.extend(part.clone().map(|source| {
            let (fields, batch) = (rows.row(source), *batch);
            let bucket = bucket(stage, buckets, batch, &fields, &stage.key);
            Entry { bucket, batch, index: indexes[source], state: kept_as, source, fields }
        }));
    }
    entries
}

impl Staging {
    /// The good rows of batches, as `parts` of `rows`, in `buckets` buckets. For each row the second of `rows`
    /// has its number in its batch.
    pub(super) fn live(
        stage: &StageTable,
        buckets: u32,
        rows: (&Rows, &[u32]),
        parts: &[(u32, Range<usize>)],
    ) -> Result<Self> {
        let entries = entries(stage, buckets, rows, parts, state::LIVE);
        Self::of(stage, entries, &mut |row, entry| {
            row.copy(rows.0, entry.source);
            Ok(())
        })
    }

    /// The good rows of batch `batch` that `range` numbers, in one bucket.
    pub(super) fn part(
        stage: &StageTable,
        batch: u32,
        portion: Portion<'_>,
        range: Range<usize>,
    ) -> Result<Self> {
        let entries = range.map(|source| {
            let (index, fields) = (portion.indexes[source], portion.rows.row(source));
            Entry { bucket: 0, batch, index, state: state::LIVE, source, fields }
        });
        Self::of(stage, entries.collect(), &mut |row, entry| {
            row.copy(portion.rows, entry.source);
            Ok(())
        })
    }

    /// The keys of the good rows of batch `batch`, which are in the target already.
    pub(super) fn stored(
        stage: &StageTable,
        buckets: u32,
        batch: u32,
        portion: Portion<'_>,
        kept_as: i16,
    ) -> Result<Self> {
        let whole = (batch, 0..portion.rows.len());
        let rows = (portion.rows, portion.indexes);
        let entries = entries(stage, buckets, rows, &[whole], kept_as);
        Self::of(stage, entries, &mut |row, entry| only_key(stage, row, entry, &stage.key))
    }

    /// The same where only the keys are left of them, with the numbers of their rows.
    pub(super) fn of_keys(
        stage: &StageTable,
        buckets: u32,
        batch: u32,
        (keys, indexes): (&Rows, &[u32]),
        kept_as: i16,
    ) -> Result<Self> {
        let in_order: Vec<_> = (0..stage.key.len()).collect();
        let entry = |(source, &index): (usize, &u32)| {
            let fields = keys.row(source);
            let bucket = bucket(stage, buckets, batch, &fields, &in_order);
            Entry { bucket, batch, index, state: kept_as, source, fields }
        };
        let entries = indexes.iter().enumerate().map(entry).collect();
        Self::of(stage, entries, &mut |row, entry| only_key(stage, row, entry, &in_order))
    }

    /// The keys of rows that were refused before, and of those good rows that are in `refused`;
    /// and a row that stands for all whose key nobody can tell.
    pub(super) fn named(
        stage: &StageTable,
        buckets: u32,
        batch: u32,
        portion: Portion<'_>,
        refused: &[usize],
    ) -> Result<Self> {
        let in_order: Vec<_> = (0..stage.key.len()).collect();
        let named = portion
            .named_indexes
            .iter()
            .enumerate()
            .map(|(source, &index)| (portion.named_keys.row(source), &in_order, source, index));
        let refused = refused
            .iter()
            .map(|&source| (portion.rows.row(source), &stage.key, source, portion.indexes[source]));
        let mut staging = Self { rows: empty(stage), sources: Vec::new() };
        for (fields, key, source, index) in named.chain(refused) {
            let bucket = bucket(stage, buckets, batch, &fields, key);
            let entry = Entry { bucket, batch, index, state: state::NAMED, source, fields };
            staging.push(&entry, &mut |row, entry| only_key(stage, row, entry, key))?;
        }
        if portion.hides_keys {
            let fields = Fields::default();
            let entry = Entry {
                bucket: 0,
                batch,
                index: NO_INDEX,
                state: state::HIDDEN,
                source: 0,
                fields,
            };
            staging.push(&entry, &mut |row, entry| only_key(stage, row, entry, &[]))?;
        }
        Ok(staging)
    }

    fn of(stage: &StageTable, mut entries: Vec<Entry<'_>>, fill: Fill<'_>) -> Result<Self> {
        entries.sort_unstable_by_key(|entry| (entry.bucket, entry.batch, entry.index));
        let mut staging = Self { rows: empty(stage), sources: Vec::with_capacity(entries.len()) };
        for entry in &entries {
            staging.push(entry, fill)?;
        }
        Ok(staging)
    }

    fn push(&mut self, entry: &Entry<'_>, fill: Fill<'_>) -> Result<()> {
        let mut row = self.rows.begin();
        fill(&mut row, entry)?;
        row.field(&entry.bucket.to_be_bytes())?;
        row.field(&entry.batch.to_be_bytes())?;
        row.field(&entry.index.to_be_bytes())?;
        row.field(&entry.state.to_be_bytes())?;
        row.finish()?;
        self.sources.push(entry.source);
        Ok(())
    }
}

/// Writes the columns of the layout.
type Fill<'a> = &'a mut dyn FnMut(&mut RowWriter<'_>, &Entry<'_>) -> Result<()>;

fn empty(stage: &StageTable) -> Rows {
    Rows::new(stage.columns.len() as u16 + OWN_COLUMN_COUNT)
}

/// Writes a row that has only its key, which `key` numbers among the fields there are.
fn only_key(
    stage: &StageTable,
    row: &mut RowWriter<'_>,
    entry: &Entry<'_>,
    key: &[usize],
) -> Result<()> {
    for column in 0..stage.columns.len() {
        let place = stage.key.iter().position(|&index| index == column);
        let field = place.and_then(|place| key.get(place));
        match field.and_then(|&field| entry.fields.clone().nth(field).flatten()) {
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
        let parts = [(4, 0..60), (5, 60..100)];
        let staging = Staging::live(&stage("bigint"), 7, (&rows, &indexes), &parts).unwrap();
        let buckets: Vec<_> = (0..100).map(|row| staging.rows.row(row).nth(2)).collect();
        assert!(buckets.is_sorted());
        for (row, &source) in staging.sources.iter().enumerate() {
            let id = (source as i64).to_be_bytes();
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
