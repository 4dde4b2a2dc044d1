//! The columns of a Parquet file, which it tells itself.

use super::column::{From, Guessed};
use super::look::Extent;
use super::names::Names;
use super::{Found, Shape};
use crate::error::Result;
use crate::source::input::{Compression, Files};
use crate::source::parquet::{FileColumn, FileSchema};

pub(super) fn look_at(files: &Files) -> Result<Found> {
    let schema = FileSchema::of(files.clone())?;
    let mut names = Names::default();
    let columns = schema.columns.iter().map(|column| guessed(column, &mut names)).collect();
    let notes = schema.others.iter().map(|why| format!("left out: {why}")).collect();
    let extent = Extent { all: schema.rows, to_the_end: true, ..Extent::default() };
    Ok(Found { source: Shape::Parquet, compression: Compression::None, columns, notes, extent })
}

fn guessed(column: &FileColumn, names: &mut Names) -> Guessed {
    let name = names.give(&column.from);
    let from = (name != column.from).then(|| From::Field(column.from.clone()));
    Guessed {
        name,
        from,
        column_type: column.column_type.clone(),
        nulls: None,
        // It holds for every file with this schema.
        has_all: column.not_null,
        is_unique: false,
        note: None,
    }
}
