//! Staged rows that are stored one after the other, inside the database.
//!
//! Where rows are refused by what no query finds (a trigger, say), halving ends at single rows, each
//! with its round trips. One statement does the same in one: it tries a few rows together, and where one
//! of them is refused each by itself, in input order, and tells which were refused and why.

use super::isolate::tried;
use super::mode::Mode;
use super::staged::Staged;
use super::table::{NotStored, Stored};
use crate::backend::Connection;
use crate::backend::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::sql::one_by_one::{DONE, Met};

impl Staged<'_> {
    /// Stores the `rows` rows of a bucket in `state`; `None`, with nothing changed, if the database has
    /// no such statement, or does not let this user have it.
    ///
    /// # Errors
    /// `Disconnect`, and all that ends the transaction.
    pub(super) fn one_by_one(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        rows: u64,
    ) -> Result<Option<Stored>> {
        let met = match self.target.mode {
            Mode::Append | Mode::Replace => Met::Refused,
            Mode::InsertIgnore => Met::Ignored,
            Mode::Upsert | Mode::Mirror => Met::Updated,
        };
        let together = self.lately.together();
        let Some(block) = self.statements().one_by_one(bucket, state, met, together) else {
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

/// The batch and the index of a row that was refused; code, message, context, constraint and column.
type Noted = (u32, u32, String, String, String, String, String);

/// What became of the rows.
fn read_done(connection: &mut dyn Connection) -> Result<Stored> {
    let mut done = String::new();
    connection.query(DONE, &[], &mut |row| {
        done = String::unpack(row.cell(0)?)?;
        Ok(())
    })?;
    let ((inserted, updated), refused): ((u64, u64), Vec<Noted>) = serde_json::from_str(&done)
        // What it says may have values of a row.
        .map_err(|_| Error::new(ErrorKind::Internal, "rows, stored one by one, told no result"))?;
    let refused =
        refused.into_iter().map(|(batch, index, code, message, context, rule, column)| {
            // What a refusal has nothing to say of is the empty text.
            let some = |text: String| Some(text).filter(|text| !text.is_empty());
            let (context, constraint, column) = (some(context), some(rule), some(column));
            let refusal = Refusal { code, message, context, constraint, column };
            NotStored::new(batch, index, connection.explain(refusal))
        });
    let refused = refused.collect();
    Ok(Stored { inserted, updated, refused, ..Stored::default() })
}
