//! Rows as objects of JSON, one a line.

use super::target::{FileFormat, FileTarget};
use crate::error::Result;
use crate::mapping::column::Column;
use crate::mapping::rows::Fields;
use crate::mapping::text;
use std::path::Path;

/// A file of JSON objects, one a line, that a job writes; [`NdjsonFile::create`] begins one.
///
/// Each row is what PostgreSQL's `row_to_json` makes of it: numbers have all their digits, `json`
/// and `jsonb` stand as they are, times are in the form of ISO 8601, NULL is `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NdjsonFile;

impl NdjsonFile {
    /// A file at `path`; a folder of parts if `path` ends in a slash.
    pub fn create(path: impl AsRef<Path>) -> FileTarget {
        FileTarget::new(path.as_ref(), FileFormat::Ndjson)
    }
}

/// Appends a row as a line.
pub(super) fn row(columns: &[Column], fields: Fields<'_>, out: &mut String) -> Result<()> {
    for (index, (column, field)) in columns.iter().zip(fields).enumerate() {
        out.push(if index == 0 { '{' } else { ',' });
        text::push_string(column.name.as_str(), out);
        out.push(':');
        match field {
            Some(packed) => text::output_json(&column.column_type, packed, out)?,
            None => out.push_str("null"),
        }
    }
    out.push_str("}\n");
    Ok(())
}
