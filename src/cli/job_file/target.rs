//! `[target]`: where the rows go, and how.

use super::columns::ColumnSpec;
use super::file_target as file;
use super::section::{Section, did_you_mean};
use super::shards::{self, ShardsSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, TableName};
use crate::nearest::nearest;
use crate::sink::duplicates::OnDuplicate;
use crate::sink::file::target::FileTarget;
use crate::sink::indexes::Indexes;
use crate::sink::mode::Mode;
use std::fmt;

pub(super) const MODES: [(&str, Mode); 5] = [
    ("append", Mode::Append),
    ("insert-ignore", Mode::InsertIgnore),
    ("upsert", Mode::Upsert),
    ("mirror", Mode::Mirror),
    ("replace", Mode::Replace),
];

const DUPLICATES: [(&str, OnDuplicate); 4] = [
    ("first", OnDuplicate::First),
    ("last", OnDuplicate::Last),
    ("error", OnDuplicate::Error),
    ("reject", OnDuplicate::Reject),
];

const INDEXES: [(&str, Indexes); 2] = [("keep", Indexes::Keep), ("rebuild", Indexes::Rebuild)];

/// Where a job writes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetSpec {
    /// A table.
    Table(TargetTable),
    /// A file, or a folder of parts; its columns are those of the job.
    File(FileTarget),
}

impl TargetSpec {
    /// The shards, where the rows go to several databases.
    pub fn shards(&self) -> Option<&ShardsSpec> {
        match self {
            Self::Table(table) => table.shards.as_ref(),
            Self::File(_) => None,
        }
    }

    /// The URL of the database that has the ledger. It may contain a password: never show it.
    ///
    /// # Errors
    /// `Config` if the path of a file cannot be part of one, or there are several shards.
    pub fn url(&self) -> Result<String> {
        match self {
            Self::Table(TargetTable { shards: Some(_), .. }) => {
                Err(Error::new(ErrorKind::Config, "the target is several shards, and no database"))
            }
            Self::Table(table) => Ok(table.url.clone()),
            Self::File(file) => file.ledger_url(),
        }
    }
}

/// The table that a job writes, and how.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetTable {
    /// The URL of the database; empty where there are shards. It may contain a password: never show
    /// it.
    pub url: String,
    /// The databases over which rows are spread. Default: none.
    pub shards: Option<ShardsSpec>,
    /// The URLs of other servers, one of which may take the place of the primary. They may contain
    /// passwords. Default: none.
    pub replicas: Vec<String>,
    /// The table.
    pub table: TableName,
    /// Whether the table is created from `[columns]` if it is not there. Default: false.
    pub create: bool,
    /// How rows are written.
    pub mode: Mode,
    /// The columns that identify a row. Default: none.
    pub key: Vec<Ident>,
    /// What becomes of rows of the input with one key. Default: by the mode.
    pub duplicates: Option<OnDuplicate>,
    /// Whether `mirror` and `replace` may empty the table because the source is empty.
    /// Default: false.
    pub allow_empty_source: bool,
    /// What becomes of the indexes of a table that `replace` fills. Default: they are kept.
    pub indexes: Indexes,
}

impl fmt::Debug for TargetTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetTable")
            .field("shards", &self.shards)
            .field("table", &self.table)
            .field("create", &self.create)
            .field("mode", &self.mode)
            .field("key", &self.key)
            .field("duplicates", &self.duplicates)
            .field("indexes", &self.indexes)
            .field("allow_empty_source", &self.allow_empty_source)
            .finish_non_exhaustive()
    }
}

/// Reads the section; `url` is the one of the command line, which is taken before the file's.
pub(super) fn read(
    section: &Section<'_>,
    columns: &[ColumnSpec],
    url: Option<&str>,
) -> Result<TargetSpec> {
    match section.optional("kind").map(|kind| file::kind(&kind)).transpose()?.flatten() {
        Some(format) => file::read(section, format, columns, url).map(TargetSpec::File),
        None => table(section, columns, url).map(TargetSpec::Table),
    }
}

fn table(section: &Section<'_>, columns: &[ColumnSpec], url: Option<&str>) -> Result<TargetTable> {
    section.allow_only(&[
        "kind",
        "url",
        "replicas",
        "shards",
        "shard_key",
        "table",
        "create",
        "mode",
        "key",
        "duplicates",
        "indexes",
        "allow_empty_source",
    ])?;
    let flag = |key: &str| section.optional(key).map_or(Ok(false), |field| field.flag());
    let written = section.optional("replicas");
    let spread = section.optional("shards");
    let (url, replicas) = match url {
        given if spread.is_some() => {
            shards::alone(section, given.is_some())?;
            (String::new(), Vec::new())
        }
        // Those of the file belong to the server of the file.
        Some(url) => (url.to_owned(), Vec::new()),
        None => (read_url(section)?, written.map_or(Ok(Vec::new()), |field| field.texts(URLS))?),
    };
    let table = section.required("table", "the name of a table")?;
    let name = TableName::parse(&table.filled_text("the name of a table")?);
    let mode = section.required("mode", "append, insert-ignore, upsert, mirror or replace")?;
    let mode = mode.word(&MODES)?;
    let key = key(section, mode, columns)?;
    Ok(TargetTable {
        shards: shards::read(section, mode, &key, columns)?,
        url,
        replicas,
        table: name.map_err(|error| table.error(error.message()))?,
        create: flag("create")?,
        mode,
        duplicates: duplicates(section, &key)?,
        indexes: indexes(section, mode)?,
        key,
        allow_empty_source: flag("allow_empty_source")?,
    })
}

fn duplicates(section: &Section<'_>, key: &[Ident]) -> Result<Option<OnDuplicate>> {
    let Some(field) = section.optional("duplicates") else { return Ok(None) };
    if key.is_empty() {
        return Err(field.error("needs [target] key, the columns by which rows are told apart"));
    }
    field.word(&DUPLICATES).map(Some)
}

fn indexes(section: &Section<'_>, mode: Mode) -> Result<Indexes> {
    let Some(field) = section.optional("indexes") else { return Ok(Indexes::default()) };
    let indexes = field.word(&INDEXES)?;
    if indexes == Indexes::Rebuild && mode != Mode::Replace {
        let what = format!(
            "\"rebuild\" is for mode \"replace\", which empties the table, and not for {:?}",
            mode.name()
        );
        return Err(field.error(&what));
    }
    Ok(indexes)
}

const URLS: &str = "a list of URLs, for example [\"postgresql://etl@db2/warehouse\"]";

fn read_url(section: &Section<'_>) -> Result<String> {
    let expected = "the URL of a database, for example \"sqlite:nightly.db\"";
    section.required("url", expected)?.filled_text(expected)
}

fn key(section: &Section<'_>, mode: Mode, columns: &[ColumnSpec]) -> Result<Vec<Ident>> {
    let expected = "a list of columns, for example [\"id\"]";
    let Some(field) = section.optional("key") else {
        if mode.needs_key() {
            let what = format!("missing, mode \"{}\" needs {expected}", mode.name());
            return Err(section.error("key", &what));
        }
        return Ok(Vec::new());
    };
    let names = field.texts(expected)?;
    if names.is_empty() && mode.needs_key() {
        return Err(field.error(&format!("mode \"{}\" needs {expected}", mode.name())));
    }
    let mut key: Vec<Ident> = Vec::with_capacity(names.len());
    for name in &names {
        let Some(column) = columns.iter().find(|column| column.name.as_str() == name) else {
            let known = columns.iter().map(|column| column.name.as_str());
            let advice = nearest(name, known).map(did_you_mean).unwrap_or_default();
            return Err(field.error(&format!("{name:?} is not in [columns]{advice}")));
        };
        if key.contains(&column.name) {
            return Err(field.error(&format!("{name:?} is named twice")));
        }
        key.push(column.name.clone());
    }
    Ok(key)
}
