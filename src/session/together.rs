//! Statements of a transaction that are sent together.

use super::transaction::Transaction;
use crate::backend::together::send;
use crate::error::Result;
use crate::mapping::param::Param;

/// Runs them in their order; see [`Transaction::execute_together`].
pub(super) fn execute(
    transaction: &mut Transaction,
    statements: &[(&str, &[Param<'_>])],
) -> Result<Vec<u64>> {
    let mut counts = Vec::with_capacity(statements.len());
    while let Some((sql, params)) = statements.get(counts.len()) {
        let rest = &statements[counts.len()..];
        let sent = transaction.through(|connection| send(connection, rest))?;
        if sent.is_empty() {
            counts.push(transaction.execute(sql, params)?);
        }
        counts.extend(sent);
    }
    Ok(counts)
}
