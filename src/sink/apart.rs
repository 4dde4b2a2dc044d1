//! Batches whose keys no other batch can have, upserted straight into the table: they are written once, not
//! twice, and whether their rows are new or there makes no difference.
//!
//! Of a source that is read by ranges of a whole number each batch has a range of its own. What a closure
//! makes of its rows may have any key, so the keys of a batch are looked at: where all lie in its own
//! range, and none is there twice, they are *apart*. Of two batches that are, none has a key of the other; so
//! their rows need no order, and the table can have them at once, and several batches in one transaction
//! ([`together`](super::together)). Any other batch is staged as a whole, and may then have keys of one that
//! is apart; so the keys of those are noted beside the stage ([`notes`](super::notes)).

use super::isolate::UNDO;
use super::notes::Note;
use super::portion::Portion;
use super::staged::Staged;
use super::table::Stored;
use crate::backend::Connection;
use crate::backend::together::{self, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_array::ColumnArray;
use crate::mapping::column_type::ColumnType;
use crate::mapping::key_range::KeyRange;
use crate::mapping::layout::Layout;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sql::rows::TableRows;
use std::ops::Range;

/// Rows of one statement at most: what one message carries.
const ROWS: usize = 10_000;

/// Statements of so many bytes of rows are sent together, roughly: each byte is there three times then,
/// for as long as they are under way.
const FLIGHT_BYTES: usize = 1024 * 1024;

/// The keys of the rows of a batch, if they are apart from those of all others, in the order of its rows.
pub(super) fn keys_apart(
    layout: &Layout,
    rows: &Rows,
    own: Range<usize>,
    range: KeyRange,
) -> Option<Vec<i64>> {
    use ColumnType::{Int2, Int4, Int8};
    let [key] = layout.key[..] else { return None };
    if !matches!(layout.columns[key].column_type, Int2 | Int4 | Int8) {
        return None;
    }
    let mut keys = Vec::with_capacity(own.len());
    for row in own {
        keys.push(whole_number(rows.row(row).nth(key)??)?);
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

/// The rows of one statement, and of which batch they are.
struct Piece {
    batch: usize,
    rows: Range<usize>,
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
        connection.ahead("SAVEPOINT rowmill_part")?;
        let whole = 0..portion.rows.len();
        let mut upsert = || {
            let parts = std::slice::from_ref(&whole);
            let mut stored = Stored::default();
            for part in self.upsert_parts(connection, portion.rows, parts, is_new)? {
                stored += part;
            }
            let are_new = stored.inserted == keys.len() as u64;
            let note = Note { batch, indexes: portion.indexes, keys, are_new };
            self.note(connection, &[note])?;
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

    /// Upserts the rows of batches that are apart, each a part of `rows`; says what came of each. Each
    /// has statements of its own, by whose counts that is known, and they are sent together.
    ///
    /// # Errors
    /// `Database`, also where a row is refused; `Disconnect`.
    pub(super) fn upsert_parts(
        &self,
        connection: &mut dyn Connection,
        rows: &Rows,
        parts: &[Range<usize>],
        is_new: bool,
    ) -> Result<Vec<Stored>> {
        if let Some(settings) = self.stage.dialect.insist_on_key_lookups() {
            connection.ahead(settings)?;
        }
        let mut pieces = Vec::with_capacity(parts.len());
        for (batch, part) in parts.iter().enumerate() {
            let starts = part.clone().step_by(ROWS);
            let rows = starts.map(|start| start..part.end.min(start + ROWS));
            pieces.extend(rows.map(|rows| Piece { batch, rows }));
        }
        let mut stored: Vec<_> = parts.iter().map(|_| Stored::default()).collect();
        let row_bytes = rows.size_bytes() / rows.len().max(1);
        let mut left = &pieces[..];
        while !left.is_empty() {
            let (flight, behind) = left.split_at(first_flight(left, row_bytes));
            self.upsert_pieces(connection, rows, flight, is_new, &mut stored)?;
            left = behind;
        }
        Ok(stored)
    }

    /// Nobody else in the job has these keys, so that the order of both statements decides nothing.
    fn upsert_pieces(
        &self,
        connection: &mut dyn Connection,
        rows: &Rows,
        pieces: &[Piece],
        is_new: bool,
        stored: &mut [Stored],
    ) -> Result<()> {
        let arrays: Vec<_> =
            pieces.iter().map(|piece| self.arrays(rows, piece)).collect::<Result<_>>()?;
        let params: Vec<_> = arrays.iter().map(|arrays| params(arrays)).collect();
        let (update, insert) = self.update_and_insert();
        let mut left: Vec<(usize, u64)> =
            pieces.iter().map(|piece| piece.rows.len() as u64).enumerate().collect();
        for inserts in [is_new, !is_new] {
            let Some(sql) = (if inserts { Some(&insert) } else { update.as_ref() }) else {
                continue;
            };
            let statements: Vec<Statement<'_>> =
                left.iter().map(|&(piece, _)| (sql.as_str(), &params[piece][..])).collect();
            let counts = together::execute(connection, &statements)?;
            for ((piece, left), count) in left.iter_mut().zip(counts) {
                *left = left.checked_sub(count).ok_or_else(|| touched(count, *left))?;
                let of_batch = &mut stored[pieces[*piece].batch];
                *(if inserts { &mut of_batch.inserted } else { &mut of_batch.updated }) += count;
            }
            left.retain(|(_, left)| *left > 0);
        }
        for (piece, unchanged) in left {
            stored[pieces[piece].batch].unchanged += unchanged;
        }
        Ok(())
    }

    /// The statement that updates rows that are there, if there is more than a key, and the one that
    /// inserts those that are missing.
    fn update_and_insert(&self) -> (Option<String>, String) {
        let written: Vec<_> = (0..self.stage.columns.len()).collect();
        let table = TableRows {
            dialect: self.stage.dialect,
            table: &self.target.table,
            columns: &self.stage.columns,
            key: &self.stage.key,
            version: None,
        };
        (table.update_there(&written, false), table.insert_missing(&written, false))
    }

    /// The columns of some rows, each as an array.
    fn arrays(&self, rows: &Rows, piece: &Piece) -> Result<Vec<(ColumnType, Vec<u8>)>> {
        let columns = &self.stage.columns;
        let mut arrays: Vec<_> =
            columns.iter().map(|column| ColumnArray::new(&column.column_type)).collect();
        for row in piece.rows.clone() {
            for (array, field) in arrays.iter_mut().zip(rows.row(row)) {
                array.push(|out| {
                    out.extend_from_slice(field.unwrap_or_default());
                    Ok(field.is_some())
                })?;
            }
        }
        Ok(arrays.into_iter().map(ColumnArray::finish).collect())
    }
}

fn params(arrays: &[(ColumnType, Vec<u8>)]) -> Vec<Param<'_>> {
    arrays.iter().map(|(of, bytes)| Param::Packed(of, bytes.as_slice().into())).collect()
}

fn touched(count: u64, left: u64) -> Error {
    let message = format!("an upsert of {left} rows touched {count}");
    Error::new(ErrorKind::Internal, message)
}

/// How many of the pieces go together: as many as fill a flight, and at least one.
fn first_flight(pieces: &[Piece], row_bytes: usize) -> usize {
    let mut bytes = 0;
    let fits = |piece: &&Piece| {
        bytes += piece.rows.len() * row_bytes;
        bytes <= FLIGHT_BYTES
    };
    pieces.iter().take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_has_no_more_bytes_than_it_may_and_at_least_one_statement() {
        let pieces: Vec<_> = (0..5).map(|batch| Piece { batch, rows: 0..1_024 }).collect();
        assert_eq!(first_flight(&pieces, 100), 5);
        assert_eq!(first_flight(&pieces, 512), 2);
        assert_eq!(first_flight(&pieces, 5_000), 1);
    }

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
