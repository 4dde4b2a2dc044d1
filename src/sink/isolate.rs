//! Finding the rows that the database refuses.
//!
//! A part of a batch is tried under a savepoint. If the database refuses it for its data, it is
//! rolled back to the savepoint, cut in two, and each half is tried; a part of one row is the row
//! at fault. Where the database names the row, the cut is made there. All within the batch's one
//! transaction: nothing commits on its own, and never is more than one savepoint open.

use crate::backend::Connection;
use crate::error::{Error, Result};
use crate::sqlstate::{Class, SqlState};
use std::ops::{AddAssign, Range};

/// Stores a range of rows, or none of it.
pub(super) type Attempt<'a, T> = &'a mut dyn FnMut(&mut dyn Connection, Range<usize>) -> Result<T>;

/// How long rows are sought one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    /// So often the row that the database names is believed; then the batch is full of bad rows, and
    /// halving sends fewer rows again than cutting at each.
    named: usize,
    /// Whether a named row is refused at once, where no other row can be the cause. Else it is tried
    /// once more, alone: a trigger may have looked at rows that are not there any more.
    at_once: bool,
    /// Whether the rest is left to others where many rows would have to be halved.
    gives_up: bool,
    /// After so many refused rows the rest is left to others.
    most: usize,
}

/// One bad row among so many, 2 %, are many.
const SHARE: usize = 50;

/// A rest of fewer rows is halved all the same.
const FEW: usize = 32;

impl Trust {
    /// Goes on to the end, whatever it takes.
    pub(super) fn to_the_end(at_once: bool) -> Self {
        Self { named: 16, at_once, gives_up: false, most: usize::MAX }
    }

    /// Leaves the rest to others after a few refused rows, whoever finds them.
    pub(super) fn to_a_few(at_once: bool) -> Self {
        Self { most: 8, ..Self::to_the_end(at_once) }
    }

    /// Gives up a batch of `rows` rows that has more than a few bad ones, or some that the database
    /// does not name.
    pub(super) fn for_a_few(rows: usize) -> Self {
        let named = (rows / SHARE).clamp(1, 8);
        Self { named, gives_up: true, ..Self::to_the_end(true) }
    }

    /// Whether `rest` rows, of which one was refused with `error`, are left to others; among the
    /// `seen` before `refused` were, of which `named` were named.
    fn ends(self, error: &Error, named: usize, refused: usize, seen: usize, rest: usize) -> bool {
        if refused >= self.most {
            return rest > FEW;
        }
        let is_known = error.place().row.is_some() && named < self.named;
        // Two may be chance.
        let are_many = named >= 2 && named * SHARE > seen;
        self.gives_up && (!is_known || are_many) && rest > FEW
    }
}

/// Stores the parts of `parts`, in their order, with `attempt`, which stores a range of rows or
/// none of it. Rows that are refused go to `refuse`; what succeeded is summed up. Returns, beside
/// the sum, the rows at the end that were given up, if any.
///
/// # Errors
/// What `attempt` returns, if it is not the fault of a row.
pub(super) fn isolate<T: Default + AddAssign>(
    connection: &mut dyn Connection,
    parts: &[Range<usize>],
    trust: Trust,
    attempt: Attempt<'_, T>,
    refuse: &mut dyn FnMut(usize, Error),
) -> Result<(T, Option<Range<usize>>)> {
    let mut total = T::default();
    let (mut named, mut refused) = (0, 0);
    let begin = parts.first().map_or(0, |part| part.start);
    let end = parts.last().map_or(0, |part| part.end);
    // The part on top is the next one; a row with an error is refused when its turn comes.
    let mut open: Vec<(Range<usize>, Option<Error>)> =
        parts.iter().rev().map(|part| (part.clone(), None)).collect();
    while let Some((part, known)) = open.pop() {
        if part.is_empty() {
            continue;
        }
        if let Some(error) = known {
            refused += 1;
            refuse(part.start, error);
            continue;
        }
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
            refused += 1;
            refuse(part.start, error);
            continue;
        }
        if trust.ends(&error, named, refused, part.start - begin, end - part.start) {
            return Ok((total, Some(part.start..end)));
        }
        match error.place().row.and_then(|row| row_of(&part, row)) {
            Some(bad) if named < trust.named => {
                named += 1;
                let known = (trust.at_once && is_its_own(&error)).then_some(error);
                // ORDER: the rows before it were rolled back with it and come first.
                open.push((bad + 1..part.end, None));
                open.push((bad..bad + 1, known));
                open.push((part.start..bad, None));
            }
            _ => {
                let middle = part.start + part.len() / 2;
                open.push((middle..part.end, None));
                open.push((part.start..middle, None));
            }
        }
    }
    Ok((total, None))
}

/// Whether no other row can be the reason for which a row was refused: a row that met another one
/// may have met one that is itself refused.
fn is_its_own(error: &Error) -> bool {
    error.sqlstate().is_some_and(|state| {
        state.code().starts_with("22")
            || matches!(state, SqlState::NOT_NULL_VIOLATION | SqlState::CHECK_VIOLATION)
    })
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
    connection.ahead("SAVEPOINT rowmill_part")?;
    let done = work(connection).and_then(|value| {
        // What only COMMIT would refuse could not be put down to a row.
        connection.check_constraints().map(|()| value)
    });
    match done {
        Ok(value) => connection.ahead("RELEASE SAVEPOINT rowmill_part").map(|()| value),
        Err(error) if error.is_data() => {
            connection.run(UNDO)?;
            Err(error)
        }
        // The transaction as a whole is lost; its owner rolls it back.
        Err(error) => Err(error),
    }
}

/// Takes back what was done since the savepoint, and ends it.
pub(super) const UNDO: &str = "ROLLBACK TO SAVEPOINT rowmill_part; RELEASE SAVEPOINT rowmill_part";

/// Runs `work`, which there is another way for; `None`, and nothing changed, if the database refuses
/// it, because a right is missing, say.
///
/// # Errors
/// An error after which the transaction cannot go on, or has to be run again.
pub(super) fn tried<T>(
    connection: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<T>,
) -> Result<Option<T>> {
    connection.ahead("SAVEPOINT rowmill_part")?;
    match work(connection) {
        Ok(value) => connection.ahead("RELEASE SAVEPOINT rowmill_part").map(|()| Some(value)),
        Err(error) if matches!(error.class(), Class::Data | Class::Permanent) => {
            connection.run(UNDO).map(|()| None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn refusal(state: &str, row: Option<u64>) -> Error {
        let error = Error::new(ErrorKind::Database, "refused");
        let error = error.with_sqlstate(SqlState::parse(state).unwrap());
        error.locate(|place| place.row = row)
    }

    #[test]
    fn what_may_be_the_fault_of_another_row_is_tried_again() {
        for (state, own) in
            [("22003", true), ("23502", true), ("23514", true), ("23505", false), ("P0001", false)]
        {
            assert_eq!(is_its_own(&refusal(state, None)), own, "{state}");
        }
    }

    #[test]
    fn a_batch_is_given_up_for_rows_without_a_name_and_for_more_than_a_few() {
        let trust = Trust::for_a_few(5_000);
        let (named, unnamed) = (refusal("23514", Some(3)), refusal("23503", None));
        let ends = |error, named, seen, rest| trust.ends(error, named, named, seen, rest);
        assert!(ends(&unnamed, 0, 0, 100));
        assert!(!ends(&unnamed, 0, 0, FEW));
        assert!(!ends(&named, 1, 2, 4_998) && ends(&named, 2, 3, 4_997));
        assert!(!ends(&named, 7, 400, 100) && ends(&named, 8, 400, 100));
        assert!(Trust::for_a_few(100).ends(&named, 2, 2, 99, 100));
        assert!(!Trust::to_the_end(true).ends(&unnamed, 0, 99, 0, 5_000));
    }

    #[test]
    fn a_batch_that_is_halved_is_left_to_others_after_a_few_refused_rows() {
        let trust = Trust::to_a_few(false);
        let (named, unnamed) = (refusal("23514", Some(3)), refusal("P0001", None));
        for error in [&named, &unnamed] {
            assert!(!trust.ends(error, 0, 7, 100, 5_000) && trust.ends(error, 0, 8, 100, 5_000));
            assert!(!trust.ends(error, 0, 8, 100, FEW));
        }
    }
}
