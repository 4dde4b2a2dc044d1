//! Inserting many rows, each of which gets back what the database made for it.
//!
//! What a database returns of an INSERT has no promised order, so nothing is matched by it. A key
//! that the database numbers is asked for first and written like any other column; what else it
//! makes is found again by the key. Where neither can be done, rows are inserted one by one.

use super::entity_map::EntityMap;
use super::given::{self, ARRAY_ROWS, Given};
use super::load::Loading;
use super::record::{Record, key_of};
use super::single::{self, InTable};
use crate::backend::Connection;
use crate::backend::capabilities::Capabilities;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use std::collections::HashMap;

/// From so many rows on COPY is faster than arrays: the columns of the table have to be looked up
/// first, which takes as long as some thousand rows.
const LOAD_ROWS: usize = ARRAY_ROWS;

/// How many rows are inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// One statement for each row.
    OneByOne,
    /// The fastest way of the database, which returns nothing.
    Load,
    /// Statements with many rows.
    Many { come_back: bool },
}

fn way(map: &EntityMap, capabilities: Capabilities, rows: usize) -> Way {
    let numbered = map.numbered();
    let mut makes_more = map.generated.iter().filter(|index| Some(**index) != numbered);
    let come_back = makes_more.next().is_some();
    let is_unknown = map.makes_key() && numbered.is_none();
    if rows == 1 || is_unknown || (come_back && !map.key_is_exact()) {
        Way::OneByOne
    } else if !come_back && (!capabilities.unnest || rows >= LOAD_ROWS) {
        Way::Load
    } else {
        Way::Many { come_back }
    }
}

/// Whether all rows go in one statement, after which nothing can fail.
pub(crate) fn is_one_statement(map: &EntityMap, capabilities: Capabilities, rows: usize) -> bool {
    match way(map, capabilities, rows) {
        Way::OneByOne => rows <= 1,
        _ => capabilities.unnest && rows <= ARRAY_ROWS,
    }
}

/// Inserts records in their order, and fills what the database made; in a transaction, unless it
/// is [one statement](is_one_statement).
pub(crate) fn insert(
    connection: &mut dyn Connection,
    map: &EntityMap,
    records: &mut [&mut dyn Record],
) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let way = way(map, *connection.capabilities(), records.len());
    if way == Way::OneByOne {
        return one_by_one(connection, map, records);
    }
    let mut columns = map.written.clone();
    let mut rest = records;
    if let Some(key) = map.numbered() {
        let Some(numbered) = number(connection, map, key, rest)? else {
            return as_one(connection, |connection| one_by_one(connection, map, rest));
        };
        rest = &mut rest[numbered..];
        columns.insert(0, key);
    }
    match way {
        Way::Many { come_back } => many(connection, map, &columns, rest, come_back),
        _ => load(connection, map, &columns, rest),
    }
}

/// Does `work` in a transaction of its own where none is open: nobody knew before that it is more
/// than one statement.
fn as_one(
    connection: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<()>,
) -> Result<()> {
    if connection.in_transaction() {
        return work(connection);
    }
    connection.begin()?;
    let done = work(connection);
    if done.is_err() {
        connection.rollback()?;
        return done;
    }
    connection.commit()
}

fn one_by_one(
    connection: &mut dyn Connection,
    map: &EntityMap,
    records: &mut [&mut dyn Record],
) -> Result<()> {
    for (index, record) in records.iter_mut().enumerate() {
        single::insert(connection, map, *record)
            .locate(|place| place.row = Some(index as u64 + 1))?;
    }
    Ok(())
}

/// Gives all records the keys that the database would give them, and returns how many of them it
/// has inserted for that; `None` if it makes its keys by other means.
fn number(
    connection: &mut dyn Connection,
    map: &EntityMap,
    key: usize,
    records: &mut [&mut dyn Record],
) -> Result<Option<usize>> {
    let Some(sql) = map.dialect.next_numbers() else {
        return number_behind_first(connection, map, key, records).map(|()| Some(1));
    };
    let table = map.table.to_string();
    let column = map.columns[key].name.as_str();
    let params = [Param::from(&*table), column.into(), (records.len() as i64).into()];
    let mut numbers = 0;
    connection
        .query(sql, &params, &mut |row| {
            if let (CellRef::Packed(..), Some(record)) = (row.cell(0)?, records.get_mut(numbers)) {
                record.fill(key, row.cell(0)?)?;
                numbers += 1;
            }
            Ok(())
        })
        .in_table(map)?;
    Ok((numbers == records.len()).then_some(0))
}

/// The first is inserted, and the others follow it: who numbers rows by their highest number, and
/// has nobody beside this transaction, gives the same.
fn number_behind_first(
    connection: &mut dyn Connection,
    map: &EntityMap,
    key: usize,
    records: &mut [&mut dyn Record],
) -> Result<()> {
    let Some((first, rest)) = records.split_first_mut() else { return Ok(()) };
    single::insert(connection, map, *first)?;
    let mut packed = Vec::new();
    first.pack(key, &ColumnType::Int8, &mut packed)?;
    let number = packed.try_into().map_or(0, i64::from_be_bytes);
    for (record, number) in rest.iter_mut().zip(number.wrapping_add(1)..) {
        record.fill(key, CellRef::Packed(&ColumnType::Int8, &number.to_be_bytes()))?;
    }
    Ok(())
}

fn many(
    connection: &mut dyn Connection,
    map: &EntityMap,
    columns: &[usize],
    records: &mut [&mut dyn Record],
    come_back: bool,
) -> Result<()> {
    let capabilities = *connection.capabilities();
    let size = given::rows_per_statement(capabilities, columns.len());
    let mut first = 0;
    for chunk in records.chunks_mut(size) {
        let form = given::form(capabilities, chunk.len());
        let sql = map.rows().insert_many(form, columns, come_back);
        let rows = chunk.iter().map(|record| &**record as &dyn Record);
        let given = Given::new(form, map, columns, rows, first).in_table(map)?;
        if come_back {
            fill_by_key(connection, map, &sql, &given.params(), &map.refreshed(), chunk)?;
        } else {
            connection.execute(&sql, &given.params()).in_table(map)?;
        }
        first += chunk.len();
    }
    Ok(())
}

/// Runs a statement that returns all columns of the rows it wrote, and fills the `refreshed` ones
/// of the record with the same key. Returns which of the records came back.
pub(super) fn fill_by_key(
    connection: &mut dyn Connection,
    map: &EntityMap,
    sql: &str,
    params: &[Param<'_>],
    refreshed: &[usize],
    records: &mut [&mut dyn Record],
) -> Result<usize> {
    let mut places = HashMap::with_capacity(records.len());
    for (place, record) in records.iter().enumerate() {
        places.insert(key_of(&**record, map)?, place);
    }
    let mut count = 0;
    connection
        .query(sql, params, &mut |row| {
            let Some(any) = records.first() else { return Ok(()) };
            let key = any.key_in_row(map, &mut |index| row.cell(index))?;
            let Some(&place) = places.get(&key) else {
                let message = "the database returned a row with a key that none was given";
                return Err(Error::new(ErrorKind::Database, message)
                    .with_hint("a trigger changes keys: insert its rows one by one"));
            };
            count += 1;
            let record = &mut records[place];
            refreshed.iter().try_for_each(|&index| record.fill(index, row.cell(index)?))
        })
        .in_table(map)?;
    Ok(count)
}

fn load(
    connection: &mut dyn Connection,
    map: &EntityMap,
    columns: &[usize],
    records: &[&mut dyn Record],
) -> Result<()> {
    let mut loading = Loading::start(connection, map, columns)?;
    let mut packed = Vec::new();
    for record in records {
        loading.add(|columns_of_table, rows| {
            let mut row = rows.begin();
            for (&index, column) in columns.iter().zip(columns_of_table) {
                packed.clear();
                match record.pack(index, &column.column_type, &mut packed)? {
                    true => row.field(&packed)?,
                    false => row.null(),
                }
            }
            row.finish()
        })?;
    }
    loading.finish().map(drop)
}
