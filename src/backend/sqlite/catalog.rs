//! What `sqlite_schema` and the pragmas say of a table.

use super::connection::prepare;
use super::declared;
use super::errors;
use crate::backend::table_info::TableInfo;
use crate::backend::table_storage::{StoragePart, TableStorage};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::column::{Column, Made};
use crate::mapping::reference::{OnDelete, Reference};
use rusqlite::{Connection, Params, Row};

/// The schema of tables that live as long as the connection; they hide others of their name.
const TEMP: &str = "temp";

/// SQLite has no schemas, only the names of databases: a name with another is a mistake.
pub(super) fn refuse_schema(table: &TableName) -> Result<()> {
    match &table.schema {
        Some(schema) if !matches!(schema.as_str(), "main" | TEMP) => {
            Err(Error::new(ErrorKind::Schema, format!("{}: SQLite has no schemas", table.plain()))
                .with_hint("name the table alone"))
        }
        _ => Ok(()),
    }
}

/// What the catalog says of a table; `None` if there is none of that name.
pub(super) fn table_info(sqlite: &Connection, table: &TableName) -> Result<Option<TableInfo>> {
    refuse_schema(table)?;
    let Some(found) = find(sqlite, table)? else {
        return Ok(None);
    };
    let fields = fields(sqlite, &found)?;
    let unique = unique(sqlite, &found, &fields)?;
    let columns = fields.iter().map(Field::column).collect::<Result<Vec<_>>>();
    let mut info = TableInfo::new(columns.locate(|place| place.table = Some(found.name.clone()))?);
    info.defaults =
        fields.iter().filter(|field| field.has_default()).map(|field| field.name.clone()).collect();
    info.lengths = fields.iter().filter_map(Field::length).collect();
    if fields.iter().any(|field| field.key.is_some()) {
        info.key = unique.first().cloned().unwrap_or_default();
    }
    info.unique = unique;
    info.indexes = plain(sqlite, &found)?;
    add_foreign_keys(sqlite, &found, &mut info)?;
    info.referenced_by = referenced_by(sqlite, &found)?;
    info.is_table = found.is_table;
    Ok(Some(info))
}

/// Where the rows of a table lie: SQLite tells no more than that it is a table.
pub(super) fn table_storage(
    sqlite: &Connection,
    table: &TableName,
) -> Result<Option<TableStorage>> {
    refuse_schema(table)?;
    let found = find(sqlite, table)?;
    Ok(found.map(|found| {
        let part = found.is_table.then(|| StoragePart::new(table.clone()));
        let mut storage = TableStorage::default();
        storage.parts.extend(part);
        storage
    }))
}

/// A table as SQLite knows it.
struct Found {
    schema: String,
    name: String,
    is_table: bool,
    without_rowid: bool,
}

fn find(sqlite: &Connection, table: &TableName) -> Result<Option<Found>> {
    let mut found = list(
        sqlite,
        "SELECT schema, name, type, wr FROM pragma_table_list(?1) \
         WHERE schema IN ('main', 'temp') ORDER BY schema = 'temp' DESC",
        [table.table.as_str()],
        |row| {
            let kind: String = row.get(2)?;
            Ok(Found {
                schema: row.get(0)?,
                name: row.get(1)?,
                is_table: kind != "view",
                without_rowid: row.get(3)?,
            })
        },
    )?;
    if let Some(schema) = &table.schema {
        found.retain(|found| found.schema == schema.as_str());
    }
    Ok(found.into_iter().next())
}

/// A column as SQLite knows it.
struct Field {
    name: String,
    declared: String,
    not_null: bool,
    default: Option<String>,
    generated: bool,
    /// Whether it is the rowid by another name: never NULL, and numbered where it is left out.
    is_rowid: bool,
    /// Its place in the primary key, from 1.
    key: Option<i64>,
}

impl Field {
    fn column(&self) -> Result<Column> {
        let column = Column::new(Ident::new(&*self.name)?, declared::column_type(&self.declared));
        let mut column = if self.not_null { column.not_null() } else { column };
        column.generated = self.generated;
        column.made = match &self.default {
            _ if self.generated => Made::Computed,
            _ if self.is_rowid => Made::Identity,
            Some(expression) => Made::Default(expression.clone()),
            None => Made::Nowhere,
        };
        Ok(column)
    }

    fn has_default(&self) -> bool {
        self.default.is_some() || self.is_rowid
    }

    fn length(&self) -> Option<(String, u32)> {
        declared::length(&self.declared).map(|length| (self.name.clone(), length))
    }
}

fn fields(sqlite: &Connection, table: &Found) -> Result<Vec<Field>> {
    // Hidden columns (1) of virtual tables are none of ours; 2 and 3 are generated.
    let mut fields = list(
        sqlite,
        "SELECT name, type, \"notnull\", dflt_value, hidden IN (2, 3), pk \
         FROM pragma_table_xinfo(?1, ?2) WHERE hidden <> 1 ORDER BY cid",
        [&table.name, &table.schema],
        |row| {
            Ok(Field {
                name: row.get(0)?,
                declared: row.get(1)?,
                not_null: row.get(2)?,
                default: row.get(3)?,
                generated: row.get(4)?,
                is_rowid: false,
                key: Some(row.get(5)?).filter(|key| *key > 0),
            })
        },
    )?;
    let key_has_index = indexes(sqlite, table)?.iter().any(|index| index.is_key);
    let keys = fields.iter().filter(|field| field.key.is_some()).count();
    for field in fields.iter_mut().filter(|field| field.key.is_some()) {
        // An INTEGER PRIMARY KEY is the only kind of key without an index in a table with rowids.
        field.is_rowid = keys == 1 && !table.without_rowid && !key_has_index;
        field.not_null |= field.is_rowid;
    }
    Ok(fields)
}

/// A unique index that holds for all rows.
struct Index {
    name: String,
    is_key: bool,
}

fn indexes(sqlite: &Connection, table: &Found) -> Result<Vec<Index>> {
    list(
        sqlite,
        "SELECT name, origin = 'pk' FROM pragma_index_list(?1, ?2) \
         WHERE \"unique\" AND NOT partial ORDER BY origin <> 'pk', seq DESC",
        [&table.name, &table.schema],
        |row| Ok(Index { name: row.get(0)?, is_key: row.get(1)? }),
    )
}

fn unique(sqlite: &Connection, table: &Found, fields: &[Field]) -> Result<Vec<Vec<String>>> {
    let mut key: Vec<&Field> = fields.iter().filter(|field| field.key.is_some()).collect();
    key.sort_by_key(|field| field.key);
    let key: Vec<String> = key.into_iter().map(|field| field.name.clone()).collect();
    let mut unique = Vec::new();
    if !key.is_empty() {
        unique.push(key);
    }
    for index in indexes(sqlite, table)?.iter().filter(|index| !index.is_key) {
        unique.extend(columns_of(sqlite, table, &index.name)?);
    }
    Ok(unique)
}

/// The indexes that are not unique.
fn plain(sqlite: &Connection, table: &Found) -> Result<Vec<Vec<String>>> {
    let names: Vec<String> = list(
        sqlite,
        "SELECT name FROM pragma_index_list(?1, ?2) WHERE NOT \"unique\" AND NOT partial \
         ORDER BY seq DESC",
        [&table.name, &table.schema],
        |row| row.get(0),
    )?;
    let columns = names.iter().map(|name| columns_of(sqlite, table, name));
    Ok(columns.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The columns of an index; `None` if one of them is an expression, which has no name.
fn columns_of(sqlite: &Connection, table: &Found, index: &str) -> Result<Option<Vec<String>>> {
    let columns: Vec<Option<String>> = list(
        sqlite,
        "SELECT name FROM pragma_index_info(?1, ?2) ORDER BY seqno",
        [index, &table.schema],
        |row| row.get(0),
    )?;
    Ok(columns.into_iter().collect())
}

/// The foreign keys of one column; one that names no column refers to the key.
fn add_foreign_keys(sqlite: &Connection, table: &Found, info: &mut TableInfo) -> Result<()> {
    let keys: Vec<(String, String, Option<String>, String)> = list(
        sqlite,
        "SELECT \"from\", \"table\", coalesce(\"to\", (SELECT name \
                    FROM pragma_table_info(\"table\", ?2) WHERE pk = 1)), min(on_delete) \
         FROM pragma_foreign_key_list(?1, ?2) GROUP BY id HAVING count(*) = 1 ORDER BY id",
        [&table.name, &table.schema],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    for (from, target, to, action) in keys {
        let (Some(to), Some(column)) = (to, info.column_mut(&from)) else { continue };
        let action = match action.as_str() {
            "RESTRICT" => OnDelete::Restrict,
            "CASCADE" => OnDelete::Cascade,
            "SET NULL" => OnDelete::SetNull,
            _ => OnDelete::NoAction,
        };
        let target = TableName { schema: None, table: Ident::new(target)? };
        column.references = Some(Reference::new(target, Ident::new(to)?).on_delete(action));
    }
    Ok(())
}

/// SQLite's foreign keys have no names of their own; `child(column, ...)` stands for one.
fn referenced_by(sqlite: &Connection, table: &Found) -> Result<Vec<String>> {
    list(
        sqlite,
        "SELECT child.name || '(' || group_concat(reference.\"from\", ', ' ORDER BY reference.seq) || ')' \
         FROM pragma_table_list AS child, pragma_foreign_key_list(child.name, child.schema) AS reference \
         WHERE child.schema = ?2 AND reference.\"table\" = ?1 COLLATE NOCASE \
           AND child.name <> ?1 COLLATE NOCASE \
         GROUP BY child.name, reference.id ORDER BY 1",
        [&table.name, &table.schema],
        |row| row.get(0),
    )
}

fn list<T>(
    sqlite: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = prepare(sqlite, sql)?;
    let rows = statement.query_map(params, read).map_err(errors::of)?;
    rows.collect::<rusqlite::Result<_>>().map_err(errors::of)
}
