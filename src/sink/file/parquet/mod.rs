//! Parquet files.
//!
//! - `options`: what is declared: compression, the size of row groups
//! - `schema`:  the columns of a target as those of a file
//! - `values`:  packed values as those of a column
//! - `group`:   rows that wait until they are a row group
//! - `writer`:  a file that is being written
//!
//! A folder of parts has one whole file for each batch. A single file cannot be made of others by
//! joining their bytes, and its row groups are larger than batches: so its parts are packed rows,
//! and the end of the job makes row groups of them. What it writes depends on the rows alone, so
//! doing the end again makes the same bytes.
//!
//! Columns are written one after the other, so a row group is in memory while it is written: its
//! packed rows, at most [`MOST_GROUP_BYTES`] of them, and the pages of one column.

mod group;
mod options;
mod schema;
mod values;
mod writer;

pub use group::MOST_GROUP_BYTES;
pub use options::{ParquetCompression, ParquetFile, ParquetOptions};
pub(super) use values::misfits;
pub(super) use writer::{assemble, packed, whole};
