//! Which files a source reads: keys that CSV, NDJSON and Parquet share.

use super::section::{Field, Section};
use super::units;
use crate::error::Result;
use crate::source::input::{Compression, DEFAULT_SPOOL_BYTES};
use toml::de::DeValue;

/// The keys.
pub(super) const KEYS: [&str; 5] =
    ["path", "compression", "allow_empty", "max_spool_bytes", "spool_folder"];

/// Which files a source reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilesSpec {
    /// The file, a pattern of names, `-` for standard input, or several files in their order; a
    /// relative path begins where the command was started.
    pub paths: Vec<String>,
    /// How they are compressed. Default: as the first bytes of each say.
    pub compression: Compression,
    /// Whether a pattern may match no file. Default: false.
    pub allow_empty: bool,
    /// The most bytes of standard input that are kept in a temporary file. Default: 10 GiB.
    pub max_spool_bytes: u64,
    /// The folder of that file. Default: that of the system for temporary files.
    pub spool_folder: Option<String>,
}

impl FilesSpec {
    /// What is read, in one line.
    pub fn describe(&self) -> String {
        self.paths.join(", ")
    }
}

/// Reads the keys; all others are left to the kind of source.
pub(super) fn read(section: &Section<'_>) -> Result<FilesSpec> {
    let expected = "the path of a file";
    let path = section.required("path", expected)?;
    let paths = match path.value {
        DeValue::Array(_) => several(&path)?,
        _ => vec![path.filled_text(expected)?],
    };
    let compression = section.optional("compression");
    let compression =
        compression.map_or(Ok(Compression::Auto), |field| self::compression(&field))?;
    let allow_empty = section.optional("allow_empty").map_or(Ok(false), |field| field.flag())?;
    let max_spool_bytes = section.optional("max_spool_bytes").map(|field| spool_bytes(&field));
    let spool_folder = section.optional("spool_folder");
    Ok(FilesSpec {
        paths,
        compression,
        allow_empty,
        max_spool_bytes: max_spool_bytes.transpose()?.unwrap_or(DEFAULT_SPOOL_BYTES),
        spool_folder: spool_folder.map(|field| field.filled_text("a folder")).transpose()?,
    })
}

fn several(field: &Field<'_>) -> Result<Vec<String>> {
    let expected = "a list of files, for example [\"a.csv\", \"b.csv\"]";
    let paths = field.texts(expected)?;
    if paths.is_empty() || paths.iter().any(String::is_empty) {
        return Err(field.error(&format!("expected {expected}, found an empty one")));
    }
    if paths.len() > 1 && paths.iter().any(|path| path == "-") {
        return Err(field.error("standard input \"-\" stands alone"));
    }
    Ok(paths)
}

fn compression(field: &Field<'_>) -> Result<Compression> {
    field.word(&["auto", "none", "gzip", "zstd"].map(|name| {
        // Each of them is a name.
        (name, Compression::of_name(name).unwrap_or_default())
    }))
}

fn spool_bytes(field: &Field<'_>) -> Result<u64> {
    let expected = "a size of 1 byte or more, such as \"20GiB\"";
    match field.value {
        DeValue::Integer(_) => field.count(1, i64::MAX as u64),
        DeValue::String(text) => units::bytes(text)
            .filter(|bytes| *bytes > 0)
            .ok_or_else(|| field.error(&format!("expected {expected}"))),
        _ => Err(field.wrong_type(expected)),
    }
}
