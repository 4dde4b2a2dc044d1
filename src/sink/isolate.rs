//! Finding the rows that the database refuses.
//!
//! A part of a batch is tried under a savepoint. If the database refuses it for its data, it is
//! rolled back to the savepoint, cut in two, and each half is tried; a part of one row is the row
//! at fault. Where the database names the row, the cut is made there. All within the batch's one
//! transaction: nothing commits on its own.

use crate::backend::Connection;
use crate::error::{Error, Result};
use std::ops::{AddAssign, Range};

/// So often the row that the database names is believed; then the batch is full of bad rows, and
/// halving sends fewer rows again than cutting at each.
const NAMED_ROWS: u32 = 16;

/// Stores a range of rows, or none of it.
pub(super) type Attempt<'a, T> = &'a mut dyn FnMut(&mut dyn Connection, Range<usize>) -> Result<T>;

/// Stores the parts of `parts`, in their order, with `attempt`, which stores a range of rows or
/// none of it. Rows that are refused go to `refuse`; what succeeded is summed up.
///
/// # Errors
/// What `attempt` returns, if it is not the fault of a row.
pub(super) fn isolate<T: Default + AddAssign>(
    connection: &mut dyn Connection,
    parts: &[Range<usize>],
    attempt: Attempt<'_, T>,
    refuse: &mut dyn FnMut(usize, Error),
) -> Result<T> {
    let mut total = T::default();
    let mut named = 0;
    // The part on top is the next one.
    let mut open: Vec<_> = parts.iter().rev().filter(|part| !part.is_empty()).cloned().collect();
    while let Some(part) = open.pop() {
        let error =
            match under_savepoint(connection, |connection| attempt(connection, part.clone())) {
                Ok(stored) => {
                    total += stored;
                    continue;
                }
                Err(error) if error.is_data() => error,
                Err(error) => return Err(error),
            };
        if part.len() == 1 {
            refuse(part.start, error);
            continue;
        }
        match error.place().row.and_then(|row| row_of(&part, row)) {
            Some(bad) if named < NAMED_ROWS => {
                named += 1;
                // ORDER: the rows before it were rolled back with it and come first.
                open.push(bad + 1..part.end);
                open.push(bad..bad + 1);
                open.push(part.start..bad);
            }
            _ => {
                let middle = part.start + part.len() / 2;
                open.push(middle..part.end);
                open.push(part.start..middle);
            }
        }
        open.retain(|part| !part.is_empty());
    }
    Ok(total)
}

/// Row `row` (from 1) of a part; `None` if the database named one that is not in it.
fn row_of(part: &Range<usize>, row: u64) -> Option<usize> {
    let index = part.start + usize::try_from(row).ok()?.checked_sub(1)?;
    part.contains(&index).then_some(index)
}

/// Runs `work` so that an error of it leaves the transaction as it was before, and usable.
///
/// # Errors
/// What `work` returns; an error of the savepoint itself.
pub(super) fn under_savepoint<T>(
    connection: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<T>,
) -> Result<T> {
    connection.run("SAVEPOINT rowmill_part")?;
    let done = work(connection).and_then(|value| {
        // What only COMMIT would refuse could not be put down to a row.
        connection.check_constraints().map(|()| value)
    });
    match done {
        Ok(value) => connection.run("RELEASE SAVEPOINT rowmill_part").map(|()| value),
        Err(error) if error.is_data() => {
            connection.run("ROLLBACK TO SAVEPOINT rowmill_part; RELEASE SAVEPOINT rowmill_part")?;
            Err(error)
        }
        // The transaction as a whole is lost; its owner rolls it back.
        Err(error) => Err(error),
    }
}
