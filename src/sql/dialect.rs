//! How the same thing is spelled on different databases.

use crate::mapping::column_type::ColumnType;

/// A way to spell SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// PostgreSQL's.
    PostgreSql,
    /// SQLite's.
    Sqlite,
}

impl Dialect {
    /// The type of a column that is created for values of `column_type`.
    ///
    /// SQLite has five storage classes; what has no class of its own is kept as the text that
    /// PostgreSQL would print, so that nothing is lost: a `numeric` there is a `TEXT`.
    pub fn type_name(self, column_type: &ColumnType) -> String {
        match self {
            Self::PostgreSql => column_type.sql(),
            Self::Sqlite => match column_type {
                ColumnType::Bool => "BOOLEAN",
                ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => "INTEGER",
                ColumnType::Float4 | ColumnType::Float8 => "REAL",
                ColumnType::Bytea => "BLOB",
                _ => "TEXT",
            }
            .to_owned(),
        }
    }
}
