//! Statements none of which needs the answer to another, in as few flights as there can be.

use super::Connection;
use super::flight::{MOST_TOGETHER, Outcome, Request};
use crate::error::Result;
use crate::mapping::param::Param;
use std::mem;

/// A statement and its parameters.
pub(crate) type Statement<'a> = (&'a str, &'a [Param<'a>]);

/// Runs statements of a transaction in their order; says how many rows each of them changed.
///
/// # Errors
/// That of the first one that fails, behind which none is run; `Disconnect`.
pub(crate) fn execute(
    connection: &mut dyn Connection,
    statements: &[Statement<'_>],
) -> Result<Vec<u64>> {
    let mut counts = Vec::with_capacity(statements.len());
    while let Some((sql, params)) = statements.get(counts.len()) {
        let sent = send(connection, &statements[counts.len()..])?;
        if sent.is_empty() {
            counts.push(connection.execute(sql, params)?);
        }
        counts.extend(sent);
    }
    Ok(counts)
}

/// Sends as many of them as can be sent together; says how many rows each of those changed. There are
/// none where the first has to be run alone.
///
/// # Errors
/// As [`execute`].
pub(crate) fn send(
    connection: &mut dyn Connection,
    statements: &[Statement<'_>],
) -> Result<Vec<u64>> {
    if !connection.capabilities().flights || statements.len() == 1 {
        return Ok(Vec::new());
    }
    let together = statements.iter().take(MOST_TOGETHER);
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
