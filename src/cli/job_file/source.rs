//! `[source]`: what is read.

use super::files::{self, FilesSpec};
use super::section::{Field, Section};
use super::table_source::{self, Origin, TableSpec};
use crate::error::Result;

const EXPECTED: &str = "\"csv\", \"ndjson\", \"parquet\", \"table\" or \"query\"";

const KINDS: [(&str, Kind); 5] = [
    ("csv", Kind::Csv),
    ("ndjson", Kind::Ndjson),
    ("parquet", Kind::Parquet),
    ("table", Kind::Table),
    ("query", Kind::Query),
];

#[derive(Clone, Copy)]
enum Kind {
    Csv,
    Table,
    Query,
    Ndjson,
    Parquet,
}

/// What a job reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceSpec {
    /// CSV files.
    Csv(CsvSpec),
    /// A table, or a query.
    Table(TableSpec),
    /// Files with a JSON object on each line.
    Ndjson(FilesSpec),
    /// Parquet files.
    Parquet(FilesSpec),
}

impl SourceSpec {
    /// Its kind, and what is read.
    pub fn describe(&self) -> String {
        match self {
            Self::Csv(csv) => format!("csv {}", csv.files.describe()),
            Self::Ndjson(files) => format!("ndjson {}", files.describe()),
            Self::Parquet(files) => format!("parquet {}", files.describe()),
            Self::Table(spec) => match &spec.origin {
                Origin::Table(table) => format!("table {}", table.plain()),
                Origin::Query(_) => "query".to_owned(),
            },
        }
    }
}

/// CSV files, in the dialect of PostgreSQL's `COPY ... (FORMAT csv)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CsvSpec {
    /// The files.
    pub files: FilesSpec,
    /// The byte between two fields. Default: a comma.
    pub delimiter: u8,
    /// The byte around a field that contains delimiters or line ends. Default: a double quote.
    pub quote: u8,
    /// The byte before a quote that stands for itself. Default: the quote.
    pub escape: u8,
    /// The texts that mean NULL where they are not quoted. Default: only the empty text; in a list
    /// without it, an empty field is the empty text.
    pub null: Vec<String>,
    /// Whether the first line has the names of the columns. Default: true.
    pub header: bool,
}

pub(super) fn read(section: &Section<'_>) -> Result<SourceSpec> {
    // ORDER: the kind first: it decides which other keys are known.
    let kind = section.required("kind", EXPECTED)?;
    match kind.word(&KINDS)? {
        Kind::Parquet if cfg!(not(feature = "parquet")) => Err(kind.needs_feature("parquet")),
        Kind::Parquet => {
            section.allow_only(&[
                "kind",
                "path",
                "allow_empty",
                "max_spool_bytes",
                "spool_folder",
            ])?;
            files::read(section).map(SourceSpec::Parquet)
        }
        Kind::Csv => {
            allow(section, &["delimiter", "quote", "escape", "null", "header", "encoding"])?;
            csv(section).map(SourceSpec::Csv)
        }
        Kind::Ndjson => {
            allow(section, &["encoding"])?;
            files::read(section).map(SourceSpec::Ndjson)
        }
        Kind::Table => table_source::table(section).map(SourceSpec::Table),
        Kind::Query => table_source::query(section).map(SourceSpec::Table),
    }
}

/// Refuses every key but those of all files and `others`.
fn allow(section: &Section<'_>, others: &[&str]) -> Result<()> {
    section.allow_only(&[&["kind"], &files::KEYS[..], others].concat())?;
    section.optional("encoding").map_or(Ok(()), |field| check_encoding(&field))
}

fn csv(section: &Section<'_>) -> Result<CsvSpec> {
    let byte = |key: &str, default: u8| match section.optional(key) {
        Some(field) => one_byte(&field),
        None => Ok(default),
    };
    let files = files::read(section)?;
    let delimiter = byte("delimiter", b',')?;
    let quote = byte("quote", b'"')?;
    if delimiter == quote {
        return Err(section.error("delimiter", "expected another character than the quote"));
    }
    let escape = byte("escape", quote)?;
    let nulls = |field: Field<'_>| field.texts("a list of texts, for example [\"NA\"]");
    let null = section.optional("null").map_or(Ok(vec![String::new()]), nulls)?;
    let header = section.optional("header").map_or(Ok(true), |field| field.flag())?;
    Ok(CsvSpec { files, delimiter, quote, escape, null, header })
}

/// A character of one byte that is no line end: what `COPY` takes.
pub(super) fn one_byte(field: &Field<'_>) -> Result<u8> {
    let expected = "one ASCII character other than a line end";
    match field.text(expected)?.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(field.error(&format!("expected {expected}"))),
    }
}

fn check_encoding(field: &Field<'_>) -> Result<()> {
    let name = field.text("\"utf-8\"")?;
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Ok(()),
        _ => Err(field.not_built_in(&name, "\"utf-8\"")),
    }
}
