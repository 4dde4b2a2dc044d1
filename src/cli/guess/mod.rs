//! `rowmill guess`: a job file for a file.
//!
//! - `dialect`:  how a CSV file is written
//! - `header`:   whether its first line names the fields
//! - `csv`:      the columns of a CSV file
//! - `ndjson`:   those of JSON objects
//! - `parquet`:  those of a Parquet file, which it tells itself
//! - `look`:     the rows that are looked at
//! - `observed`: what the values of one column are like
//! - `kinds`:    the types that a text can be a value of
//! - `column`:   from that to a column of the job
//! - `names`:    names for columns and tables
//! - `print`:    the job file
//!
//! What is printed loads the rows that were looked at. Whatever is uncertain is said in a comment,
//! and no value of a row is printed.

mod column;
mod csv;
mod dialect;
mod header;
mod kinds;
mod look;
mod names;
mod ndjson;
mod observed;
#[cfg(feature = "parquet")]
mod parquet;
mod print;

use super::args::GuessArguments;
use super::console::Console;
use super::exit::Exit;
use crate::error::{Locate, Result};
use crate::source::input::{Compression, Files};
use crate::url::DatabaseUrl;
use column::Guessed;
use look::Extent;

/// The beginning of a file shows how it is written.
const HEAD_BYTES: u64 = 1 << 20;

/// What was found out about a file.
struct Found {
    source: Shape,
    compression: Compression,
    columns: Vec<Guessed>,
    /// What cannot be a column, or is odd, in words.
    notes: Vec<String>,
    extent: Extent,
}

/// How the rows of a file are written.
enum Shape {
    Csv {
        dialect: dialect::Dialect,
        header: bool,
        nulls: Vec<String>,
    },
    Ndjson,
    #[cfg(feature = "parquet")]
    Parquet,
}

pub(super) fn guess(arguments: &GuessArguments, console: Console) -> Result<Exit> {
    if let Some(url) = &arguments.target {
        DatabaseUrl::parse(url)?;
    }
    let path = &arguments.file;
    let files = Files::from(path);
    let found = look_at(&files).locate(|place| place.file = Some(path.display().to_string()))?;
    console.answer(&print::job_file(&found, arguments))?;
    Ok(Exit::Complete)
}

fn look_at(files: &Files) -> Result<Found> {
    let (head, compression) = files.beginning(HEAD_BYTES)?;
    if head.starts_with(b"PAR1") {
        return parquet(files);
    }
    let mut found = match ndjson::is_object(&head) {
        true => ndjson::look_at(files)?,
        false => csv::look_at(files, &head)?,
    };
    found.compression = compression;
    Ok(found)
}

#[cfg(feature = "parquet")]
fn parquet(files: &Files) -> Result<Found> {
    parquet::look_at(files)
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &Files) -> Result<Found> {
    use crate::error::{Error, ErrorKind};
    Err(Error::new(ErrorKind::Unsupported, "the file is Parquet, which is not built in")
        .with_hint("build rowmill with the feature parquet"))
}
