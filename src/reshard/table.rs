//! A table whose rows are moved, and its statements.

use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::cell::convert::Converter;
use crate::mapping::column::{Column, Made};
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::mapping::rows::Fields;
use crate::sharding::ShardKey;
use crate::sql::dialect::Dialect;
use crate::sql::shard_move::MovedRows;

/// The packed values of a key.
pub(super) type Key = Vec<Vec<u8>>;

/// So many keys are named in one statement.
const KEYS_AT_ONCE: usize = 100;

/// A table whose rows are moved.
#[derive(Clone, Debug)]
pub(super) struct MovedTable {
    /// Its place among the tables of the move, from 1.
    pub(super) number: usize,
    /// Its name.
    pub(super) table: TableName,
    /// Its columns, but for those that the database computes.
    pub(super) columns: Vec<Column>,
    /// Which of them are the key.
    pub(super) key: Vec<usize>,
    /// Which of them is the shard key.
    pub(super) shard_key: usize,
}

impl MovedTable {
    /// What the catalog of a shard says of it.
    ///
    /// # Errors
    /// `Schema` if there is no such table, or it has no primary key or no such shard key.
    pub(super) fn find(
        connection: &mut dyn Connection,
        number: usize,
        name: &str,
        shard_key: &str,
    ) -> Result<Self> {
        let table = TableName::parse(name)?;
        let refused = |what: String| Error::new(ErrorKind::Schema, format!("table {name}: {what}"));
        let info = connection
            .table_info(&table)?
            .filter(|info| info.is_table)
            .ok_or_else(|| refused("there is no such table on this shard".to_owned()))?;
        let carried = info.columns.iter().filter(|column| column.made != Made::Computed);
        // They carry the values that they have, whatever would make new ones.
        let columns: Vec<_> = carried
            .map(|column| {
                let plain = Column::new(column.name.clone(), column.column_type.clone());
                let mut plain = if column.nullable { plain } else { plain.not_null() };
                plain.labels.clone_from(&column.labels);
                plain
            })
            .collect();
        let place = |name: &String| columns.iter().position(|c| c.name.as_str() == name);
        let key: Option<Vec<usize>> = info.key.iter().map(place).collect();
        let key = key.filter(|key| !key.is_empty()).ok_or_else(|| {
            refused("it has no primary key, by which changed rows are found".to_owned())
        })?;
        let shard_key = place(&shard_key.to_owned())
            .ok_or_else(|| refused(format!("it has no column {shard_key}")))?;
        Ok(Self { number, table, columns, key, shard_key })
    }

    /// Whether rows of `giver` are rows of this one, of a shard that takes.
    ///
    /// # Errors
    /// `Schema` with the difference.
    pub(super) fn takes(&self, giver: &Self) -> Result<()> {
        let names = |table: &Self| -> Vec<String> {
            table.key.iter().map(|&at| table.columns[at].name.as_str().to_owned()).collect()
        };
        let refused = |what: String| {
            let message = format!("table {}: {what}", self.table.plain());
            Err(Error::new(ErrorKind::Schema, message)
                .with_hint("make it as it is on the shard that gives the rows"))
        };
        if names(self) != names(giver) {
            return refused("its primary key is another one than where the rows are".to_owned());
        }
        for column in &giver.columns {
            let own = self.columns.iter().find(|own| own.name == column.name);
            match own {
                None => return refused(format!("it has no column {}", column.name.as_str())),
                Some(own) if own.column_type != column.column_type => {
                    return refused(format!(
                        "column {} is {} here and {} where the rows are",
                        column.name.as_str(),
                        own.column_type,
                        column.column_type
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Its statements.
    pub(super) fn rows(&self, dialect: Dialect) -> MovedRows<'_> {
        let Self { number, table, columns, key, shard_key, .. } = self;
        MovedRows { dialect, number: *number, table, columns, key, shard_key: *shard_key }
    }

    /// What its stage is called.
    ///
    /// # Errors
    /// As [`MovedRows::stage`].
    pub(super) fn stage(&self, dialect: Dialect) -> Result<TableName> {
        self.rows(dialect).stage()
    }

    /// The shard key of a row of all columns; `None` if it is NULL, so that the row is on no shard.
    ///
    /// # Errors
    /// `Config` if its type is none of a shard key.
    pub(super) fn shard_key_of(&self, mut fields: Fields<'_>) -> Result<Option<ShardKey>> {
        let packed = fields.nth(self.shard_key).flatten();
        let column_type = &self.columns[self.shard_key].column_type;
        packed.map(|packed| ShardKey::of_packed(column_type, packed)).transpose()
    }

    /// The keys, each with its shard key, of those of `keys` that have a row in its stage.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn owners(
        &self,
        connection: &mut dyn Connection,
        keys: &[&Key],
    ) -> Result<Vec<(Key, Option<ShardKey>)>> {
        let dialect = connection.capabilities().dialect;
        let stage = self.stage(dialect)?;
        let rows = MovedRows { table: &stage, ..self.rows(dialect) };
        let reader = KeyReader::of(self);
        let mut found = Vec::new();
        for chunk in keys.chunks(KEYS_AT_ONCE) {
            let params = self.key_params(chunk);
            connection.query(&rows.owners(chunk.len()), &params, &mut |row| {
                found.push(reader.read(row)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Deletes the rows with these keys, from its stage or where they were, and says how many there
    /// were.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn delete(
        &self,
        connection: &mut dyn Connection,
        keys: &[&Key],
        staged: bool,
    ) -> Result<u64> {
        let dialect = connection.capabilities().dialect;
        let stage = self.stage(dialect)?;
        let table = if staged { &stage } else { &self.table };
        let rows = MovedRows { table, ..self.rows(dialect) };
        let mut deleted = 0;
        for chunk in keys.chunks(KEYS_AT_ONCE) {
            deleted += connection.execute(&rows.delete(chunk.len()), &self.key_params(chunk))?;
        }
        Ok(deleted)
    }

    /// Inserts rows of all columns into its stage, or gives those that are there their values.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn upsert(
        &self,
        connection: &mut dyn Connection,
        list: &[Fields<'_>],
    ) -> Result<()> {
        let dialect = connection.capabilities().dialect;
        let stage = self.stage(dialect)?;
        let rows = MovedRows { table: &stage, ..self.rows(dialect) };
        let most = (dialect.max_parameters() / self.columns.len()).clamp(1, KEYS_AT_ONCE);
        for chunk in list.chunks(most) {
            let params = chunk.iter().flat_map(|fields| {
                fields.clone().zip(&self.columns).map(|(field, column)| match field {
                    Some(bytes) => Param::Packed(&column.column_type, bytes.into()),
                    None => Param::Null,
                })
            });
            connection.execute(&rows.upsert(chunk.len()), &params.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// The keys and shard keys of the `limit` rows behind `last`, in the order of their keys.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn page(
        &self,
        connection: &mut dyn Connection,
        last: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Option<ShardKey>)>> {
        let sql = self.rows(connection.capabilities().dialect).page(last.is_none(), limit);
        let reader = KeyReader::of(self);
        let params = last.map(|key| self.key_params(&[key])).unwrap_or_default();
        let mut found = Vec::new();
        connection.query(&sql, &params, &mut |row| {
            found.push(reader.read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    fn key_params<'a>(&'a self, keys: &[&'a Key]) -> Vec<Param<'a>> {
        let of_key = |key: &'a Key| {
            key.iter().zip(&self.key).map(|(bytes, &at)| {
                Param::Packed(&self.columns[at].column_type, bytes.as_slice().into())
            })
        };
        keys.iter().flat_map(|key| of_key(key)).collect()
    }
}

/// Reads a key, and the shard key behind it, as they are packed.
struct KeyReader {
    key: Vec<Converter>,
    shard_key: Converter,
}

impl KeyReader {
    fn of(table: &MovedTable) -> Self {
        let converter = |at: usize| match &table.columns[at].column_type {
            ty if ty.travels_as_text() => Converter::to(&ColumnType::Text),
            ty => Converter::to(ty),
        };
        let key = table.key.iter().map(|&at| converter(at)).collect();
        Self { key, shard_key: converter(table.shard_key) }
    }

    fn read(&self, row: &dyn RowRef) -> Result<(Key, Option<ShardKey>)> {
        let packed = |at: usize, converter: &Converter| -> Result<Option<Vec<u8>>> {
            let mut bytes = Vec::new();
            Ok(converter.pack(row.cell(at)?, &mut bytes)?.then_some(bytes))
        };
        let key = self.key.iter().enumerate();
        let key = key.map(|(at, converter)| Ok(packed(at, converter)?.unwrap_or_default()));
        let key = key.collect::<Result<Key>>()?;
        let column_type = self.shard_key.column_type();
        let shard_key = packed(self.key.len(), &self.shard_key)?;
        let shard_key = shard_key.map(|bytes| ShardKey::of_packed(column_type, &bytes));
        Ok((key, shard_key.transpose()?))
    }
}
