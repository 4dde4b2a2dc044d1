//! COPY BINARY, and statements with many rows where it cannot be used.
//!
//! A column whose values travel as text cannot be part of COPY BINARY. Rows that have one are
//! inserted by statements with many rows, in which the server casts those texts; all of them in
//! one transaction. That path does not know which row an error is about.

use super::declared::declared_column;
use super::params::Packed;
use crate::backend::Connection;
use crate::backend::postgres::connection::{PostgresConnection, closed};
use crate::backend::postgres::direct::copy::Unloaded;
use crate::backend::postgres::errors;
use crate::copy::encode;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::TableName;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Rows;
use crate::spent::{self, Step};
use postgres::error::DbError;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, RowIter, Statement};
use std::error::Error as StdError;
use std::io::Write;
use std::ops::Range;

/// Each piece is one message; this many bytes stay in the processor's
/// cache.
const PIECE_BYTES: usize = 256 * 1024;

/// The protocol counts parameters in 16 bits.
const MAX_PARAMS: usize = 32_767;
const MAX_ROWS: usize = 1_000;

/// Loads rows; see [`Connection::load`].
pub(crate) fn load(
    connection: &mut PostgresConnection,
    table: &TableName,
    columns: &[Column],
    rows: &Rows,
    range: Range<usize>,
) -> Result<u64> {
    if columns.len() != usize::from(rows.fields()) {
        let message = format!(
            "rows of {} fields cannot be loaded into {} columns",
            rows.fields(),
            columns.len()
        );
        return Err(Error::new(ErrorKind::Internal, message));
    }
    if range.is_empty() || columns.is_empty() {
        return Ok(0);
    }
    if columns.iter().any(|column| column.column_type.travels_as_text()) {
        let insert = |connection: &mut _| insert_all(connection, table, columns, rows, range);
        return in_transaction(connection, insert)
            .locate(|place| place.table = Some(table.plain()));
    }
    let copied = if connection.setup.pooled {
        // The statement must be on the session of the rows.
        in_transaction(connection, |connection| copy(connection, table, columns, rows, range))
    } else {
        copy(connection, table, columns, rows, range)
    };
    copied.locate(|place| place.table = Some(table.plain()))
}

fn copy(
    connection: &mut PostgresConnection,
    table: &TableName,
    columns: &[Column],
    rows: &Rows,
    range: Range<usize>,
) -> Result<u64> {
    let sql = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", names(columns));
    let mut place = None;
    let mut locate = |context: Option<&str>| {
        place = context.and_then(|text| place_of(text, table.table.as_str(), columns));
    };
    let copied = if connection.is_free() {
        copy_direct(connection, &sql, encode::pieces(rows, range, PIECE_BYTES), &mut locate)
    } else {
        copy_by_driver(connection, &sql, encode::pieces(rows, range, PIECE_BYTES), &mut locate)
    };
    copied.map_err(|error| {
        connection.forget_if_stale(&sql, &error);
        connection.judge(error).locate(|known| {
            if let Some((row, column)) = place {
                known.row = Some(row);
                known.column = column;
            }
        })
    })
}

fn copy_direct<'a>(
    connection: &mut PostgresConnection,
    sql: &str,
    pieces: impl Iterator<Item = &'a [u8]>,
    locate: &mut dyn FnMut(Option<&str>),
) -> Result<u64> {
    connection.check_usable()?;
    let timer = connection.start_timer();
    // A pooler in between may not know what to do with rows that nobody wants.
    let at_once = !connection.setup.pooled;
    let Some(line) = &mut connection.line else { return Err(closed()) };
    let copied = line.copy_in(sql, at_once, pieces);
    if let Err(Unloaded::Refused(report)) = &copied {
        locate(report.context.as_deref());
    }
    connection.conclude(timer, copied.map_err(Unloaded::into_error))
}

fn copy_by_driver<'a>(
    connection: &mut PostgresConnection,
    sql: &str,
    pieces: impl Iterator<Item = &'a [u8]>,
    locate: &mut dyn FnMut(Option<&str>),
) -> Result<u64> {
    let copied = connection.with_client(|client, statements| {
        let prepared = statements.get(client, sql)?;
        let copied = send(client, &prepared.statement, pieces);
        if let Err(Unsent::Server(error)) = &copied {
            locate(error.as_db_error().and_then(DbError::where_));
        }
        match copied {
            Ok(count) => Ok(Some(count)),
            Err(Unsent::Server(error)) => Err(error),
            Err(Unsent::Driver) => Ok(None),
        }
    });
    let lost = || errors::disconnect("the rows could not be sent to the server");
    copied.and_then(|count| count.ok_or_else(lost))
}

/// Why rows were not sent.
enum Unsent {
    /// The connection, or the server, says why.
    Server(postgres::Error),
    /// The driver does not say why.
    Driver,
}

fn send<'a>(
    client: &mut Client,
    statement: &Statement,
    mut pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<u64, Unsent> {
    let mut writer = client.copy_in(statement).map_err(Unsent::Server)?;
    let sent = spent::on(Step::Send, || pieces.try_for_each(|piece| writer.write_all(piece)));
    let Err(error) = sent else {
        return writer.finish().map_err(Unsent::Server);
    };
    drop(writer);
    // The driver tells the server that the COPY failed only with the next request.
    let synced = client.batch_execute("");
    match error.into_inner().map(<dyn StdError + Send + Sync>::downcast::<postgres::Error>) {
        Some(Ok(error)) => Err(Unsent::Server(*error)),
        _ => Err(synced.err().map_or(Unsent::Driver, Unsent::Server)),
    }
}

fn names(columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|column| column.name.to_string()).collect();
    names.join(", ")
}

/// The row, from 1, and the column that the server's context names: `COPY runways, line 3, column
/// id`, in the language of the server, which may stand behind the context of a trigger.
fn place_of(context: &str, table: &str, columns: &[Column]) -> Option<(u64, Option<String>)> {
    let line = context.lines().rev().find(|line| line.contains("COPY"))?;
    // The name of the table can have digits of its own.
    let rest = line.split_once(table).map_or(line, |(_, rest)| rest);
    let start = rest.find(|c: char| c.is_ascii_digit())?;
    let digits = rest[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - start);
    let row = rest[start..start + digits].parse().ok()?;
    let tail = &rest[start + digits..];
    let column = columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| tail.strip_suffix(name).is_some_and(|before| before.ends_with(' ')))
        .max_by_key(|name| name.len());
    Some((row, column.map(str::to_owned)))
}

/// Runs `work` in the transaction that there is, or in one of its own.
fn in_transaction(
    connection: &mut PostgresConnection,
    work: impl FnOnce(&mut PostgresConnection) -> Result<u64>,
) -> Result<u64> {
    if connection.in_transaction() {
        return work(connection);
    }
    connection.begin()?;
    match work(connection) {
        Ok(count) => connection.commit().map(|()| count),
        Err(error) => {
            // The first error is the one to show.
            let _ = connection.rollback();
            Err(error)
        }
    }
}

fn insert_all(
    connection: &mut PostgresConnection,
    table: &TableName,
    columns: &[Column],
    rows: &Rows,
    range: Range<usize>,
) -> Result<u64> {
    let at_once = (MAX_PARAMS / columns.len()).clamp(1, MAX_ROWS);
    let (mut start, mut count) = (range.start, 0);
    while start < range.end {
        let end = range.end.min(start + at_once);
        let sql = insert_sql(table, columns, end - start);
        let inserted = connection.with_client(|client, statements| {
            let fields = (start..end).flat_map(|row| rows.row(row).zip(columns));
            let cells: Vec<_> = fields
                .map(|(bytes, column)| Packed { column_type: &column.column_type, bytes })
                .collect();
            if !statements.keeps() {
                let declared = columns.iter().map(|column| declared_column(&column.column_type));
                let declared: Vec<_> = declared.collect();
                let typed = cells.into_iter().zip(declared.into_iter().cycle());
                return rest_of(client.query_typed_raw(&sql, typed)?);
            }
            let statement = if end - start == at_once {
                statements.get(client, &sql)?.statement
            } else {
                client.prepare(&sql)?
            };
            rest_of(client.query_raw(&statement, cells)?)
        });
        count += inserted.map_err(|error| {
            connection.forget_if_stale(&sql, &error);
            let only = (range.len() == 1).then_some(1);
            error.locate(|place| place.row = only)
        })?;
        start = end;
    }
    Ok(count)
}

/// Reads a result to its end; returns how many rows the statement changed.
fn rest_of(mut answer: RowIter<'_>) -> Result<u64, postgres::Error> {
    while answer.next()?.is_some() {}
    Ok(answer.rows_affected().unwrap_or(0))
}

fn insert_sql(table: &TableName, columns: &[Column], rows: usize) -> String {
    let casts: Vec<_> = columns.iter().map(|column| cast(&column.column_type)).collect();
    let mut sql = format!("INSERT INTO {table} ({}) VALUES ", names(columns));
    let mut number = 0;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for (index, cast) in casts.iter().enumerate() {
            number += 1;
            sql.push_str(if index == 0 { "$" } else { ", $" });
            sql.push_str(&number.to_string());
            sql.push_str(cast);
        }
        sql.push(')');
    }
    sql
}

/// The type of a placeholder, without a length: a cast to `varchar(3)` would cut a longer text
/// silently, where the assignment to the column refuses it.
fn cast(column_type: &ColumnType) -> String {
    fn name(column_type: &ColumnType) -> String {
        match column_type {
            ColumnType::Varchar(_) => "varchar".to_owned(),
            ColumnType::Char(_) => "bpchar".to_owned(),
            ColumnType::Numeric(_) => "numeric".to_owned(),
            ColumnType::Array(element) => format!("{}[]", name(element)),
            other => other.sql(),
        }
    }
    if column_type.travels_as_text() {
        format!("::text::{}", name(column_type))
    } else {
        format!("::{}", name(column_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;

    fn columns() -> Vec<Column> {
        [("id", ColumnType::Int8), ("ip", ColumnType::Other("inet".into()))]
            .into_iter()
            .map(|(name, column_type)| Column::new(Ident::new(name).unwrap(), column_type))
            .collect()
    }

    #[test]
    fn the_row_is_read_from_the_context_in_any_language() {
        for (context, expected) in [
            ("COPY t2024, line 3, column id", Some((3, Some("id")))),
            ("COPY t2024, Zeile 17", Some((17, None))),
            ("COPY t2024, ligne 4, colonne ip", Some((4, Some("ip")))),
            ("PL/pgSQL function f() line 9 at RAISE\nCOPY t2024, line 2", Some((2, None))),
            ("PL/pgSQL function f() line 9 at RAISE", None),
        ] {
            let place = place_of(context, "t2024", &columns());
            assert_eq!(place, expected.map(|(row, name)| (row, name.map(str::to_owned))));
        }
    }

    #[test]
    fn texts_are_cast_by_the_server() {
        let table = TableName::parse("t").unwrap();
        assert_eq!(
            insert_sql(&table, &columns(), 2),
            "INSERT INTO \"t\" (\"id\", \"ip\") VALUES ($1::bigint, $2::text::inet), \
             ($3::bigint, $4::text::inet)"
        );
    }
}
