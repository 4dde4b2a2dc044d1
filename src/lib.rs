//! Blocking, parallel, restartable batch work on PostgreSQL and SQLite.

pub mod backend;
pub mod batch;
#[cfg(feature = "cli")]
pub mod cli;
mod config;
pub mod copy;
pub mod engine;
mod error;
mod ident;
pub mod mapping;
mod nearest;
pub mod pool;
pub mod sink;
pub mod source;
pub mod sql;
mod sqlstate;
mod stop;
pub mod url;
mod workers;

pub use batch::{
    identity::Identity,
    job::{Draft, Job},
    limits::MaxRejects,
    observer::{BatchDone, Observer, PlanTotals},
    pipeline::Pipeline,
    report::{PoolReport, Report, Status},
    retry::RetryPolicy,
    write::{Append, InsertIgnore, Mirror, Replace, Upsert, Write},
};
pub use config::PoolOptions;
pub use engine::{Acquire, Engine, EngineBuilder, Intent};
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
pub use pool::{PoolStats, Pooled, QueuePool};
pub use rowmill_derive::{Entity, SqlEnum};
pub use sink::{mode::Mode, target::Target};
pub use source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
pub use source::csv::{Csv, CsvColumn, CsvColumns, CsvFormat};
pub use source::feed::{Feed, Layout};
pub use source::prepared::{Prepared, Stage};
pub use source::rows::{Iter, Refusal, Source};
pub use sql::dialect::Dialect;
pub use sqlstate::{Class, SqlState};
pub use stop::{Stop, StopToken};
