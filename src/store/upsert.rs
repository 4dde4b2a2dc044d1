//! Inserting rows, or updating those that are there.

use super::duplicates::{Duplicates, Upserted};
use super::entity_map::EntityMap;
use super::given::{self, Given};
use super::keys;
use super::record::Record;
use super::single::InTable;
use super::trend::Guess;
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::param::Param;
use crate::sql::bulk::Form;

/// Fewer rows are not worth the round trip of a COMMIT.
const MANY_ROWS: usize = 100;

/// Inserts records, or updates those whose key is there and that differ.
///
/// In a transaction: where the database cannot tell which rows are new, they are counted before,
/// and nobody else may write in between.
pub(super) fn upsert(
    connection: &mut dyn Connection,
    map: &EntityMap,
    records: &[&dyn Record],
    duplicates: Duplicates,
) -> Result<Upserted> {
    keys::refuse_made(map)?;
    let order = keys::in_order(map, records.iter().copied(), duplicates)?;
    let duplicates = (records.len() - order.len()) as u64;
    let mut done = Upserted { duplicates, ..Upserted::default() };
    let capabilities = *connection.capabilities();
    let size = given::rows_per_statement(capabilities, map.written.len());
    for chunk in order.chunks(size) {
        let chunk: Vec<_> = chunk.iter().map(|&place| records[place]).collect();
        let (inserted, updated) = one_statement(connection, map, &chunk)?;
        done.inserted += inserted;
        done.updated += updated;
        done.unchanged += (chunk.len() as u64).saturating_sub(inserted + updated);
    }
    Ok(done)
}

/// How many were inserted and updated.
fn one_statement(
    connection: &mut dyn Connection,
    map: &EntityMap,
    records: &[&dyn Record],
) -> Result<(u64, u64)> {
    let form = given::form(*connection.capabilities(), records.len());
    let given = Given::new(form, map, &map.written, records.iter().copied(), 0).in_table(map)?;
    // Who has a transaction of his own would lose it by a guess that is wrong.
    let may_guess = form == Form::Arrays && !connection.in_transaction();
    if !may_guess || records.len() < MANY_ROWS {
        return whatever_is_there(connection, map, form, &given, records);
    }
    if let Some(done) = guessed(connection, map, &given, records.len() as u64)? {
        return Ok(done);
    }
    let (inserted, updated) = whatever_is_there(connection, map, form, &given, records)?;
    map.trend.note(records.len() as u64, inserted, updated);
    Ok((inserted, updated))
}

/// Stores rows of which all are thought to be new, or all to be there: by a statement that can do only
/// that, in a transaction that holds only if it did so to each of them. `None` if it did not.
///
/// One statement, in the order of the keys: a second one for the rest would lock rows out of that order.
fn guessed(
    connection: &mut dyn Connection,
    map: &EntityMap,
    given: &Given<'_>,
    rows: u64,
) -> Result<Option<(u64, u64)>> {
    let guess = map.trend.guess();
    let sql = match guess {
        Guess::Either => None,
        Guess::There => map.rows().update_there(&map.written, true),
        Guess::New => Some(map.rows().insert_missing(&map.written, true)),
    };
    let Some(sql) = sql else { return Ok(None) };
    let table = map.table.to_string();
    let mut params = given.params();
    params.push(Param::from(table.as_str()));
    connection.begin()?;
    if let Some(settings) = map.dialect.insist_on_key_lookups() {
        connection.ahead(settings)?;
    }
    match connection.execute(&sql, &params) {
        Ok(changed) if changed == rows => {
            connection.commit().in_table(map)?;
            let done = if guess == Guess::New { (rows, 0) } else { (0, rows) };
            map.trend.note(rows, done.0, done.1);
            Ok(Some(done))
        }
        // What refuses a row says so again, unless it was somebody who inserted it meanwhile.
        Err(error) if !error.is_data() => {
            // The first error is the one to show; a failed rollback discards the connection.
            let _ = connection.rollback();
            Err(error).in_table(map)
        }
        _ => {
            map.trend.was_wrong();
            connection.rollback().in_table(map)?;
            Ok(None)
        }
    }
}

/// Inserts or updates rows of which nobody knows which are there.
fn whatever_is_there(
    connection: &mut dyn Connection,
    map: &EntityMap,
    form: Form,
    given: &Given<'_>,
    records: &[&dyn Record],
) -> Result<(u64, u64)> {
    let rows = map.rows();
    let sql = rows.upsert_many(form, &map.written);
    if map.dialect.is_new().is_some() {
        let (mut inserted, mut updated) = (0, 0);
        connection
            .query(&sql, &given.params(), &mut |row| {
                *(if bool::unpack(row.cell(0)?)? { &mut inserted } else { &mut updated }) += 1;
                Ok(())
            })
            .in_table(map)?;
        return Ok((inserted, updated));
    }
    let keys = Given::new(form, map, &map.key, records.iter().copied(), 0).in_table(map)?;
    let mut there = 0_i64;
    connection
        .query(&rows.count_many(records.len()), &keys.params(), &mut |row| {
            there = i64::unpack(row.cell(0)?)?;
            Ok(())
        })
        .in_table(map)?;
    let written = connection.execute(&sql, &given.params()).in_table(map)?;
    let inserted = (records.len() as u64).saturating_sub(there as u64).min(written);
    Ok((inserted, written - inserted))
}
