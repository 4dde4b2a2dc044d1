//! Updating and deleting many rows.

use super::duplicates::Duplicates;
use super::entity_map::EntityMap;
use super::given::{self, Given};
use super::insert::fill_by_key;
use super::keys;
use super::record::Record;
use super::single::{self, InTable};
use super::stale;
use crate::backend::Connection;
use crate::backend::capabilities::Capabilities;
use crate::error::Result;

/// Updates the `set` columns of the rows of records, and fills what the database made; returns how
/// many were there.
///
/// # Errors
/// `Stale` if the entity has a version, and a row is not there as it was read.
pub(crate) fn update(
    connection: &mut dyn Connection,
    map: &EntityMap,
    set: &[usize],
    records: Vec<&mut dyn Record>,
) -> Result<u64> {
    let mut records = sorted(map, records)?;
    let columns: Vec<_> = map.rows().identity().into_iter().chain(set.iter().copied()).collect();
    let capabilities = *connection.capabilities();
    let size = given::rows_per_statement(capabilities, columns.len());
    let mut updated = 0;
    for chunk in records.chunks_mut(size) {
        let rows = chunk.len();
        let count = match chunk {
            [record] => {
                let is_there = single::update_columns(connection, map, set, *record)?;
                usize::from(is_there)
            }
            chunk => one_statement(connection, map, &columns, set, chunk)?,
        };
        if count < rows && map.version.is_some() {
            return Err(stale::of_some(map, rows - count, rows)).in_table(map);
        }
        updated += count as u64;
    }
    Ok(updated)
}

fn one_statement(
    connection: &mut dyn Connection,
    map: &EntityMap,
    columns: &[usize],
    set: &[usize],
    records: &mut [&mut dyn Record],
) -> Result<usize> {
    let form = given::form(*connection.capabilities(), records.len());
    let refreshed = map.refreshed();
    let come_back = !refreshed.is_empty();
    if come_back && !map.key_is_exact() {
        return one_by_one(connection, map, set, records);
    }
    let sql = map.rows().update_many(form, set, come_back);
    let rows = records.iter().map(|record| &**record as &dyn Record);
    let given = Given::new(form, map, columns, rows, 0).in_table(map)?;
    let count = if come_back {
        fill_by_key(connection, map, &sql, &given.params(), &refreshed, records)?
    } else {
        connection.execute(&sql, &given.params()).in_table(map)? as usize
    };
    if count == records.len() {
        records.iter_mut().try_for_each(|record| single::count_on(map, *record))?;
    }
    Ok(count)
}

fn one_by_one(
    connection: &mut dyn Connection,
    map: &EntityMap,
    set: &[usize],
    records: &mut [&mut dyn Record],
) -> Result<usize> {
    let mut updated = 0;
    for record in records {
        updated += usize::from(single::update_columns(connection, map, set, *record)?);
    }
    Ok(updated)
}

/// Deletes the rows of records, with the version that they have if it is `checked`; returns how
/// many were there. A record that is there twice is one.
///
/// # Errors
/// `Stale` if a version is checked, and a row is not there as it was read.
pub(crate) fn delete(
    connection: &mut dyn Connection,
    map: &EntityMap,
    records: &[&dyn Record],
    checked: bool,
) -> Result<u64> {
    let order = keys::in_order(map, records.iter().copied(), Duplicates::First)?;
    let checked = checked && map.version.is_some();
    let columns = if checked { map.rows().identity() } else { map.key.clone() };
    let capabilities = *connection.capabilities();
    let mut deleted = 0;
    for chunk in order.chunks(given::rows_per_statement(capabilities, columns.len())) {
        let form = given::form(capabilities, chunk.len());
        let rows = chunk.iter().map(|&place| records[place]);
        let given = Given::new(form, map, &columns, rows, 0).in_table(map)?;
        let sql = map.rows().delete_many(form, checked);
        let count = connection.execute(&sql, &given.params()).in_table(map)?;
        let missing = chunk.len().saturating_sub(count as usize);
        if checked && missing > 0 {
            return Err(stale::of_some(map, missing, chunk.len())).in_table(map);
        }
        deleted += count;
    }
    Ok(deleted)
}

/// Whether so many rows, of which `set` columns are set, are one statement after which nothing can
/// fail.
pub(super) fn is_one_statement(
    map: &EntityMap,
    capabilities: Capabilities,
    set: usize,
    rows: usize,
) -> bool {
    let identity = map.rows().identity();
    let made = !map.refreshed().is_empty() && !map.key_is_exact();
    rows <= given::rows_per_statement(capabilities, identity.len() + set)
        && map.version.is_none()
        && !made
}

/// The records in the order of their keys.
fn sorted<'r>(
    map: &EntityMap,
    records: Vec<&'r mut dyn Record>,
) -> Result<Vec<&'r mut dyn Record>> {
    let rows = records.iter().map(|record| &**record as &dyn Record);
    let order = keys::in_order(map, rows, Duplicates::Error)?;
    let mut records: Vec<_> = records.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|place| records[place].take()).collect())
}
