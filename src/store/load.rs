//! Rows into a table by the fastest way there is.

use super::entity_map::EntityMap;
use super::single::InTable;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::column::Column;
use crate::mapping::entity::Entity;
use crate::mapping::layout::Layout;
use crate::mapping::rows::Rows;

/// Packed rows are sent when there are so many bytes of them.
const LOAD_BYTES: usize = 8 << 20;

/// Inserts entities as they come, and returns how many the database has stored.
pub(super) fn insert_all<E: Entity>(
    connection: &mut dyn Connection,
    map: &EntityMap,
    entities: impl IntoIterator<Item = E>,
) -> Result<u64> {
    if map.written.is_empty() {
        let message = "an entity of which the database makes every column cannot be loaded";
        return Err(Error::new(ErrorKind::Config, message).with_hint("insert them one by one"));
    }
    let mut loading = Loading::start(connection, map, &map.written)?;
    for entity in entities {
        loading.add(|columns, rows| {
            let mut row = rows.begin();
            entity.pack(columns, &mut row)?;
            row.finish()
        })?;
    }
    loading.finish()
}

/// Rows on their way into a table by the fastest way there is.
pub(super) struct Loading<'a> {
    connection: &'a mut dyn Connection,
    map: &'a EntityMap,
    layout: Layout,
    rows: Rows,
    /// How many were sent.
    sent: u64,
    /// How many of them the database has stored.
    stored: u64,
}

impl<'a> Loading<'a> {
    /// Looks up which types the columns of the table have, where rows must have exactly those.
    pub(super) fn start(
        connection: &'a mut dyn Connection,
        map: &'a EntityMap,
        columns: &[usize],
    ) -> Result<Self> {
        let declared = columns.iter().map(|&index| &map.columns[index]);
        let columns = if connection.capabilities().copy {
            let info = connection.table_info(&map.table).in_table(map)?;
            let info = info.ok_or_else(|| missing("this table")).in_table(map)?;
            let find = |column: &Column| {
                let found = info.column(column.name.as_str()).cloned();
                found.ok_or_else(|| missing(&format!("a column {}", column.name)))
            };
            declared.map(find).collect::<Result<_>>().in_table(map)?
        } else {
            declared.cloned().collect()
        };
        let layout = Layout::new(columns, Vec::new());
        Ok(Self { connection, map, rows: layout.rows(), layout, sent: 0, stored: 0 })
    }

    /// Has `pack` pack one row as the columns of the table.
    pub(super) fn add(
        &mut self,
        pack: impl FnOnce(&[Column], &mut Rows) -> Result<()>,
    ) -> Result<()> {
        let number = self.sent + self.rows.len() as u64 + 1;
        pack(&self.layout.columns, &mut self.rows)
            .locate(|place| place.row = Some(number))
            .in_table(self.map)?;
        if self.rows.size_bytes() >= LOAD_BYTES { self.send() } else { Ok(()) }
    }

    /// Sends the rest; returns how many rows the database has stored.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.send()?;
        Ok(self.stored)
    }

    fn send(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let (sent, all) = (self.sent, 0..self.rows.len());
        let Layout { columns, .. } = &self.layout;
        self.stored += self
            .connection
            .load(&self.map.table, columns, &self.rows, all)
            .map_err(|error| behind(error, sent))
            .in_table(self.map)?;
        self.sent += self.rows.len() as u64;
        self.rows.clear();
        Ok(())
    }
}

/// The rows of a part are numbered from its start.
fn behind(error: Error, sent: u64) -> Error {
    match error.place().row {
        Some(_) if sent > 0 => error.relocate(|place| {
            place.row = place.row.map(|row| row + sent);
        }),
        _ => error,
    }
}

fn missing(what: &str) -> Error {
    Error::new(ErrorKind::Schema, format!("the database has not {what}"))
        .with_hint("hold the entity against the table")
}
