//! `[source]` of the kinds `table` and `query`: where the rows of a database come from.

use super::limits;
use super::section::{Field, Section};
use crate::error::Result;
use crate::ident::{Ident, TableName};
use crate::source::table::{Consistency, Partitions};
use std::fmt;
use std::time::Duration;
use toml::de::DeValue;

/// A table, or a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A table, as `table` or `schema.table`.
    Table(TableName),
    /// One statement that reads.
    Query(String),
}

/// The rows of a table or of a query.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableSpec {
    /// The URL of the database. It may contain a password: never show it. Default: the target's.
    pub url: Option<String>,
    /// The URLs of other servers of the same cluster, from which rows are read as far as they are
    /// replicas. They may contain passwords. Default: none.
    pub replicas: Vec<String>,
    /// How long a replica is waited for that does not show yet what was committed when the run
    /// began; then the primary is read. Default: 10 seconds.
    pub replica_wait: Duration,
    /// What is read.
    pub origin: Origin,
    /// The columns by which it is cut. Default: the first unique key without NULL.
    pub key: Vec<Ident>,
    /// How it is cut. Default: as fits.
    pub partitions: Partitions,
    /// What is promised while others write. Default: per batch where there is a key, else as of
    /// one snapshot.
    pub consistency: Option<Consistency>,
}

impl fmt::Debug for TableSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableSpec")
            .field("origin", &self.origin)
            .field("key", &self.key)
            .field("partitions", &self.partitions)
            .field("consistency", &self.consistency)
            .finish_non_exhaustive()
    }
}

pub(super) fn table(section: &Section<'_>) -> Result<TableSpec> {
    section.allow_only(&[&["kind", "table"], &REST[..]].concat())?;
    let field = section.required("table", "the name of a table")?;
    let name = TableName::parse(&field.filled_text("the name of a table")?);
    let name = name.map_err(|error| field.error(error.message()))?;
    rest(section, Origin::Table(name))
}

pub(super) fn query(section: &Section<'_>) -> Result<TableSpec> {
    section.allow_only(&[&["kind", "sql"], &REST[..]].concat())?;
    let expected = "one SELECT";
    let sql = section.required("sql", expected)?.filled_text(expected)?;
    let expected = "the columns of a key that the query yields, for example [\"id\"]";
    section.required("key", expected)?;
    rest(section, Origin::Query(sql))
}

/// The keys that both kinds have.
const REST: [&str; 6] = ["url", "replicas", "replica_wait", "key", "partitions", "consistency"];

const URLS: &str = "a list of URLs, for example [\"postgresql://etl@db2/crm\"]";

fn replicas(section: &Section<'_>) -> Result<(Vec<String>, Duration)> {
    let wait = section.optional("replica_wait");
    let wait = wait.map_or(Ok(Duration::from_secs(10)), |field| limits::duration(&field))?;
    let Some(field) = section.optional("replicas") else { return Ok((Vec::new(), wait)) };
    let urls = field.texts(URLS)?;
    if !urls.is_empty() && section.optional("url").is_none() {
        let what = "missing, expected the URL of the primary: it has replicas here";
        return Err(section.error("url", what));
    }
    Ok((urls, wait))
}

fn rest(section: &Section<'_>, origin: Origin) -> Result<TableSpec> {
    let url = section
        .optional("url")
        .map(|field| field.filled_text("the URL of a database, for example \"sqlite:crm.db\""))
        .transpose()?;
    let key = section.optional("key").map_or(Ok(Vec::new()), |field| key(&field))?;
    let partitions =
        section.optional("partitions").map_or(Ok(Partitions::Auto), |field| partitions(&field))?;
    let word = |field: Field<'_>| field.word(&Consistency::NAMES);
    let consistency = section.optional("consistency").map(word).transpose()?;
    let (replicas, replica_wait) = replicas(section)?;
    Ok(TableSpec { url, replicas, replica_wait, origin, key, partitions, consistency })
}

fn key(field: &Field<'_>) -> Result<Vec<Ident>> {
    let names = field.texts("a list of columns, for example [\"id\"]")?;
    if names.is_empty() {
        return Err(field.error("expected at least one column"));
    }
    names
        .into_iter()
        .map(|name| Ident::new(name).map_err(|error| field.error(error.message())))
        .collect()
}

/// A number of parts, or how to find them.
fn partitions(field: &Field<'_>) -> Result<Partitions> {
    if let DeValue::Integer(_) = field.value {
        return field.count(1, 100_000).map(|count| Partitions::AtLeast(count as u32));
    }
    field.word(&Partitions::NAMES)
}
