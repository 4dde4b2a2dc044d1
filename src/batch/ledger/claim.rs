//! The row of a batch, taken at the beginning of its transaction and marked at its end.

use super::{Ledger, field, one};
use crate::backend::Connection;
use crate::batch::limits::RejectClass;
use crate::batch::unit::Unit;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::param::Param;
use crate::sql::ledger::COUNTS;
use std::ops::AddAssign;

/// The counters of a batch, or of all batches of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Rows that were read.
    pub read: u64,
    /// Rows that are new in the target.
    pub inserted: u64,
    /// Rows that were changed in the target.
    pub updated: u64,
    /// Rows that the target had already as they are.
    pub unchanged: u64,
    /// Rows that were deleted from the target.
    pub deleted: u64,
    /// Rows that the user's closure left out.
    pub filtered: u64,
    /// Rows that another row of the input with the same key superseded.
    pub duplicates: u64,
    /// Rows that were rejected.
    pub rejected: u64,
}

impl Counts {
    /// Whether every row that was read is accounted for:
    /// read = inserted + updated + unchanged + filtered + duplicates + rejected.
    pub fn balance(&self) -> bool {
        let kept = self.inserted + self.updated + self.unchanged;
        self.read == kept + self.filtered + self.duplicates + self.rejected
    }

    /// In the order of the ledger's columns.
    pub(super) fn in_order(&self) -> [u64; COUNTS.len()] {
        [
            self.read,
            self.inserted,
            self.updated,
            self.unchanged,
            self.deleted,
            self.filtered,
            self.duplicates,
            self.rejected,
        ]
    }

    pub(super) fn from_order(counts: [u64; COUNTS.len()]) -> Self {
        let [read, inserted, updated, unchanged, deleted, filtered, duplicates, rejected] = counts;
        Self { read, inserted, updated, unchanged, deleted, filtered, duplicates, rejected }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let (mine, theirs) = (self.in_order(), other.in_order());
        *self = Self::from_order(std::array::from_fn(|index| mine[index] + theirs[index]));
    }
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::batch) enum Claim {
    /// The unit is open, and nobody else's until the transaction ends.
    Taken,
    /// It is done.
    Done,
    /// Another transaction has it.
    Busy,
}

/// Whether a claim waits for another transaction that has the unit, or passes it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::batch) enum Meeting {
    Wait,
    PassOver,
}

/// What is written beside a unit that is done.
pub(in crate::batch) struct Mark {
    pub(in crate::batch) run_id: i64,
    pub(in crate::batch) seconds: f64,
    pub(in crate::batch) counts: Counts,
}

impl Ledger {
    /// Takes the row of a unit until the transaction ends.
    pub(in crate::batch) fn claim(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        unit: &Unit,
        meeting: Meeting,
    ) -> Result<Claim> {
        let dialect = self.tables.dialect;
        let lock = match meeting {
            Meeting::Wait => dialect.for_update(),
            Meeting::PassOver => dialect.for_update_of_free(),
        };
        let sql = format!(
            "SELECT done FROM {} WHERE job_id = $1 AND phase = $2 AND number = $3{lock}",
            self.tables.batch
        );
        let done = one(connection, &sql, &key(job_id, unit), |row| field::<bool>(row, 0))?;
        match done {
            Some(true) => Ok(Claim::Done),
            Some(false) => Ok(Claim::Taken),
            None if meeting == Meeting::PassOver => Ok(Claim::Busy),
            None => Err(Error::new(
                ErrorKind::Ledger,
                format!("the ledger has lost {} {}", unit.phase.name(), unit.number()),
            )),
        }
    }

    /// Counts `count` more rejects of a job, and refuses them where there would be more than
    /// `limit`. ORDER: last but the mark; from here on until its transaction ends, no other process
    /// can count its own, so that the limit is exact over all of them.
    ///
    /// # Errors
    /// `RejectLimit`; `Database` or `Disconnect`.
    pub(in crate::batch) fn count_rejects(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        count: u64,
        limit: u64,
    ) -> Result<()> {
        let job = &self.tables.job;
        let sql = format!(
            "UPDATE {job} SET rejected = rejected + $2 WHERE id = $1 AND rejected + $2 <= $3"
        );
        let limit_number = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = [job_id.into(), (count as i64).into(), limit_number.into()];
        if connection.execute(&sql, &params)? == 1 {
            return Ok(());
        }
        let sql = format!("SELECT rejected FROM {job} WHERE id = $1");
        let others = one(connection, &sql, &[job_id.into()], |row| field::<i64>(row, 0))?;
        let all = others.unwrap_or_default() as u64 + count;
        let message = format!("{all} rows rejected, {limit} are allowed");
        Err(too_many(message, "max_rejects"))
    }

    /// Refuses the rejects of a job where there would be more of a kind than are allowed. ORDER:
    /// behind [`Ledger::count_rejects`], which has seen to it that those of all others that are
    /// counted are committed, and that no more are until this transaction ends.
    ///
    /// # Errors
    /// `RejectLimit`; `Database` or `Disconnect`.
    pub(in crate::batch) fn check_classes(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        limits: &[(RejectClass, u64)],
    ) -> Result<()> {
        let counted = self.class_counts(connection, job_id, limits)?;
        for ((class, limit), count) in limits.iter().zip(counted) {
            if count > *limit {
                let message = format!("{count} rows rejected by {class}, {limit} are allowed");
                return Err(too_many(message, "its limit"));
            }
        }
        Ok(())
    }

    /// How many open rejects a job has, of whatever kind and of each of these kinds.
    pub(in crate::batch) fn reject_counts(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        classes: &[(RejectClass, u64)],
    ) -> Result<Vec<u64>> {
        let sql = format!("SELECT rejected FROM {} WHERE id = $1", self.tables.job);
        let all = one(connection, &sql, &[job_id.into()], |row| field::<i64>(row, 0))?;
        let mut counts = vec![all.unwrap_or_default() as u64];
        counts.extend(self.class_counts(connection, job_id, classes)?);
        Ok(counts)
    }

    fn class_counts(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        classes: &[(RejectClass, u64)],
    ) -> Result<Vec<u64>> {
        if classes.is_empty() {
            return Ok(Vec::new());
        }
        let mut params: Vec<Param<'_>> = vec![job_id.into()];
        let counts: Vec<_> = classes
            .iter()
            .map(|(class, _)| {
                params.push(class.stage().or(class.code()).into());
                let word = format!("CAST(${} AS text)", params.len());
                let is_one = match class.stage() {
                    Some(_) => format!("stage = {word}"),
                    None => format!("substr(sqlstate, 1, length({word})) = {word}"),
                };
                format!("count(CASE WHEN {is_one} THEN 1 END)")
            })
            .collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE job_id = $1 AND resolved_at IS NULL",
            counts.join(", "),
            self.tables.reject
        );
        let counted = one(connection, &sql, &params, |row| {
            let count = |index| field::<i64>(row, index).map(|count| count as u64);
            (0..classes.len()).map(count).collect::<Result<Vec<_>>>()
        })?;
        Ok(counted.unwrap_or_default())
    }

    /// Marks a unit done. ORDER: the last statement before COMMIT; it fails if the transaction was
    /// aborted and nobody noticed.
    pub(in crate::batch) fn complete(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        unit: &Unit,
        mark: &Mark,
    ) -> Result<()> {
        let sets: Vec<_> =
            COUNTS.iter().enumerate().map(|(i, name)| format!("{name} = ${}", i + 6)).collect();
        let sql = format!(
            "UPDATE {} SET done = true, run_id = $4, seconds = $5, {} \
             WHERE job_id = $1 AND phase = $2 AND number = $3 AND NOT done",
            self.tables.batch,
            sets.join(", ")
        );
        let mut params = key(job_id, unit).to_vec();
        params.push(mark.run_id.into());
        params.push(mark.seconds.into());
        params.extend(mark.counts.in_order().map(|count| Param::from(count as i64)));
        match connection.execute(&sql, &params)? {
            1 => Ok(()),
            rows => Err(Error::new(
                ErrorKind::Ledger,
                format!("marking {} {} changed {rows} rows", unit.phase.name(), unit.number()),
            )),
        }
    }
}

pub(in crate::batch) fn too_many(message: String, limit: &str) -> Error {
    Error::new(ErrorKind::RejectLimit, message).with_hint(format!(
        "look at the rejects of the batches that are in, mend the input or raise {limit}, and start \
         the same command again"
    ))
}

fn key(job_id: i64, unit: &Unit) -> [Param<'static>; 3] {
    [job_id.into(), i64::from(unit.phase.number()).into(), i64::from(unit.number()).into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// batch 3.9.8, exactly-once 11h
    #[test]
    fn a_row_that_is_nowhere_breaks_the_balance() {
        let mut counts = Counts {
            read: 6,
            inserted: 1,
            updated: 1,
            unchanged: 1,
            filtered: 1,
            duplicates: 1,
            rejected: 1,
            deleted: 9,
        };
        assert!(counts.balance());
        counts.read += 1;
        assert!(!counts.balance());
    }

    #[test]
    fn counts_add_up_name_by_name() {
        let mut sum = Counts { read: 1, rejected: 2, ..Counts::default() };
        sum += Counts { read: 10, deleted: 5, ..Counts::default() };
        assert_eq!(sum, Counts { read: 11, rejected: 2, deleted: 5, ..Counts::default() });
    }
}
