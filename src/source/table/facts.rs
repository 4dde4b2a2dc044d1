//! What is found of a table, or of a query, when a run begins.

use super::options::{Options, What};
use crate::backend::Connection;
use crate::backend::capabilities::Capabilities;
use crate::backend::table_info::TableInfo;
use crate::backend::table_storage::TableStorage;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::nearest::nearest;
use crate::sql::partition::{self, Relation};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What is found when a run begins.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) capabilities: Capabilities,
    pub(super) relation: Relation,
    /// What can be read, with the types of the database.
    pub(super) columns: Vec<Column>,
    /// By what it can be cut; empty if by no column.
    pub(super) key: Vec<Column>,
    /// Whether no two rows have the same key, and whether none is without it.
    pub(super) unique: bool,
    pub(super) storage: TableStorage,
    pub(super) fingerprint: String,
}

impl Facts {
    /// Looks; `wanted` are the columns that will be read.
    pub(super) fn find(
        options: &Options,
        wanted: &[Ident],
        connection: &mut dyn Connection,
    ) -> Result<Self> {
        match &options.what {
            What::Table(table) => Self::of_table(options, table, connection)
                .locate(|place| place.table = Some(table.plain())),
            What::Query(sql) => Self::of_query(options, sql, wanted, connection),
        }
    }

    fn of_table(
        options: &Options,
        table: &TableName,
        connection: &mut dyn Connection,
    ) -> Result<Self> {
        let capabilities = *connection.capabilities();
        let info = connection.table_info(table)?.ok_or_else(|| {
            Error::new(ErrorKind::Schema, "the table that is to be read does not exist").with_hint(
                "name it as it is written, and its schema if it is not on the search path",
            )
        })?;
        let hidden = capabilities.dialect.hidden_key().filter(|_| info.is_table);
        let (key, unique) = if options.key.is_empty() {
            own_key(&info, hidden)?
        } else {
            let names: Vec<_> = options.key.iter().map(|name| name.as_str().to_owned()).collect();
            (columns_of(&options.key, &info.columns)?, info.has_unique(&names))
        };
        let single = match &key[..] {
            [only] => Some(&only.name),
            _ => None,
        };
        let storage = connection.table_storage(table, single)?.unwrap_or_default();
        // A unique index does not reach into what inherits.
        let unique = unique && !storage.is_tree && key.iter().all(|column| !column.nullable);
        let fingerprint = fingerprint(table, &info.columns, &storage);
        let relation = Relation::table(capabilities.dialect, table);
        let columns = info.columns;
        Ok(Self { capabilities, relation, columns, key, unique, storage, fingerprint })
    }

    fn of_query(
        options: &Options,
        sql: &str,
        wanted: &[Ident],
        connection: &mut dyn Connection,
    ) -> Result<Self> {
        let capabilities = *connection.capabilities();
        let mut names = wanted.to_vec();
        names.extend(options.key.iter().filter(|key| !wanted.contains(key)).cloned());
        let columns = query_columns(sql, &names, connection)?;
        let key = columns_of(&options.key, &columns)?;
        let hash = hex(&Sha256::digest(sql.as_bytes()));
        let fingerprint = format!("query {hash}, columns {}", schema_hash(&columns));
        let relation = Relation::query(capabilities.dialect, sql);
        let storage = TableStorage::default();
        Ok(Self { capabilities, relation, columns, key, unique: false, storage, fingerprint })
    }

    /// The column of that name.
    pub(super) fn column(&self, name: &str) -> Result<&Column> {
        find(&self.columns, name)
    }

    /// Whether all of it can be read by blocks.
    pub(super) fn has_blocks(&self) -> bool {
        let parts = &self.storage.parts;
        !parts.is_empty() && parts.iter().all(|part| part.blocks.is_some())
    }

    /// What differs once a row was changed; `None` where that cannot be told.
    pub(super) fn changes(&self) -> Option<String> {
        if self.storage.parts.is_empty() {
            return None;
        }
        let changes: Option<Vec<_>> =
            self.storage.parts.iter().map(|part| part.changes.clone()).collect();
        changes.map(|changes| changes.join("; "))
    }
}

/// The first unique key without NULL, or the number that every row has.
fn own_key(info: &TableInfo, hidden: Option<&str>) -> Result<(Vec<Column>, bool)> {
    let strict = |name: &String| info.column(name).is_some_and(|column| !column.nullable);
    if let Some(unique) = info.unique.iter().find(|unique| unique.iter().all(strict)) {
        let key = unique.iter().filter_map(|name| info.column(name).cloned()).collect();
        return Ok((key, true));
    }
    match hidden {
        Some(name) if info.column(name).is_none() => {
            Ok((vec![Column::new(Ident::new(name)?, ColumnType::Int8).not_null()], true))
        }
        _ => Ok((Vec::new(), false)),
    }
}

fn columns_of(names: &[Ident], columns: &[Column]) -> Result<Vec<Column>> {
    names.iter().map(|name| find(columns, name.as_str()).cloned()).collect()
}

fn find<'a>(columns: &'a [Column], name: &str) -> Result<&'a Column> {
    columns.iter().find(|column| column.name.as_str() == name).ok_or_else(|| {
        let known = columns.iter().map(|column| column.name.as_str());
        let error = Error::new(ErrorKind::Schema, format!("the source has no column {name:?}"));
        match nearest(name, known) {
            Some(meant) => error.with_hint(format!("did you mean {meant:?}?")),
            None => error,
        }
    })
}

/// The columns of a query, with their types where the database tells them.
fn query_columns(
    sql: &str,
    names: &[Ident],
    connection: &mut dyn Connection,
) -> Result<Vec<Column>> {
    let column = |name: &Ident, ty| Column::new(name.clone(), ty);
    let Some(ask) = partition::types_of(connection.capabilities().dialect, sql, names) else {
        return Ok(names.iter().map(|name| column(name, ColumnType::Text)).collect());
    };
    let mut columns = Vec::new();
    connection.query(&ask, &[], &mut |row| {
        for (index, name) in names.iter().enumerate() {
            let ty: String = crate::mapping::cell::Cell::unpack(row.cell(index)?)?;
            let known = ColumnType::parse(&ty).ok().filter(|ty| !matches!(ty, ColumnType::Char(_)));
            columns.push(column(name, known.unwrap_or(ColumnType::Other(ty))));
        }
        Ok(())
    })?;
    Ok(columns)
}

/// What it is, which file it is kept in, and what its columns are.
fn fingerprint(table: &TableName, columns: &[Column], storage: &TableStorage) -> String {
    let mut text = format!("table {}", table.plain());
    for part in &storage.parts {
        if let Some(file) = part.file {
            // Writing to a string cannot fail.
            let _ = write!(text, " {} in file {file}", part.number);
        }
    }
    let _ = write!(text, ", columns {}", schema_hash(columns));
    text
}

fn schema_hash(columns: &[Column]) -> String {
    let mut hash = Sha256::new();
    for column in columns {
        hash.update(format!("{} {} {}\n", column.name, column.column_type, column.nullable));
    }
    hex(&hash.finalize())
}

/// The first bytes of a hash are enough to tell a change.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
