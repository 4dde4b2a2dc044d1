//! Rejects that are tried again.
//!
//! The row of a reject is its own claim: it is locked while it is tried, and marked in the
//! transaction that brings its row in. What a replay did is a row of the batches, of a phase of its
//! own, in which as many rejects are taken back as rows were accounted for: the books stay balanced,
//! and what the batches of the source did stays what it was.

use super::{Counts, Ledger, all, field, one};
use crate::backend::Connection;
use crate::batch::lineage::Kin;
use crate::error::{Error, Result};
use crate::mapping::param::Param;
use crate::source::prepared::Stage;

/// A reject that is tried again.
#[derive(Debug)]
pub(in crate::batch) struct Again {
    pub(in crate::batch) batch: i64,
    pub(in crate::batch) position: i64,
    /// Its number in the input, from 1.
    pub(in crate::batch) row: i64,
    pub(in crate::batch) raw: Vec<u8>,
}

/// What became of it.
#[derive(Debug)]
pub(in crate::batch) enum Tried {
    /// The table has its row, or a newer one of the input.
    Resolved,
    /// It was refused again.
    Refused(Stage, Error, Kin),
}

/// So many bytes of rejects are read at once.
const BYTES_AT_ONCE: i64 = 16 << 20;

/// The phase of a replay, behind those of a run.
const PHASE: i64 = 3;

/// So many are marked by one statement.
const MARKED_AT_ONCE: usize = 1_000;

impl Ledger {
    /// The next open rejects of a job, in input order or against it, behind input row `behind`; they
    /// are locked until the transaction ends. At most `most`, and fewer where they are large.
    ///
    /// A record without the shape of its file is none of them: by itself it could look like a row,
    /// where it is a piece of one.
    pub(in crate::batch) fn next_rejects(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        newest_first: bool,
        behind: Option<i64>,
        most: u64,
    ) -> Result<Vec<Again>> {
        let (order, than) = if newest_first { ("DESC", "<") } else { ("ASC", ">") };
        let reject = &self.tables.reject;
        let open = "job_id = $1 AND resolved_at IS NULL AND NOT truncated AND NOT \
                    (stage = 'parse' AND coalesce(sqlstate, '') = '22P04')";
        let sql = format!(
            "SELECT input_row, CAST(length(raw) AS bigint) FROM {reject} WHERE {open} \
             AND (CAST($2 AS bigint) IS NULL OR input_row {than} CAST($2 AS bigint)) \
             ORDER BY input_row {order} LIMIT {most}{}",
            self.tables.dialect.for_update()
        );
        let found = all(connection, &sql, &[job_id.into(), behind.into()], |row| {
            Ok((field::<i64>(row, 0)?, field::<i64>(row, 1)?))
        })?;
        let mut bytes = 0;
        let fits = |(_, length): &&(i64, i64)| {
            let is_first = bytes == 0;
            bytes += length.max(&1);
            is_first || bytes <= BYTES_AT_ONCE
        };
        let rows: Vec<i64> = found.iter().take_while(fits).map(|(row, _)| *row).collect();
        let (Some(one_end), Some(other_end)) = (rows.iter().min(), rows.iter().max()) else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT CAST(batch AS bigint), CAST(position AS bigint), input_row, raw FROM {reject} \
             WHERE {open} AND input_row BETWEEN $2 AND $3 ORDER BY input_row"
        );
        all(connection, &sql, &[job_id.into(), (*one_end).into(), (*other_end).into()], |row| {
            Ok(Again {
                batch: field(row, 0)?,
                position: field(row, 1)?,
                row: field(row, 2)?,
                raw: field(row, 3)?,
            })
        })
    }

    /// Notes what became of rejects, in the transaction that did it.
    pub(in crate::batch) fn settle_rejects(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        run_id: i64,
        tried: &[(Again, Tried)],
    ) -> Result<()> {
        let (mut resolved, mut orphans) = (Vec::new(), Vec::new());
        for (again, tried) in tried {
            match tried {
                Tried::Resolved => resolved.push((again.batch, again.position)),
                Tried::Refused(stage, error, kin) => {
                    let why = (*stage, error, kin);
                    self.refuse_again(connection, job_id, again, why)?;
                    if kin.refers_to.is_some() {
                        orphans.push(again.batch as u32);
                    }
                }
            }
        }
        orphans.dedup();
        self.link_rejects(connection, job_id, &orphans)?;
        resolved.chunks(MARKED_AT_ONCE).try_for_each(|rejects| {
            let rejects: Vec<_> =
                rejects.iter().map(|(batch, place)| format!("({batch}, {place})")).collect();
            connection.run(&format!(
                "UPDATE {} SET resolved_by = {run_id}, resolved_at = CURRENT_TIMESTAMP, \
                 attempt = attempt + 1 WHERE job_id = {job_id} AND (batch, position) IN (VALUES {})",
                self.tables.reject,
                rejects.join(", ")
            ))
        })
    }

    fn refuse_again(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        again: &Again,
        (stage, error, kin): (Stage, &Error, &Kin),
    ) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET attempt = attempt + 1, stage = $4, sqlstate = $5, message = $6, \
             column_name = $7, constraint_name = $8, caused_by = NULL, refers_to = $9, \
             row_key = coalesce($10, row_key) \
             WHERE job_id = $1 AND batch = $2 AND position = $3",
            self.tables.reject
        );
        let params = [
            Param::from(job_id),
            again.batch.into(),
            again.position.into(),
            stage.name().into(),
            error.sqlstate().map(|state| state.code().to_owned()).into(),
            error.message().replace('\0', "\u{fffd}").into(),
            error.place().column.clone().into(),
            error.constraint().map(str::to_owned).into(),
            kin.refers_to.as_deref().into(),
            kin.row_key.as_deref().into(),
        ];
        connection.execute(&sql, &params).map(|_| ())
    }

    /// Notes the counts of a part of a replay, in its transaction; `counts.rejected` rejects are
    /// taken back.
    pub(in crate::batch) fn note_replay(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        run_id: i64,
        counts: &Counts,
        seconds: f64,
    ) -> Result<()> {
        let sql = format!(
            "INSERT INTO {0} (job_id, phase, number, start_at, end_at, first_row, row_count, \
             first_line, checksum, done, run_id, seconds, inserted, updated, unchanged, duplicates, \
             rejected, filtered) SELECT $1, {PHASE}, coalesce(max(number), -1) + 1, 0, 0, 1, 0, 0, 0, true, \
             $2, $3, $4, $5, $6, $7, $8, $9 FROM {0} WHERE job_id = $1 AND phase = {PHASE}",
            self.tables.batch
        );
        let taken_back = counts.rejected as i64;
        let params = [
            Param::from(job_id),
            run_id.into(),
            seconds.into(),
            (counts.inserted as i64).into(),
            (counts.updated as i64).into(),
            (counts.unchanged as i64).into(),
            (counts.duplicates as i64).into(),
            (-taken_back).into(),
            (counts.filtered as i64).into(),
        ];
        connection.execute(&sql, &params)?;
        let sql = format!("UPDATE {} SET rejected = rejected - $2 WHERE id = $1", self.tables.job);
        connection.execute(&sql, &[job_id.into(), taken_back.into()]).map(|_| ())
    }

    /// How many rejects of a job are open, how many of these are cut, and how many run `run_id` has
    /// brought in.
    pub(in crate::batch) fn replay_totals(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        run_id: Option<i64>,
    ) -> Result<[u64; 3]> {
        let sum = |condition: &str| {
            format!("CAST(coalesce(sum(CASE WHEN {condition} THEN 1 ELSE 0 END), 0) AS bigint)")
        };
        let sql = format!(
            "SELECT {}, {}, {} FROM {} WHERE job_id = $1",
            sum("resolved_at IS NULL"),
            sum("resolved_at IS NULL AND truncated"),
            sum("resolved_by = CAST($2 AS bigint)"),
            self.tables.reject
        );
        let totals = one(connection, &sql, &[job_id.into(), run_id.into()], |row| {
            let at = |index| field::<i64>(row, index).map(|number| number as u64);
            Ok([at(0)?, at(1)?, at(2)?])
        })?;
        Ok(totals.unwrap_or_default())
    }
}
