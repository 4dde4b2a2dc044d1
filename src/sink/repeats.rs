//! Staged rows whose key came before: the order of the input decides, and nothing else.
//!
//! Every batch is staged before the first row is merged, and all rows of a key are in one bucket. So
//! the database finds them by a query over one bucket, or over all, whatever the workers did, and no
//! memory of ours grows with the number of keys. Repeats that are rejected are held, as all rejects of a unit
//! are, until its transaction has written them.

use super::counted::integer;
use super::duplicates::OnDuplicate;
use super::staged::Staged;
use super::table::NotStored;
use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::param::Param;
use crate::sql::stage::state;
use crate::sqlstate::SqlState;

/// The place of a row in the input: its batch, and its number there, from 0.
pub type InputPlace = (u32, u32);

/// A row of the input whose key came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Where it is.
    pub place: InputPlace,
    /// Where the first row with its key is.
    pub first: InputPlace,
}

impl Repeat {
    /// What is said of it; whoever knows the rows of the input adds the place of the first.
    fn refusal(self) -> NotStored {
        let error = Error::new(ErrorKind::Duplicate, "a row with the same key came before it")
            .with_sqlstate(SqlState::CARDINALITY_VIOLATION);
        let (batch, index) = self.place;
        NotStored { first: Some(self.first), ..NotStored::new(batch, index, error) }
    }
}

impl Staged<'_> {
    /// Takes what the target does not let count out of the live rows of a bucket that was sealed, as
    /// [`settle_repeats`](Self::settle_repeats) does.
    pub(super) fn settle_sealed(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        refused: &mut Vec<NotStored>,
    ) -> Result<u64> {
        match self.target.on_duplicates() {
            // Where they are an error, there are none: the seal looked for them.
            None | Some(OnDuplicate::Error) => Ok(0),
            Some(policy) => self.settle_repeats(connection, bucket, policy, refused),
        }
    }

    /// Takes what `policy` does not let count out of the live rows of a bucket: returns how many rows
    /// another one superseded, and adds those that are rejected to `refused`.
    pub(super) fn settle_repeats(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        policy: OnDuplicate,
        refused: &mut Vec<NotStored>,
    ) -> Result<u64> {
        let last_wins = policy == OnDuplicate::Last;
        if last_wins || policy == OnDuplicate::First {
            let sql = self.statements().drop_superseded(last_wins);
            return connection.execute(&sql, &[Param::from(i64::from(bucket))]);
        }
        let mut found = Vec::new();
        each_repeat(connection, &self.statements().repeats(), bucket, &mut |repeat| {
            found.push(repeat.refusal());
        })?;
        self.set_state(connection, bucket, &found, state::NAMED)?;
        refused.append(&mut found);
        Ok(0)
    }

    /// The first row of the input whose key came before, if there is one.
    pub(super) fn first_repeat(&self, connection: &mut dyn Connection) -> Result<Option<Repeat>> {
        let sql = format!("{} LIMIT 1", self.at_once().statements().repeats());
        let mut first = None;
        each_repeat(connection, &sql, 0, &mut |found| first = Some(found))?;
        Ok(first)
    }
}

fn each_repeat(
    connection: &mut dyn Connection,
    sql: &str,
    bucket: u32,
    each: &mut dyn FnMut(Repeat),
) -> Result<()> {
    connection.query(sql, &[Param::from(i64::from(bucket))], &mut |row| {
        each(Repeat { place: place(row, 0)?, first: place(row, 2)? });
        Ok(())
    })
}

/// The batch and the index in two columns.
fn place(row: &dyn RowRef, column: usize) -> Result<InputPlace> {
    Ok((integer(row.cell(column)?)? as u32, integer(row.cell(column + 1)?)? as u32))
}
