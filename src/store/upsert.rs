//! Inserting rows, or updating those that are there.

use super::duplicates::{Duplicates, Upserted};
use super::entity_map::EntityMap;
use super::given::{self, Given};
use super::keys;
use super::record::Record;
use super::single::InTable;
use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::cell::Cell;

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
    let rows = map.rows();
    let sql = rows.upsert_many(form, &map.written);
    let given = Given::new(form, map, &map.written, records.iter().copied(), 0).in_table(map)?;
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
