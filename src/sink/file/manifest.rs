//! What was written, for whoever reads it.

use super::part::Extent;
use super::target::FileTarget;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The manifest of an output. It says nothing of when and where it was made: the same input makes
/// the same manifest.
#[derive(Debug, Serialize)]
pub(super) struct Manifest<'a> {
    job: &'a str,
    params: &'a BTreeMap<String, String>,
    version: &'static str,
    format: &'static str,
    columns: Vec<ColumnEntry<'a>>,
    rows: u64,
    bytes: u64,
    parts: Vec<PartEntry>,
}

#[derive(Debug, Serialize)]
struct ColumnEntry<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    column_type: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct PartEntry {
    file: String,
    rows: u64,
    bytes: u64,
    sha256: String,
}

impl<'a> Manifest<'a> {
    pub(super) fn new(
        target: &'a FileTarget,
        job: &'a str,
        params: &'a BTreeMap<String, String>,
        parts: impl IntoIterator<Item = (String, Extent)>,
    ) -> Self {
        let entry = |(file, extent): (String, Extent)| {
            let Extent { rows, bytes, sha256 } = extent;
            PartEntry { file, rows, bytes, sha256 }
        };
        let parts: Vec<_> = parts.into_iter().map(entry).collect();
        let columns = target.columns.iter().map(|column| ColumnEntry {
            name: column.name.as_str(),
            column_type: column.column_type.sql(),
        });
        Self {
            job,
            params,
            version: env!("CARGO_PKG_VERSION"),
            format: target.format.name(),
            columns: columns.collect(),
            rows: parts.iter().map(|part| part.rows).sum(),
            bytes: parts.iter().map(|part| part.bytes).sum(),
            parts,
        }
    }

    pub(super) fn json(&self) -> Result<String> {
        let refused =
            |why| Error::new(ErrorKind::Internal, "the manifest is no JSON").with_source(why);
        serde_json::to_string_pretty(self).map(|json| json + "\n").map_err(refused)
    }
}

/// The names of the parts that a manifest lists; `None` if there is no manifest.
pub(super) fn parts_of(path: &Path) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Old {
        parts: Vec<PartEntry>,
    }
    let text = std::fs::read_to_string(path).ok()?;
    let old: Old = serde_json::from_str(&text).ok()?;
    // A name that leads out of its folder is none that we wrote.
    let plain = |part: PartEntry| {
        let inside = !part.file.contains(std::path::is_separator) && part.file.starts_with("part-");
        inside.then_some(part.file)
    };
    Some(old.parts.into_iter().filter_map(plain).collect())
}
