//! Batches whose keys no other batch can have, upserted straight into the table: they are written once, not
//! twice, and whether their rows are new or there makes no difference.
//!
//! Of a source that is read by ranges of a whole number each batch has a range of its own. What a closure
//! makes of its rows may have any key, so the keys of a batch are looked at: where all lie in its own
//! range, and none is there twice, they are *apart*. Of two batches that are, none has a key of the other; so
//! their rows need no order, and the table can have them at once. Any other batch is staged as a whole, and
//! may then have keys of one that is apart. So the keys of those are noted beside the stage, in one row for
//! each batch; they are unfolded into staged rows once every batch is in, if a row was staged at all.

use super::isolate::UNDO;
use super::mode::Mode;
use super::portion::Portion;
use super::staged::Staged;
use super::staging::Staging;
use super::table::Stored;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::column_array::ColumnArray;
use crate::mapping::column_type::ColumnType;
use crate::mapping::key_range::KeyRange;
use crate::mapping::layout::Layout;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sql::rows::TableRows;
use crate::sql::stage::state;
use std::ops::Range;

/// Rows of one statement at most: what one message carries.
const ROWS: usize = 10_000;

/// The keys of a batch, if they are apart from those of all others, in the order of its rows.
pub(super) fn keys_apart(layout: &Layout, portion: Portion<'_>) -> Option<Vec<i64>> {
    use ColumnType::{Int2, Int4, Int8};
    let (range, [key]) = (portion.key_range?, &layout.key[..]) else { return None };
    if !matches!(layout.columns[*key].column_type, Int2 | Int4 | Int8) || portion.rows.is_empty() {
        return None;
    }
    let mut keys = Vec::with_capacity(portion.rows.len());
    for row in 0..portion.rows.len() {
        keys.push(whole_number(portion.rows.row(row).nth(*key)??)?);
    }
    are_apart(&keys, range).then_some(keys)
}

fn are_apart(keys: &[i64], range: KeyRange) -> bool {
    if !keys.iter().all(|&key| range.contains(key)) {
        return false;
    }
    // A source that is cut by its key is read in its order.
    if keys.is_sorted_by(|one, next| one < next) {
        return true;
    }
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.is_sorted_by(|one, next| one < next)
}

fn whole_number(bytes: &[u8]) -> Option<i64> {
    Some(match bytes.len() {
        2 => i64::from(i16::from_be_bytes(bytes.try_into().ok()?)),
        4 => i64::from(i32::from_be_bytes(bytes.try_into().ok()?)),
        _ => i64::from_be_bytes(bytes.try_into().ok()?),
    })
}

impl Staged<'_> {
    /// Upserts a batch whose `keys` are apart, looking for missing rows first if it is thought to be new;
    /// `None`, and nothing changed, if the database refuses one of its rows.
    ///
    /// # Errors
    /// An error after which the transaction cannot go on, or has to be run again.
    pub(super) fn upsert_apart(
        &self,
        connection: &mut dyn Connection,
        batch: u32,
        portion: Portion<'_>,
        keys: &[i64],
        is_new: bool,
    ) -> Result<Option<Stored>> {
        if let Some(settings) = self.stage.dialect.insist_on_key_lookups() {
            connection.ahead(settings)?;
        }
        connection.ahead("SAVEPOINT rowmill_part")?;
        let mut upsert = || {
            let mut stored = Stored::default();
            let rows = portion.rows.len();
            for start in (0..rows).step_by(ROWS) {
                let part = start..rows.min(start + ROWS);
                stored += self.upsert_part(connection, portion.rows, part, is_new)?;
            }
            let state = if stored.inserted == rows as u64 { state::STORED } else { state::TOUCHED };
            self.note(connection, batch, portion, keys, state)?;
            Ok(stored)
        };
        match upsert() {
            Ok(stored) => {
                connection.ahead("RELEASE SAVEPOINT rowmill_part")?;
                self.load_named(connection, batch, portion, &[])?;
                Ok(Some(stored))
            }
            Err(error) if Error::is_data(&error) => connection.run(UNDO).map(|()| None),
            Err(error) => Err(error),
        }
    }

    /// Nobody else in the job has these keys, so that the order of both statements decides nothing.
    fn upsert_part(
        &self,
        connection: &mut dyn Connection,
        rows: &Rows,
        part: Range<usize>,
        is_new: bool,
    ) -> Result<Stored> {
        let count = part.len() as u64;
        let arrays = self.arrays(rows, part)?;
        let params: Vec<_> =
            arrays.iter().map(|(of, bytes)| Param::Packed(of, bytes.as_slice().into())).collect();
        let written: Vec<_> = (0..self.stage.columns.len()).collect();
        let table = TableRows {
            dialect: self.stage.dialect,
            table: &self.target.table,
            columns: &self.stage.columns,
            key: &self.stage.key,
            version: None,
        };
        let mut stored = Stored::default();
        if is_new {
            stored.inserted =
                connection.execute(&table.insert_missing(&written, false), &params)?;
        }
        if stored.inserted < count
            && let Some(update) = table.update_there(&written, false)
        {
            stored.updated = connection.execute(&update, &params)?;
        }
        if !is_new && stored.updated < count {
            stored.inserted =
                connection.execute(&table.insert_missing(&written, false), &params)?;
        }
        let touched = stored.inserted + stored.updated;
        stored.unchanged = count.checked_sub(touched).ok_or_else(|| {
            let message = format!("an upsert of {count} rows touched {touched}");
            Error::new(ErrorKind::Internal, message)
        })?;
        Ok(stored)
    }

    /// The columns of some rows, each as an array.
    fn arrays(&self, rows: &Rows, part: Range<usize>) -> Result<Vec<(ColumnType, Vec<u8>)>> {
        let columns = &self.stage.columns;
        let mut arrays: Vec<_> =
            columns.iter().map(|column| ColumnArray::new(&column.column_type)).collect();
        for row in part {
            for (array, field) in arrays.iter_mut().zip(rows.row(row)) {
                array.push(|out| {
                    out.extend_from_slice(field.unwrap_or_default());
                    Ok(field.is_some())
                })?;
            }
        }
        Ok(arrays.into_iter().map(ColumnArray::finish).collect())
    }

    /// Notes the keys of a batch, which are in the target now.
    fn note(
        &self,
        connection: &mut dyn Connection,
        batch: u32,
        portion: Portion<'_>,
        keys: &[i64],
        state: i16,
    ) -> Result<()> {
        if self.target.mode == Mode::Mirror {
            // What is not staged is deleted at the end.
            let keys = Staging::stored(&self.stage, self.buckets, batch, portion, state)?;
            let columns = self.stage.load_columns()?;
            let whole = 0..keys.rows.len();
            return connection.load(&self.stage.name, &columns, &keys.rows, whole).map(drop);
        }
        let folded = fold(portion.indexes, keys);
        let params = [
            Param::Packed(&ColumnType::Bytea, folded.into()),
            i64::from(batch).into(),
            i64::from(folded_state(state)).into(),
        ];
        connection.execute(&self.stage.note(), &params).map(drop)
    }

    /// Makes staged rows of the keys that were noted; once every batch is in. Can be repeated.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn unfold_notes(&self, connection: &mut dyn Connection) -> Result<()> {
        let mut batches = Vec::new();
        connection.query(&self.stage.noted_batches(), &[], &mut |row| {
            batches.push((i64::unpack(row.cell(0)?)?, i64::unpack(row.cell(1)?)?));
            Ok(())
        })?;
        let columns = self.stage.load_columns()?;
        for (batch, folded) in batches {
            let mut noted = Vec::new();
            connection.query(&self.stage.noted(), &[batch.into()], &mut |row| {
                noted = Vec::<u8>::unpack(row.cell(0)?)?;
                Ok(())
            })?;
            let state = if folded == i64::from(state::STORED_NOTE) {
                state::STORED
            } else {
                state::TOUCHED
            };
            let staging = self.unfold(batch as u32, &noted, state)?;
            let whole = 0..staging.rows.len();
            connection.load(&self.stage.name, &columns, &staging.rows, whole)?;
        }
        connection.run(&self.stage.drop_notes())
    }

    /// The staged rows of a note.
    fn unfold(&self, batch: u32, noted: &[u8], state: i16) -> Result<Staging> {
        let unreadable =
            || Error::new(ErrorKind::Ledger, "the keys noted of a batch cannot be read");
        let [key] = self.stage.key[..] else { return Err(unreadable()) };
        let (entries, []) = noted.as_chunks::<NOTE_BYTES>() else { return Err(unreadable()) };
        let (mut keys, mut indexes) = (Rows::new(1), Vec::with_capacity(entries.len()));
        for entry in entries {
            let (index, number) = entry.split_at(4);
            let (Ok(index), Some(number)) = (index.try_into(), whole_number(number)) else {
                return Err(unreadable());
            };
            indexes.push(u32::from_be_bytes(index));
            let mut row = keys.begin();
            row.field_with(|out| number.pack(&self.stage.columns[key].column_type, out).map(drop))?;
            row.finish()?;
        }
        Staging::of_keys(&self.stage, self.buckets, batch, (&keys, &indexes), state)
    }
}

/// What a note has of each row: its number in the batch, and its key.
const NOTE_BYTES: usize = 12;

fn fold(indexes: &[u32], keys: &[i64]) -> Vec<u8> {
    let mut folded = Vec::with_capacity(keys.len() * NOTE_BYTES);
    for (index, key) in indexes.iter().zip(keys) {
        folded.extend_from_slice(&index.to_be_bytes());
        folded.extend_from_slice(&key.to_be_bytes());
    }
    folded
}

fn folded_state(state: i16) -> i16 {
    if state == state::STORED { state::STORED_NOTE } else { state::TOUCHED_NOTE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_apart_within_their_range_and_once_each() {
        let range = KeyRange { behind: Some(10), last: Some(20) };
        for (keys, apart) in [
            (&[11, 12, 20][..], true),
            (&[20, 11, 12], true),
            (&[10, 11], false),
            (&[11, 21], false),
            (&[11, 12, 11], false),
            (&[11, 11], false),
        ] {
            assert_eq!(are_apart(keys, range), apart, "{keys:?}");
        }
        let open = KeyRange { behind: None, last: None };
        assert!(are_apart(&[i64::MIN, i64::MAX], open));
        assert!(!are_apart(&[0], KeyRange::EMPTY));
    }

    #[test]
    fn whole_numbers_of_any_width_are_read() {
        assert_eq!(whole_number(&(-7_i16).to_be_bytes()), Some(-7));
        assert_eq!(whole_number(&(-7_i32).to_be_bytes()), Some(-7));
        assert_eq!(whole_number(&i64::MIN.to_be_bytes()), Some(i64::MIN));
        assert_eq!(whole_number(&[1]), None);
    }
}
