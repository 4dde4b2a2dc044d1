//! Blocking, parallel, restartable batch work on PostgreSQL and SQLite.

pub mod backend;
pub mod copy;
mod error;
mod ident;
pub mod mapping;
mod nearest;
pub mod source;
pub mod sql;
mod sqlstate;
mod stop;
pub mod url;

pub use error::{Error, ErrorKind, Locate, Place, Result};
pub use ident::{Ident, MAX_IDENT_BYTES, TableName};
pub use mapping::{
    cell::{Cell, CellRef},
    column::Column,
    column_type::ColumnType,
    entity::Entity,
    param::Param,
    rows::{RowWriter, Rows},
};
pub use nearest::nearest;
pub use rowmill_derive::{Entity, SqlEnum};
pub use sql::dialect::Dialect;
pub use sqlstate::{Class, SqlState};
pub use stop::{Stop, StopToken};
