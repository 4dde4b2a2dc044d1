//! The rows of a result, one after the other, in constant memory.

use super::cache::Statements;
use super::declared;
use super::params::Sent;
use super::resolver::{self, Described};
use super::row::WireRow;
use crate::backend::RowRef;
use crate::backend::postgres::errors::{self, code};
use crate::backend::postgres::guard::guarded;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, RowIter};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the rest of a result that nobody wants is read before the connection is given up.
pub(crate) const DRAIN: Duration = Duration::from_secs(1);

/// Who ended a statement before its end.
pub(crate) enum Failure {
    /// Nobody: it did not start.
    AtStart(Error),
    ByServer(Error),
    ByCaller(Error),
}

/// A result that is still to be read.
pub(crate) struct Answer<'a> {
    pub(crate) rows: RowIter<'a>,
    /// `None` until the first row shows them.
    columns: Option<Arc<[ColumnType]>>,
    described: Described,
}

/// Sends a statement and its parameters. Where statements are not kept, all goes in one message,
/// and the server guesses the types as it would in a text.
pub(crate) fn start<'a>(
    client: &'a mut Client,
    statements: &mut Statements,
    sql: &str,
    params: &[Param<'_>],
) -> Result<Answer<'a>> {
    if !statements.keeps() {
        let resolver = &statements.resolver;
        guarded(|| resolver.look_ahead(client))?.map_err(errors::statement)?;
        let typed = params.iter().map(|param| (Sent::new(param), declared::declared(param)));
        let (rows, described) = resolver.send(|| guarded(|| client.query_typed_raw(sql, typed)));
        let rows = rows?.map_err(errors::statement)?;
        return Ok(Answer { rows, columns: None, described });
    }
    let prepared = guarded(|| statements.get(client, sql))?.map_err(errors::statement)?;
    check_count(prepared.statement.params().len(), params)?;
    let sent = params.iter().zip(&*prepared.params).map(|(param, server)| Sent::to(server, param));
    let rows =
        guarded(|| client.query_raw(&prepared.statement, sent))?.map_err(errors::statement)?;
    Ok(Answer { rows, columns: Some(prepared.columns), described: Vec::new() })
}

/// Gives each row to `each`; returns how many rows the statement changed.
pub(crate) fn hand_out(
    answer: &mut Answer<'_>,
    each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
) -> Result<u64, Failure> {
    let by_server = |error| Failure::ByServer(errors::statement(error));
    let Answer { rows, columns, described } = answer;
    while let Some(row) = rows.next().map_err(by_server)? {
        let columns =
            columns.get_or_insert_with(|| resolver::column_types(row.columns(), described));
        each(&WireRow { row: &row, columns }).map_err(Failure::ByCaller)?;
    }
    Ok(rows.rows_affected().unwrap_or(0))
}

/// Reads the rest of a result; `false` if that takes too long.
pub(crate) fn drain(rows: &mut RowIter<'_>) -> bool {
    let deadline = Instant::now() + DRAIN;
    while Instant::now() < deadline {
        match rows.next() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(error) => return error.as_db_error().is_some(),
        }
    }
    false
}

/// Fails unless as many parameters came as a statement has placeholders.
pub(crate) fn check_count(expected: usize, params: &[Param<'_>]) -> Result<()> {
    if params.len() == expected {
        return Ok(());
    }
    let message =
        format!("a statement has {expected} placeholders, and {} parameters came", params.len());
    Err(Error::new(ErrorKind::Database, message).with_sqlstate(code("42601")))
}
