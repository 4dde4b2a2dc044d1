//! How an entity lies in its table, worked out once.

use super::trend::Trend;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::sql::dialect::Dialect;
use crate::sql::rows::TableRows;
use parking_lot::RwLock;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// How an entity lies in its table on one kind of database, and the statements that never change.
#[derive(Debug)]
pub(crate) struct EntityMap {
    pub(crate) dialect: Dialect,
    pub(crate) table: TableName,
    pub(crate) columns: Vec<Column>,
    /// Which columns are the key, in its order.
    pub(crate) key: Vec<usize>,
    /// Which columns a statement writes: those that the database does not make.
    pub(crate) written: Vec<usize>,
    /// Which columns the database makes.
    pub(crate) generated: Vec<usize>,
    /// Which column counts versions.
    pub(crate) version: Option<usize>,
    pub(crate) texts: Texts,
    /// What became of rows that were upserted.
    pub(crate) trend: Trend,
}

/// The statements on single rows.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) insert: String,
    pub(crate) select: String,
    pub(crate) update: String,
    pub(crate) delete: String,
}

/// What was worked out so far.
type Known = RwLock<HashMap<(TypeId, Dialect), Arc<EntityMap>>>;

static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);

impl EntityMap {
    /// The map of `E`.
    ///
    /// # Errors
    /// `Config` if a declared name or type is none.
    pub(crate) fn of<E: Entity + 'static>(dialect: Dialect) -> Result<Arc<Self>> {
        let kind = (TypeId::of::<E>(), dialect);
        if let Some(map) = KNOWN.read().get(&kind) {
            return Ok(Arc::clone(map));
        }
        let map = Arc::new(Self::make(dialect, E::table()?, E::columns()?, E::key())?);
        KNOWN.write().insert(kind, Arc::clone(&map));
        Ok(map)
    }

    fn make(
        dialect: Dialect,
        table: TableName,
        columns: Vec<Column>,
        key: &[&str],
    ) -> Result<Self> {
        let place = |name: &&str| columns.iter().position(|column| column.name.as_str() == *name);
        let of_kind = |is: fn(&Column) -> bool| {
            let numbered = columns.iter().enumerate();
            numbered.filter(|(_, column)| is(column)).map(|(index, _)| index).collect::<Vec<_>>()
        };
        let version = of_kind(|column| column.version).first().copied();
        if let Some(index) = version
            && !is_integer(&columns[index].column_type)
        {
            let message = format!("the version {} is no whole number", columns[index].name);
            return Err(Error::new(ErrorKind::Config, message).with_hint("use i32 or i64"));
        }
        let mut map = Self {
            dialect,
            key: key.iter().filter_map(place).collect(),
            written: of_kind(|column| !column.generated),
            generated: of_kind(|column| column.generated),
            version,
            texts: Texts::default(),
            trend: Trend::default(),
            table,
            columns,
        };
        map.texts = map.write_texts();
        Ok(map)
    }

    fn write_texts(&self) -> Texts {
        let rows = self.rows();
        let insert = rows.insert_one(&self.written, &self.generated);
        if self.key.is_empty() {
            return Texts { insert, ..Texts::default() };
        }
        Texts {
            insert,
            select: rows.select_one(),
            update: rows.update_one(&self.others(), &self.refreshed()),
            delete: rows.delete_one(),
        }
    }

    /// Its table, to write statements about.
    pub(crate) fn rows(&self) -> TableRows<'_> {
        TableRows {
            dialect: self.dialect,
            table: &self.table,
            columns: &self.columns,
            key: &self.key,
            version: self.version,
        }
    }

    /// The columns that an update may set: no key, no version, nothing that the database makes.
    pub(crate) fn others(&self) -> Vec<usize> {
        let others = self.written.iter().copied();
        others.filter(|index| !self.key.contains(index) && Some(*index) != self.version).collect()
    }

    /// The columns that the database makes when it updates a row.
    pub(crate) fn refreshed(&self) -> Vec<usize> {
        self.generated.iter().copied().filter(|index| !self.key.contains(index)).collect()
    }

    /// The one column of the key, if the database numbers it.
    pub(crate) fn numbered(&self) -> Option<usize> {
        match self.key[..] {
            [index] if self.columns[index].generated => {
                is_integer(&self.columns[index].column_type).then_some(index)
            }
            _ => None,
        }
    }

    /// Whether the database makes a part of the key.
    pub(crate) fn makes_key(&self) -> bool {
        self.key.iter().any(|&index| self.columns[index].generated)
    }

    /// Whether equal keys are equal bytes, so that a row that comes back is known by its key.
    pub(crate) fn key_is_exact(&self) -> bool {
        let exact = |&index: &usize| {
            use ColumnType as T;
            matches!(
                self.columns[index].column_type,
                T::Bool
                    | T::Int2
                    | T::Int4
                    | T::Int8
                    | T::Text
                    | T::Varchar(_)
                    | T::Char(_)
                    | T::Bytea
                    | T::Date
                    | T::Time
                    | T::Timestamp
                    | T::TimestampTz
                    | T::Uuid
                    | T::Enum(_)
            )
        };
        !self.key.is_empty() && self.key.iter().all(exact)
    }

    /// The names of the columns of the key, for messages.
    pub(crate) fn key_names(&self) -> String {
        let names = self.key.iter().map(|&index| self.columns[index].name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }
}

fn is_integer(column_type: &ColumnType) -> bool {
    matches!(column_type, ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8)
}
