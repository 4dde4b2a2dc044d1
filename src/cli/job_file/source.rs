//! `[source]`: what is read.

use super::section::{Field, Section};
use super::table_source::{self, TableSpec};
use crate::error::Result;

const KINDS: [(&str, Kind); 5] = [
    ("csv", Kind::Csv),
    ("ndjson", Kind::Later("ndjson")),
    ("parquet", Kind::Later("parquet")),
    ("table", Kind::Table),
    ("query", Kind::Query),
];

#[derive(Clone, Copy)]
enum Kind {
    Csv,
    Table,
    Query,
    Later(&'static str),
}

/// What a job reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceSpec {
    /// A CSV file.
    Csv(CsvSpec),
    /// A table, or a query.
    Table(TableSpec),
}

/// A CSV file, in the dialect of PostgreSQL's `COPY ... (FORMAT csv)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CsvSpec {
    /// The file; a relative path begins where the command was started.
    pub path: String,
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
    let kind = section.required("kind", "\"csv\", \"table\" or \"query\"")?;
    match kind.word(&KINDS)? {
        Kind::Csv => (),
        Kind::Table => return table_source::table(section).map(SourceSpec::Table),
        Kind::Query => return table_source::query(section).map(SourceSpec::Table),
        Kind::Later(name) => {
            return Err(kind.not_built_in(name, "\"csv\", \"table\" or \"query\""));
        }
    }
    section.allow_only(&[
        "kind",
        "path",
        "delimiter",
        "quote",
        "escape",
        "null",
        "header",
        "encoding",
    ])?;
    if let Some(encoding) = section.optional("encoding") {
        check_encoding(&encoding)?;
    }
    csv(section).map(SourceSpec::Csv)
}

fn csv(section: &Section<'_>) -> Result<CsvSpec> {
    let byte = |key: &str, default: u8| match section.optional(key) {
        Some(field) => one_byte(&field),
        None => Ok(default),
    };
    let path = section.required("path", "the path of a file")?.filled_text("the path of a file")?;
    let delimiter = byte("delimiter", b',')?;
    let quote = byte("quote", b'"')?;
    if delimiter == quote {
        return Err(section.error("delimiter", "expected another character than the quote"));
    }
    let escape = byte("escape", quote)?;
    let nulls = |field: Field<'_>| field.texts("a list of texts, for example [\"NA\"]");
    let null = section.optional("null").map_or(Ok(vec![String::new()]), nulls)?;
    let header = section.optional("header").map_or(Ok(true), |field| field.flag())?;
    Ok(CsvSpec { path, delimiter, quote, escape, null, header })
}

/// A character of one byte that is no line end: what `COPY` takes.
fn one_byte(field: &Field<'_>) -> Result<u8> {
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
