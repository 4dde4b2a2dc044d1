//! The rows of batches that share a transaction: they follow each other.
//!
//! Both statements fail where they do not find what they are for, so that nobody has to see their answers
//! before what comes behind is sent: the rows go with the claim, and the COMMIT with the marks.

use super::Ledger;
use super::claim::Mark;
use crate::backend::Connection;
use crate::batch::unit::{Phase, Unit};
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::sql::ledger::COUNTS;

impl Ledger {
    /// Takes the rows of batches until the transaction ends, ahead of what is done for them. Where one of
    /// them is not open, that fails.
    pub(in crate::batch) fn claim_group(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        units: &[Unit],
    ) -> Result<()> {
        // In their order, so that two that want the same ones do not wait for each other.
        let open = format!(
            "SELECT number FROM {} WHERE job_id = $1 AND phase = $2 AND number BETWEEN $3 AND $4 \
             AND NOT done ORDER BY number{}",
            self.tables.batch,
            self.tables.dialect.for_update()
        );
        let sql = format!("SELECT {ALL_OR_ERROR} FROM ({open}) AS open");
        connection.execute_ahead(&sql, &keys(job_id, units))
    }

    /// Marks batches done, ahead of the COMMIT, each with its own counts, as [`Ledger::complete`]; where
    /// arrays can be parameters. Where one of them is not open, that fails.
    pub(in crate::batch) fn complete_group(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        units: &[Unit],
        marks: &[Mark],
    ) -> Result<()> {
        let Some(first) = marks.first() else { return Ok(()) };
        let array = ColumnType::Array(Box::new(ColumnType::Int8));
        let mut params: Vec<Param<'_>> = keys(job_id, units).to_vec();
        params.extend([first.run_id.into(), first.seconds.into()]);
        let mut sets = vec!["done = true, run_id = $5, seconds = $6".to_owned()];
        for (place, name) in COUNTS.iter().enumerate() {
            let counts: Vec<_> =
                marks.iter().map(|mark| mark.counts.in_order()[place] as i64).collect();
            // Most of them are zero, as they are in a batch that is open.
            if counts.iter().all(|count| *count == 0) {
                continue;
            }
            let mut packed = Vec::new();
            counts.pack(&array, &mut packed)?;
            params.push(Param::Packed(&array, packed.into()));
            let number = params.len();
            sets.push(format!("{name} = (CAST(${number} AS bigint[]))[number - $3 + 1]"));
        }
        let mark = format!(
            "UPDATE {} SET {} \
             WHERE job_id = $1 AND phase = $2 AND number BETWEEN $3 AND $4 AND NOT done RETURNING 1",
            self.tables.batch,
            sets.join(", ")
        );
        let sql = format!("WITH marked AS ({mark}) SELECT {ALL_OR_ERROR} FROM marked");
        connection.execute_ahead(&sql, &params)
    }
}

/// Divides by zero where there are not as many rows as batches.
const ALL_OR_ERROR: &str = "1 / CAST(count(*) = $4 - $3 + 1 AS integer)";

/// Of batches that follow each other.
fn keys(job_id: i64, units: &[Unit]) -> [Param<'static>; 4] {
    let number = |unit: Option<&Unit>| i64::from(unit.map_or(0, Unit::number));
    let phase = i64::from(Phase::Load.number());
    [job_id.into(), phase.into(), number(units.first()).into(), number(units.last()).into()]
}
