//! Statements of a transaction that are sent together.

use super::transaction::Transaction;
use crate::backend::Connection;
use crate::backend::flight::{MOST_TOGETHER, Outcome, Request};
use crate::error::Result;
use crate::mapping::param::Param;
use std::mem;

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

/// Sends as many of them as can be sent together; says how many rows each of those changed.
fn send(connection: &mut dyn Connection, rest: &[(&str, &[Param<'_>])]) -> Result<Vec<u64>> {
    if !connection.capabilities().flights || rest.len() == 1 {
        return Ok(Vec::new());
    }
    let together = rest.iter().take(MOST_TOGETHER);
    let mut requests: Vec<_> = together.map(|(sql, params)| Request::new(sql, params)).collect();
    connection.fly(&mut requests)?;
    let mut counts = Vec::with_capacity(requests.len());
    for request in &mut requests {
        match mem::take(&mut request.outcome) {
            Outcome::Answer(answer) => counts.push(answer.changed()),
            Outcome::Failed(error) => return Err(error),
            Outcome::NotTaken | Outcome::Unknown => break,
        }
    }
    Ok(counts)
}
