//! The keys of batches that were stored straight into the table, noted beside the stage.
//!
//! A batch that is staged may have keys of one that is apart. So the keys of those are noted, in one row for
//! each batch, and become staged rows once every batch is in, if a row was staged at all. A batch is a
//! range of a key, and mostly has every number of it, or every tenth: what is noted are runs, in which
//! the key and the number of the row both count on by one.

use super::mode::Mode;
use super::staged::Staged;
use super::staging::Staging;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::column_array::ColumnArray;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sql::stage::state;

/// What is noted of a batch that is in the table.
pub(super) struct Note<'a> {
    pub(super) batch: u32,
    /// The numbers of its rows.
    pub(super) indexes: &'a [u32],
    /// Their keys.
    pub(super) keys: &'a [i64],
    /// Whether all of them are new.
    pub(super) are_new: bool,
}

impl Note<'_> {
    /// The state that its rows are in.
    fn state(&self) -> i16 {
        if self.are_new { state::STORED } else { state::TOUCHED }
    }

    fn folded_state(&self) -> i16 {
        if self.are_new { state::STORED_NOTE } else { state::TOUCHED_NOTE }
    }
}

impl Staged<'_> {
    /// Notes the keys of batches, which are in the target now.
    pub(super) fn note(&self, connection: &mut dyn Connection, notes: &[Note<'_>]) -> Result<()> {
        if notes.is_empty() {
            return Ok(());
        }
        if self.target.mode == Mode::Mirror {
            // What is not staged is deleted at the end.
            return self.stage_keys(connection, notes);
        }
        let mut keys = ColumnArray::new(&ColumnType::Bytea);
        let mut batches = ColumnArray::new(&ColumnType::Int4);
        let mut states = ColumnArray::new(&ColumnType::Int2);
        for note in notes {
            push(&mut keys, &fold(note.indexes, note.keys))?;
            push(&mut batches, &note.batch.to_be_bytes())?;
            push(&mut states, &note.folded_state().to_be_bytes())?;
        }
        let arrays = [keys, batches, states].map(ColumnArray::finish);
        let params: Vec<_> =
            arrays.iter().map(|(of, bytes)| Param::Packed(of, bytes.as_slice().into())).collect();
        connection.execute_ahead(&self.stage.note(), &params)
    }

    fn stage_keys(&self, connection: &mut dyn Connection, notes: &[Note<'_>]) -> Result<()> {
        let columns = self.stage.load_columns()?;
        let mut rows = Rows::new(columns.len() as u16);
        for note in notes {
            let keys = self.rows_of_keys(note.keys)?;
            let staged = self.staged_keys(note.batch, (&keys, note.indexes), note.state())?;
            for index in 0..staged.rows.len() {
                let mut row = rows.begin();
                row.copy(&staged.rows, index);
                row.finish()?;
            }
        }
        connection.load(&self.stage.name, &columns, &rows, 0..rows.len()).map(drop)
    }

    fn staged_keys(&self, batch: u32, keys: (&Rows, &[u32]), state: i16) -> Result<Staging> {
        Staging::of_keys(&self.stage, self.buckets, batch, keys, state)
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
            let (indexes, keys) = unfold(&noted).ok_or_else(unreadable)?;
            let keys = self.rows_of_keys(&keys)?;
            let staging = self.staged_keys(batch as u32, (&keys, &indexes), state)?;
            let whole = 0..staging.rows.len();
            connection.load(&self.stage.name, &columns, &staging.rows, whole)?;
        }
        connection.run(&self.stage.drop_notes())
    }

    /// Rows that have nothing but a key.
    fn rows_of_keys(&self, keys: &[i64]) -> Result<Rows> {
        let [key] = self.stage.key[..] else { return Err(unreadable()) };
        let key_type = &self.stage.columns[key].column_type;
        let mut rows = Rows::new(1);
        for number in keys {
            let mut row = rows.begin();
            row.cell(number, key_type)?;
            row.finish()?;
        }
        Ok(rows)
    }
}

fn push(array: &mut ColumnArray<'_>, bytes: &[u8]) -> Result<()> {
    array.push(|out| {
        out.extend_from_slice(bytes);
        Ok(true)
    })
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Ledger, "the keys noted of a batch cannot be read")
}

/// Each run as three numbers: how much further on than where the last run ended its first row is
/// numbered, and its first key is, and how many rows it has.
fn fold(indexes: &[u32], keys: &[i64]) -> Vec<u8> {
    let mut folded = Vec::new();
    let (mut next_index, mut next_key) = (0_i64, 0_i64);
    let mut rows =
        indexes.iter().zip(keys).map(|(&index, &key)| (i64::from(index), key)).peekable();
    while let Some((index, key)) = rows.next() {
        write_signed(&mut folded, index - next_index);
        // Around the edge of the numbers, back again when it is read.
        write_signed(&mut folded, key.wrapping_sub(next_key));
        let mut count = 1_i64;
        let follows = |row: &(i64, i64), count: i64| {
            *row == (index + count, key.wrapping_add(count)) && row.1 > key
        };
        while rows.next_if(|row| follows(row, count)).is_some() {
            count += 1;
        }
        write_number(&mut folded, count as u64);
        (next_index, next_key) = (index + count, key.wrapping_add(count));
    }
    folded
}

/// The numbers of the rows, and their keys; `None` where that is no note.
fn unfold(mut folded: &[u8]) -> Option<(Vec<u32>, Vec<i64>)> {
    let (mut indexes, mut keys) = (Vec::new(), Vec::new());
    let (mut next_index, mut next_key) = (0_i64, 0_i64);
    while !folded.is_empty() {
        let index = next_index.checked_add(read_signed(&mut folded)?)?;
        let key = next_key.wrapping_add(read_signed(&mut folded)?);
        let count = i64::try_from(read_number(&mut folded)?).ok()?;
        let end = index.checked_add(count).filter(|end| index >= 0 && *end <= 1 << 32)?;
        indexes.extend((index..end).map(|index| index as u32));
        keys.extend((0..count).map(|place| key.wrapping_add(place)));
        (next_index, next_key) = (end, key.wrapping_add(count));
    }
    Some((indexes, keys))
}

/// Small numbers of either sign as small numbers.
fn write_signed(out: &mut Vec<u8>, number: i64) {
    write_number(out, ((number << 1) ^ (number >> 63)) as u64);
}

fn read_signed(from: &mut &[u8]) -> Option<i64> {
    let number = read_number(from)?;
    Some((number >> 1) as i64 ^ -((number & 1) as i64))
}

/// Seven bits in each byte, the lowest first; the eighth says that there are more.
fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_batch_that_has_every_key_of_its_range_is_noted_in_a_few_bytes() {
        let (indexes, keys): (Vec<u32>, Vec<i64>) =
            (0..1_000).map(|index| (index, 5_000_000 + i64::from(index))).unzip();
        let folded = fold(&indexes, &keys);
        assert!(folded.len() < 10, "{}", folded.len());
        assert_eq!(unfold(&folded), Some((indexes, keys)));
    }

    #[test]
    fn a_key_for_each_ten_numbers_is_three_bytes() {
        let (indexes, keys): (Vec<u32>, Vec<i64>) =
            (0..1_000).map(|index| (index, 10 * i64::from(index))).unzip();
        assert_eq!(fold(&indexes, &keys).len(), 3_000);
    }

    #[test]
    fn keys_at_the_edges_are_read_back() {
        let keys = vec![i64::MAX, i64::MIN, i64::MIN + 1, 0, -1, i64::MAX];
        let indexes = vec![0, 1, 2, 7, 3, u32::MAX];
        assert_eq!(unfold(&fold(&indexes, &keys)), Some((indexes, keys)));
    }

    #[test]
    fn what_is_no_note_is_none() {
        for bytes in
            [&[0x80][..], &[0, 0], &[1, 0, 1], &[0xff; 11], &[0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f]]
        {
            assert_eq!(unfold(bytes), None, "{bytes:?}");
        }
        assert_eq!(unfold(&[]), Some((Vec::new(), Vec::new())));
    }

    proptest! {
        #[test]
        fn whatever_is_noted_is_read_back(
            rows in proptest::collection::vec((any::<u32>(), prop_oneof![-3_i64..3, any::<i64>()]), 0..50)
        ) {
            let (indexes, keys): (Vec<u32>, Vec<i64>) = rows.into_iter().unzip();
            prop_assert_eq!(unfold(&fold(&indexes, &keys)), Some((indexes, keys)));
        }
    }
}
