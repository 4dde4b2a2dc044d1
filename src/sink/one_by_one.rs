//! Staged rows that are stored one after the other, inside the database.
//!
//! Where many rows are refused by what no query finds (a trigger, an index over an expression), halving
//! ends at single rows, each with its round trips. One statement does the same in one: it tries each
//! row by itself, in input order, and tells which were refused and why.

use super::counted::integer;
use super::isolate::tried;
use super::mode::Mode;
use super::staged::{Position, Staged};
use super::table::{NotStored, Stored};
use crate::backend::refusal::Refusal;
use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::sql::one_by_one::{DONE, Met};

impl Staged<'_> {
    /// Stores the `rows` rows of a bucket in `state` that lie between two places; `None`, with nothing
    /// changed, if the database has no such statement, or does not let this user have it.
    ///
    /// # Errors
    /// `Disconnect`, and all that ends the transaction.
    pub(super) fn one_by_one(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        ends: (Position, Position),
        rows: u64,
    ) -> Result<Option<Stored>> {
        let met = match self.target.mode {
            Mode::Append | Mode::Replace => Met::Refused,
            Mode::InsertIgnore => Met::Ignored,
            Mode::Upsert | Mode::Mirror => Met::Updated,
        };
        let Some(block) = self.statements().one_by_one(bucket, state, ends, met) else {
            return Ok(None);
        };
        let done = tried(connection, |connection| {
            connection.run(&block)?;
            read_done(connection)
        })?;
        let Some(mut stored) = done else { return Ok(None) };
        let settled = stored.inserted + stored.updated + stored.refused.len() as u64;
        stored.unchanged = rows.checked_sub(settled).ok_or_else(|| {
            let message = format!("{rows} rows, stored one by one, touched {settled}");
            Error::new(ErrorKind::Internal, message)
        })?;
        Ok(Some(stored))
    }
}

/// What became of the rows.
fn read_done(connection: &mut dyn Connection) -> Result<Stored> {
    let mut stored = Stored::default();
    let (mut is_first, mut refused) = (true, Vec::new());
    connection.query(DONE, &[], &mut |row| {
        let (one, other) = (integer(row.cell(0)?)? as u64, integer(row.cell(1)?)? as u64);
        if std::mem::take(&mut is_first) {
            (stored.inserted, stored.updated) = (one, other);
        } else {
            refused.push((one as u32, other as u32, refusal(row)?));
        }
        Ok(())
    })?;
    let not_stored = refused
        .into_iter()
        .map(|(batch, index, refusal)| NotStored::new(batch, index, connection.explain(refusal)));
    stored.refused = not_stored.collect();
    Ok(stored)
}

fn refusal(row: &dyn RowRef) -> Result<Refusal> {
    let text = |index| Option::<String>::unpack(row.cell(index)?);
    // What a refusal has nothing to say of is the empty text.
    let some = |index| Ok::<_, Error>(text(index)?.filter(|text| !text.is_empty()));
    Ok(Refusal {
        code: text(2)?.unwrap_or_default(),
        message: text(3)?.unwrap_or_default(),
        context: some(4)?,
        constraint: some(5)?,
        column: some(6)?,
    })
}
