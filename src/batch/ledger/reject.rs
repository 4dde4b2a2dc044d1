//! Rows that were not stored.

use super::Ledger;
use crate::backend::Connection;
use crate::batch::lineage::Kin;
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::{RowWriter, Rows};
use crate::source::bounds::Origin;
use crate::source::prepared::Stage;

/// A row that was not stored.
#[derive(Debug)]
#[non_exhaustive]
pub struct RejectRecord {
    /// Its batch.
    pub batch: u32,
    /// Its number in the batch, from 0.
    pub index: u32,
    /// Where it came from, with its bytes.
    pub origin: Origin,
    /// The step that refused it.
    pub stage: Stage,
    /// Why.
    pub error: Error,
    pub(in crate::batch) kin: Kin,
}

impl RejectRecord {
    pub(in crate::batch) fn new(
        batch: u32,
        index: u32,
        origin: Origin,
        stage: Stage,
        error: Error,
    ) -> Self {
        Self { batch, index, origin, stage, error, kin: Kin::default() }
    }
}

impl Ledger {
    /// Writes rejects, in the transaction of the batch that made them.
    pub(in crate::batch) fn write_rejects(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        run_id: i64,
        rejects: &[RejectRecord],
    ) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        let columns = reject_columns()?;
        let mut rows = Rows::new(columns.len() as u16);
        for reject in rejects {
            pack(&mut rows, job_id, run_id, reject)?;
        }
        connection.load(&self.tables.reject, &columns, &rows, 0..rows.len())?;
        let mut batches: Vec<_> =
            rejects.iter().filter(|r| r.kin.refers_to.is_some()).map(|r| r.batch).collect();
        batches.dedup();
        self.link_rejects(connection, job_id, &batches)
    }

    /// Puts rejects of some batches of a job down to those of the rows that they refer to.
    pub(in crate::batch) fn link_rejects(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        batches: &[u32],
    ) -> Result<()> {
        batches.chunks(LINKED_AT_ONCE).try_for_each(|batches| {
            let sql = self.tables.link_rejects(Some(batches));
            connection.execute(&sql, &[job_id.into()]).map(|_| ())
        })
    }

    /// Puts all rejects of a job down to those of the rows that they refer to: some of these may have
    /// been rejected later.
    pub(in crate::batch) fn link_all_rejects(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<()> {
        connection.execute(&self.tables.link_rejects(None), &[job_id.into()]).map(|_| ())
    }
}

fn reject_columns() -> Result<Vec<Column>> {
    [
        ("job_id", ColumnType::Int8),
        ("batch", ColumnType::Int4),
        ("position", ColumnType::Int4),
        ("run_id", ColumnType::Int8),
        ("input_row", ColumnType::Int8),
        ("line", ColumnType::Int8),
        ("byte_offset", ColumnType::Int8),
        ("stage", ColumnType::Text),
        ("sqlstate", ColumnType::Text),
        ("message", ColumnType::Text),
        ("column_name", ColumnType::Text),
        ("constraint_name", ColumnType::Text),
        ("raw", ColumnType::Bytea),
        ("truncated", ColumnType::Bool),
        ("row_key", ColumnType::Text),
        ("refers_to", ColumnType::Text),
    ]
    .into_iter()
    .map(|(name, column_type)| Ok(Column::new(Ident::new(name)?, column_type)))
    .collect()
}

fn pack(rows: &mut Rows, job_id: i64, run_id: i64, reject: &RejectRecord) -> Result<()> {
    let RejectRecord { batch, index, origin, stage, error, kin } = reject;
    let mut row = rows.begin();
    row.field(&job_id.to_be_bytes())?;
    row.field(&batch.to_be_bytes())?;
    row.field(&index.to_be_bytes())?;
    row.field(&run_id.to_be_bytes())?;
    row.field(&origin.row.to_be_bytes())?;
    number(&mut row, origin.line)?;
    number(&mut row, origin.offset)?;
    row.field(stage.name().as_bytes())?;
    text(&mut row, error.sqlstate().as_ref().map(crate::sqlstate::SqlState::code))?;
    match &origin.file {
        // Of several files, the place is none without its name.
        Some(file) => text(&mut row, Some(&format!("{file}: {}", error.message())))?,
        None => text(&mut row, Some(error.message()))?,
    }
    text(&mut row, error.place().column.as_deref())?;
    text(&mut row, error.constraint())?;
    let raw = &origin.raw[..origin.raw.len().min(MOST_RAW_BYTES)];
    row.field(raw)?;
    row.field(&[u8::from(raw.len() < origin.raw.len())])?;
    text(&mut row, kin.row_key.as_deref())?;
    text(&mut row, kin.refers_to.as_deref())?;
    row.finish()
}

/// The rejects of so many batches are linked by one statement.
const LINKED_AT_ONCE: usize = 1_000;

/// So much of a record is kept; one that is longer is marked as cut, and cannot be replayed.
pub(super) const MOST_RAW_BYTES: usize = 1 << 20;

fn number(row: &mut RowWriter<'_>, value: Option<u64>) -> Result<()> {
    match value {
        Some(value) => row.field(&value.to_be_bytes()),
        None => {
            row.null();
            Ok(())
        }
    }
}

fn text(row: &mut RowWriter<'_>, value: Option<&str>) -> Result<()> {
    match value {
        // PostgreSQL's text has no NUL; a message with one must not cost the batch.
        Some(value) => row.field(value.replace('\0', "\u{fffd}").as_bytes()),
        None => {
            row.null();
            Ok(())
        }
    }
}
