//! What became of a transaction.
//!
//! `pg_xact_status` was made for the client that lost its connection while a COMMIT was under way
//! (PostgreSQL's documentation, "Transaction ID and Snapshot Information Functions"). It knows
//! recent transactions only, and none of a server that another took the place of.

use super::connection::PostgresConnection;
use crate::backend::Connection;
use crate::backend::fate::{Fate, TransactionId};
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::param::Param;

/// The number of the open transaction; see [`Connection::transaction_id`].
pub(super) fn transaction_id(connection: &mut PostgresConnection) -> Result<Option<TransactionId>> {
    if connection.is_begin_kept() {
        return Ok(None);
    }
    let sql = "SELECT CAST(pg_catalog.pg_current_xact_id_if_assigned() AS text)";
    let id: Option<String> = answer(connection, sql, &[])?;
    Ok(id.and_then(|id| id.parse().ok()).map(TransactionId))
}

/// What became of a transaction; see [`Connection::fate`].
pub(super) fn fate(
    connection: &mut PostgresConnection,
    transaction: &TransactionId,
) -> Result<Fate> {
    // ORDER: compared first; a number that this server has not given yet is an error to it.
    let sql = "SELECT CASE WHEN CAST(CAST($1 AS text) AS xid8) \
               < pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) \
               THEN pg_catalog.pg_xact_status(CAST(CAST($1 AS text) AS xid8)) END";
    let status: Option<String> = answer(connection, sql, &[transaction.0.to_string().into()])?;
    Ok(match status.as_deref() {
        Some("committed") => Fate::Committed,
        Some("aborted") => Fate::RolledBack,
        Some("in progress") => Fate::InProgress,
        _ => Fate::Unknown,
    })
}

/// The one cell of the answer to a query.
fn answer<T: Cell>(
    connection: &mut PostgresConnection,
    sql: &str,
    params: &[Param<'_>],
) -> Result<Option<T>> {
    let mut found = None;
    connection.query(sql, params, &mut |row| {
        found = Option::<T>::unpack(row.cell(0)?)?;
        Ok(())
    })?;
    Ok(found)
}
