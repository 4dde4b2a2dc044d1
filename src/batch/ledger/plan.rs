//! The batches of a job.

use super::{Ledger, all, field};
use crate::backend::{Connection, RowRef};
use crate::batch::unit::{Phase, Unit};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Rows;
use crate::source::bounds::Bounds;

/// So many rows of the plan are sent at once.
const PLAN_ROWS: usize = 1_000;

impl Ledger {
    /// Records the units of a job, all open.
    pub(in crate::batch) fn store_plan(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        units: impl Iterator<Item = Unit>,
    ) -> Result<()> {
        let columns = plan_columns()?;
        let mut rows = Rows::new(columns.len() as u16);
        for unit in units {
            pack(&mut rows, job_id, &unit)?;
            if rows.len() == PLAN_ROWS {
                connection.load(&self.tables.batch, &columns, &rows, 0..rows.len())?;
                rows.clear();
            }
        }
        if !rows.is_empty() {
            connection.load(&self.tables.batch, &columns, &rows, 0..rows.len())?;
        }
        Ok(())
    }

    /// Keeps what the source of a job has to know of its plan.
    pub(in crate::batch) fn store_memo(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        memo: &str,
    ) -> Result<()> {
        let sql = format!("INSERT INTO {} (job_id, content) VALUES ($1, $2)", self.tables.memo);
        connection.execute(&sql, &[job_id.into(), memo.into()]).map(|_| ())
    }

    /// What the source of a job has to know of its plan, and whether a batch of it is done.
    pub(in crate::batch) fn memo(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<(String, bool)> {
        let sql = format!(
            "SELECT content, EXISTS (SELECT 1 FROM {} b WHERE b.job_id = m.job_id AND b.phase = $2 \
             AND b.done) FROM {} m WHERE m.job_id = $1",
            self.tables.batch, self.tables.memo
        );
        let params = [job_id.into(), i64::from(Phase::Load.number()).into()];
        let found = super::one(connection, &sql, &params, |row| {
            Ok((field::<String>(row, 0)?, field::<bool>(row, 1)?))
        })?;
        found.ok_or_else(|| {
            Error::new(ErrorKind::Ledger, "the ledger has lost the plan of a source")
        })
    }

    /// Adds the seal to a plan of an older version, which had none.
    pub(in crate::batch) fn ensure_seal(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<()> {
        let sql = format!(
            "INSERT INTO {} (job_id, phase, number, start_at, end_at, first_row, row_count, \
             first_line, checksum, done) VALUES ($1, $2, 0, 0, 0, 1, 0, 0, 0, false) \
             ON CONFLICT DO NOTHING",
            self.tables.batch
        );
        let params = [job_id.into(), i64::from(Phase::Seal.number()).into()];
        connection.execute(&sql, &params).map(|_| ())
    }

    /// The first `most` units of a phase that are not done and whose number is at least `from`, in
    /// order.
    pub(in crate::batch) fn open_units(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        phase: Phase,
        from: u32,
        most: usize,
    ) -> Result<Vec<Unit>> {
        let sql = format!(
            "SELECT {BOUNDS} FROM {} WHERE job_id = $1 AND phase = $2 AND NOT done AND number >= $4 \
             ORDER BY number LIMIT $3",
            self.tables.batch
        );
        let params = [
            job_id.into(),
            i64::from(phase.number()).into(),
            (most as i64).into(),
            i64::from(from).into(),
        ];
        all(connection, &sql, &params, |row| Ok(Unit { phase, bounds: bounds(row)? }))
    }

    /// The first `most` units that are not done, of the first phase that has any, in order.
    pub(in crate::batch) fn first_open(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        most: usize,
    ) -> Result<Vec<Unit>> {
        let batch = &self.tables.batch;
        // Each looks no further than it has to, in the order of the key.
        let phases = Phase::IN_ORDER.iter().enumerate().map(|(place, phase)| {
            format!(
                "SELECT * FROM (SELECT {place} AS place, {BOUNDS} FROM {batch} \
                 WHERE job_id = $1 AND phase = {} AND NOT done ORDER BY number LIMIT $2) AS p{place}",
                phase.number()
            )
        });
        let sql = format!(
            "SELECT {BOUNDS}, place FROM ({}) AS open LIMIT $2",
            phases.collect::<Vec<_>>().join(" UNION ALL ")
        );
        let mut units = all(connection, &sql, &[job_id.into(), (most as i64).into()], |row| {
            let place = field::<i64>(row, 7)? as usize;
            let phase = Phase::IN_ORDER.get(place).copied().unwrap_or(Phase::Finish);
            Ok((place, Unit { phase, bounds: bounds(row)? }))
        })?;
        units.sort_by_key(|(place, unit)| (*place, unit.number()));
        let first = units.first().map(|(place, _)| *place);
        units.retain(|(place, _)| Some(*place) == first);
        Ok(units.into_iter().map(|(_, unit)| unit).collect())
    }

    /// The batches of the source, in its order.
    pub(in crate::batch) fn batches(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<Vec<Bounds>> {
        let sql = format!(
            "SELECT {BOUNDS} FROM {} WHERE job_id = $1 AND phase = $2 ORDER BY number",
            self.tables.batch
        );
        all(connection, &sql, &[job_id.into(), i64::from(Phase::Load.number()).into()], bounds)
    }

    /// Whether rows of a job may be in its table already; those of a stage are not.
    pub(in crate::batch) fn has_stored(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        is_staged: bool,
    ) -> Result<bool> {
        let phase = if is_staged { Phase::Merge } else { Phase::Load };
        // A batch of a staged job that has inserted rows went straight into the table.
        let sql = format!(
            "SELECT number FROM {} WHERE job_id = $1 AND (phase = $2 OR inserted > 0) AND done \
             LIMIT 1",
            self.tables.batch
        );
        let params = [job_id.into(), i64::from(phase.number()).into()];
        super::one(connection, &sql, &params, |_| Ok(())).map(|found| found.is_some())
    }

    /// Takes the units of a job away that are not done, so that nobody does them any more. Waits
    /// for transactions of processes that died, and leaves what these still did.
    pub(in crate::batch) fn drop_open_units(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE job_id = $1 AND NOT done", self.tables.batch);
        connection.execute(&sql, &[job_id.into()]).map(|_| ())
    }

    /// Marks all merges of a job done that are not: there is nothing to merge.
    pub(in crate::batch) fn complete_merges(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        run_id: i64,
    ) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET done = true, run_id = $3, seconds = 0 \
             WHERE job_id = $1 AND phase = $2 AND NOT done",
            self.tables.batch
        );
        let params = [job_id.into(), i64::from(Phase::Merge.number()).into(), run_id.into()];
        connection.execute(&sql, &params).map(|_| ())
    }

    /// Whether a batch of the source is open.
    pub(in crate::batch) fn open_before_seal(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<bool> {
        self.open_units(connection, job_id, Phase::Load, 0, 1).map(|open| !open.is_empty())
    }

    /// How many batches of the source are not done, with their rows and their bytes.
    pub(in crate::batch) fn open_totals(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<[u64; 3]> {
        let sql = format!(
            "SELECT count(*), CAST(coalesce(sum(row_count), 0) AS bigint), \
             CAST(coalesce(sum(end_at - start_at), 0) AS bigint) FROM {} \
             WHERE job_id = $1 AND phase = $2 AND NOT done",
            self.tables.batch
        );
        let params = [job_id.into(), i64::from(Phase::Load.number()).into()];
        let totals = super::one(connection, &sql, &params, |row| {
            let at = |index| field::<i64>(row, index).map(|number| number as u64);
            Ok([at(0)?, at(1)?, at(2)?])
        })?;
        Ok(totals.unwrap_or_default())
    }

    /// Whether anything but the end is open.
    pub(in crate::batch) fn open_before_finish(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<bool> {
        let sql = format!(
            "SELECT number FROM {} WHERE job_id = $1 AND phase <> $2 AND NOT done LIMIT 1",
            self.tables.batch
        );
        let params = [job_id.into(), i64::from(Phase::Finish.number()).into()];
        super::one(connection, &sql, &params, |_| Ok(())).map(|found| found.is_some())
    }

    /// The bounds of a batch of the source.
    pub(in crate::batch) fn bounds(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        batch: u32,
    ) -> Result<Option<Bounds>> {
        let sql = format!(
            "SELECT {BOUNDS} FROM {} WHERE job_id = $1 AND phase = $2 AND number = $3",
            self.tables.batch
        );
        let phase = i64::from(Phase::Load.number());
        let params = [job_id.into(), phase.into(), i64::from(batch).into()];
        super::one(connection, &sql, &params, bounds)
    }
}

const BOUNDS: &str = "number, start_at, end_at, first_row, row_count, first_line, checksum";

fn bounds(row: &dyn RowRef) -> Result<Bounds> {
    let at = |index| field::<i64>(row, index).map(|number| number as u64);
    let mut bounds = Bounds::of_rows(field::<i32>(row, 0)? as u32, 1, 0);
    bounds.start = at(1)?;
    bounds.end = at(2)?;
    bounds.first_row = at(3)?;
    bounds.rows = at(4)?;
    bounds.first_line = at(5)?;
    bounds.checksum = at(6)? as u32;
    Ok(bounds)
}

fn plan_columns() -> Result<Vec<Column>> {
    [
        ("job_id", ColumnType::Int8),
        ("phase", ColumnType::Int2),
        ("number", ColumnType::Int4),
        ("start_at", ColumnType::Int8),
        ("end_at", ColumnType::Int8),
        ("first_row", ColumnType::Int8),
        ("row_count", ColumnType::Int8),
        ("first_line", ColumnType::Int8),
        ("checksum", ColumnType::Int8),
        ("done", ColumnType::Bool),
    ]
    .into_iter()
    .map(|(name, column_type)| Ok(Column::new(Ident::new(name)?, column_type)))
    .collect()
}

fn pack(rows: &mut Rows, job_id: i64, unit: &Unit) -> Result<()> {
    let bounds = &unit.bounds;
    let mut row = rows.begin();
    row.field(&job_id.to_be_bytes())?;
    row.field(&unit.phase.number().to_be_bytes())?;
    row.field(&bounds.number.to_be_bytes())?;
    for number in [bounds.start, bounds.end, bounds.first_row, bounds.rows, bounds.first_line] {
        row.field(&number.to_be_bytes())?;
    }
    row.field(&u64::from(bounds.checksum).to_be_bytes())?;
    row.field(&[0])?;
    row.finish()
}
