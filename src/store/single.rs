//! Statements on one row.

use super::entity_map::EntityMap;
use super::record::{Record, params};
use super::stale;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;

/// Inserts a row, and fills what the database made.
pub(crate) fn insert(
    connection: &mut dyn Connection,
    map: &EntityMap,
    record: &mut dyn Record,
) -> Result<()> {
    let mut values = Vec::with_capacity(map.written.len());
    params(record, map, map.written.iter().copied(), &mut values)?;
    change(connection, &map.texts.insert, &values, &map.generated, record).map(drop).in_table(map)
}

/// Inserts a row unless its key is there; says whether it did.
pub(super) fn insert_new(
    connection: &mut dyn Connection,
    map: &EntityMap,
    record: &mut dyn Record,
) -> Result<bool> {
    let sql = map.rows().insert_new(&map.written, &map.generated);
    let mut values = Vec::with_capacity(map.written.len());
    params(record, map, map.written.iter().copied(), &mut values)?;
    change(connection, &sql, &values, &map.generated, record).in_table(map)
}

/// Updates all columns of a row, and fills what the database made; says whether it was there.
pub(super) fn update(
    connection: &mut dyn Connection,
    map: &EntityMap,
    record: &mut dyn Record,
) -> Result<bool> {
    update_with(connection, map, &map.texts.update, &map.others(), record)
}

/// Updates the `set` columns of a row, and fills what the database made; says whether it was there.
pub(crate) fn update_columns(
    connection: &mut dyn Connection,
    map: &EntityMap,
    set: &[usize],
    record: &mut dyn Record,
) -> Result<bool> {
    let sql = map.rows().update_one(set, &map.refreshed());
    update_with(connection, map, &sql, set, record)
}

fn update_with(
    connection: &mut dyn Connection,
    map: &EntityMap,
    sql: &str,
    set: &[usize],
    record: &mut dyn Record,
) -> Result<bool> {
    let mut values = Vec::with_capacity(set.len() + map.key.len() + 1);
    let columns = set.iter().copied().chain(map.rows().identity());
    params(record, map, columns, &mut values)?;
    let is_there = change(connection, sql, &values, &map.refreshed(), record).in_table(map)?;
    if is_there {
        count_on(map, record)?;
    }
    Ok(is_there)
}

/// Deletes a row; says whether it was there.
///
/// # Errors
/// `Stale` if the entity has a version, and no such row is there.
pub(crate) fn delete(
    connection: &mut dyn Connection,
    map: &EntityMap,
    record: &dyn Record,
) -> Result<bool> {
    let mut values = Vec::with_capacity(map.key.len() + 1);
    params(record, map, map.rows().identity(), &mut values)?;
    let is_there = connection.execute(&map.texts.delete, &values).in_table(map)? > 0;
    if !is_there && map.version.is_some() {
        return Err(stale::error(map));
    }
    Ok(is_there)
}

/// Reads the row with the key of `record` into it; says whether it is there.
pub(crate) fn reload(
    connection: &mut dyn Connection,
    map: &EntityMap,
    record: &mut dyn Record,
) -> Result<bool> {
    let mut values = Vec::with_capacity(map.key.len());
    params(record, map, map.key.iter().copied(), &mut values)?;
    let mut is_there = false;
    connection
        .query(&map.texts.select, &values, &mut |row| {
            is_there = true;
            (0..map.columns.len()).try_for_each(|index| record.fill(index, row.cell(index)?))
        })
        .in_table(map)?;
    Ok(is_there)
}

/// Gives the version of an entity the value that its update has written.
pub(super) fn count_on(map: &EntityMap, record: &mut dyn Record) -> Result<()> {
    let Some(index) = map.version else { return Ok(()) };
    let mut packed = Vec::new();
    record.pack(index, &ColumnType::Int8, &mut packed)?;
    let version = packed.try_into().map(i64::from_be_bytes).map_err(|_| {
        Error::new(ErrorKind::Config, "a version must have a value: it cannot be an Option")
    })?;
    let next = version.wrapping_add(1).to_be_bytes();
    record.fill(index, CellRef::Packed(&ColumnType::Int8, &next))
}

/// Runs a statement that writes one row, and fills its `returned` columns; says whether it wrote
/// one.
fn change(
    connection: &mut dyn Connection,
    sql: &str,
    values: &[Param<'_>],
    returned: &[usize],
    record: &mut dyn Record,
) -> Result<bool> {
    if returned.is_empty() {
        return connection.execute(sql, values).map(|count| count > 0);
    }
    let mut is_written = false;
    connection.query(sql, values, &mut |row| {
        is_written = true;
        let mut cells = returned.iter().enumerate();
        cells.try_for_each(|(place, &index)| record.fill(index, row.cell(place)?))
    })?;
    Ok(is_written)
}

/// Adds the table to the place of an error.
pub(crate) trait InTable<T> {
    fn in_table(self, map: &EntityMap) -> Result<T>;
}

impl<T> InTable<T> for Result<T> {
    fn in_table(self, map: &EntityMap) -> Result<T> {
        self.locate(|place| place.table = Some(map.table.plain()))
    }
}
