//! What is declared of a Parquet file: compression, the size of row groups.

use crate::error::{Error, ErrorKind, Result};
use crate::sink::file::target::{FileFormat, FileTarget};
use std::path::Path;

/// A Parquet file that a job writes; [`ParquetFile::create`] begins one.
///
/// The columns have the logical types nearest to theirs, and values are exact:
///
/// | column | in the file |
/// |---|---|
/// | `boolean`, `smallint`, `integer`, `bigint`, `real`, `double precision` | the same |
/// | `numeric(p,s)` with p up to 38 and s from 0 to p | `DECIMAL(p,s)` |
/// | `date`, `time` | `DATE`, `TIME` in microseconds, local |
/// | `timestamp` | `TIMESTAMP` in microseconds, local |
/// | `timestamptz` | `TIMESTAMP` in microseconds, UTC |
/// | `uuid`, `bytea` | `UUID`, bytes |
/// | `json`, `jsonb` | `JSON` |
/// | an array | `LIST` |
/// | everything else | the text that PostgreSQL prints, as `STRING` |
///
/// Infinite dates and numbers that are none have no counterpart, nor have arrays of several
/// dimensions: such a value ends the run with its column, and a column that has them is declared as
/// `text`.
///
/// ```
/// use rowmill::{Entity, Iter, Job, ParquetFile};
/// #[derive(Entity)]
/// #[entity(table = "squares")]
/// struct Square { #[entity(key)] n: i64, square: i64 }
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("squares.parquet");
///
/// let file = ParquetFile::create(&path);
/// let report = Job::named("squares")
///     .read(Iter::new("numbers", || 1..=3_i64))
///     .map(|n| Ok(Square { n, square: n * n }))
///     .write_file(file.clone())
///     .run(&file.ledger()?)?;
/// assert_eq!(report.written, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParquetFile;

impl ParquetFile {
    /// A Parquet file at `path`; a folder of parts, each a file, if `path` ends in a slash.
    pub fn create(path: impl AsRef<Path>) -> FileTarget {
        FileTarget::new(path.as_ref(), FileFormat::Parquet(ParquetOptions::default()))
    }
}

/// How Parquet is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParquetOptions {
    /// How pages are compressed. Default: zstd.
    pub compression: ParquetCompression,
    /// The most rows of a row group, which is closed at 64 MiB of packed rows, too; and in a folder
    /// of parts at the end of each batch. Default: 100000.
    pub row_group_rows: u64,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self { compression: ParquetCompression::default(), row_group_rows: 100_000 }
    }
}

impl ParquetOptions {
    /// Checks that what is written can be read.
    ///
    /// # Errors
    /// `Config`.
    pub fn check(&self) -> Result<()> {
        if self.row_group_rows == 0 {
            return Err(Error::new(ErrorKind::Config, "a row group has at least one row"));
        }
        Ok(())
    }
}

/// How the pages of a Parquet file are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParquetCompression {
    /// With zstd.
    #[default]
    Zstd,
    /// With Snappy: larger, and read by everything.
    Snappy,
    /// Not at all.
    None,
}

impl ParquetCompression {
    /// All of them, by their names in a job file.
    pub const NAMES: [(&'static str, Self); 3] =
        [("zstd", Self::Zstd), ("snappy", Self::Snappy), ("none", Self::None)];
}
