//! Reading the catalog.

use super::entity::EntityText;
use super::enumeration::{Enumeration, name_of};
use super::names::Names;
use super::rust_type::TimeTypes;
use crate::backend::Connection;
use crate::backend::table_info::TableInfo;
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use std::collections::BTreeSet;

/// The Rust source of the entities of tables that are there: a start for a program that meets a
/// database.
///
/// The key is the primary key, else the first unique index without NULL. A column with a default
/// that is the same for every row is written; one that is numbered, or has a default that is made
/// for each row, is `generated` or a `default`. What an entity cannot say (foreign keys of several
/// columns, indexes over expressions) is left out.
///
/// ```
/// use rowmill::{Engine, EntitySource, TableName};
///
/// let engine = Engine::open("sqlite::memory:")?;
/// engine.run("create table artists (id integer primary key, name varchar(160) unique)")?;
/// let source = EntitySource::new().named(TableName::parse("artists")?, "Artist").read(&engine)?;
/// assert!(source.ends_with(
///     r#"#[entity(table = "artists")]
/// pub struct Artist {
///     #[entity(key, generated)]
///     pub id: i64,
///     #[entity(length = 160, unique)]
///     pub name: Option<String>,
/// }
/// "#
/// ));
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct EntitySource {
    tables: Vec<(TableName, Option<String>)>,
    times: TimeTypes,
}

impl EntitySource {
    /// The source of no table.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same source with one more table, whose struct is called like it: `LineItem` for
    /// `line_item`.
    #[must_use]
    pub fn table(mut self, table: TableName) -> Self {
        self.tables.push((table, None));
        self
    }

    /// The same source with one more table, whose struct is called `name`.
    #[must_use]
    pub fn named(mut self, table: TableName, name: impl Into<String>) -> Self {
        self.tables.push((table, Some(name.into())));
        self
    }

    /// The same source with dates and times of another crate. Default: `jiff`.
    #[must_use]
    pub fn times(mut self, times: TimeTypes) -> Self {
        self.times = times;
        self
    }

    /// Reads the catalog and writes the source. It compiles where rowmill has the features that
    /// its first line names, and the tables are as it says.
    ///
    /// # Errors
    /// `Schema` if there is no such table; `Unsupported` if it has a name with a dot, or no column
    /// that a Rust type could hold; `Database` or `Disconnect`; as [`Executor::with`].
    #[track_caller]
    pub fn read(&self, on: &impl Executor) -> Result<String> {
        let infos: Vec<_> = on.with(Intent::Read, |connection| {
            self.tables.iter().map(|(table, _)| table_info(connection, table)).collect()
        })?;
        Ok(self.write(&infos))
    }

    fn write(&self, infos: &[TableInfo]) -> String {
        let mut names = Names::default();
        let written: Vec<_> = self
            .tables
            .iter()
            .zip(infos)
            .map(|((table, name), info)| {
                let name = name.as_deref().unwrap_or_else(|| table.table.as_str());
                (names.of_type(name), table, info)
            })
            .collect();
        let enumerations = enumerations(infos, &mut names);
        let entities: Vec<_> = written
            .iter()
            .map(|one| EntityText::new(one, &written, &enumerations, self.times))
            .collect();
        let features: BTreeSet<_> = entities.iter().flat_map(EntityText::features).collect();
        let mut parts = vec![head(&features, !enumerations.is_empty())];
        parts.extend(enumerations.iter().map(Enumeration::source));
        parts.extend(entities.iter().map(EntityText::source));
        let parts: Vec<_> = parts.into_iter().map(|lines| lines.join("\n") + "\n").collect();
        parts.join("\n")
    }
}

fn table_info(connection: &mut dyn Connection, table: &TableName) -> Result<TableInfo> {
    let parts = [table.schema.as_ref(), Some(&table.table)];
    if parts.into_iter().flatten().any(|part| part.as_str().contains('.')) {
        let message = format!("{}: an entity cannot have a name with a dot", table.plain());
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    match connection.table_info(table)? {
        None => {
            let message = format!("there is no table {}", table.plain());
            Err(Error::new(ErrorKind::Schema, message)
                .with_hint("name it with its schema, and as it is spelled in the catalog"))
        }
        Some(info) if info.columns.is_empty() => {
            let message = format!("the table {} has no columns", table.plain());
            Err(Error::new(ErrorKind::Unsupported, message))
        }
        Some(info) => Ok(info),
    }
}

/// The enums of all columns, each once.
fn enumerations(infos: &[TableInfo], names: &mut Names) -> Vec<Enumeration> {
    let mut enumerations: Vec<Enumeration> = Vec::new();
    for column in infos.iter().flat_map(|info| &info.columns) {
        let is_known = enumerations
            .iter()
            .any(|known| Some(known.sql.as_str()) == name_of(&column.column_type));
        if !is_known {
            enumerations.extend(Enumeration::of(column, names));
        }
    }
    enumerations
}

fn head(features: &BTreeSet<&'static str>, has_enums: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if !features.is_empty() {
        let features: Vec<_> = features.iter().copied().collect();
        lines.push(format!("// Features of rowmill: {}.", features.join(", ")));
    }
    let import = if has_enums { "use rowmill::{Entity, SqlEnum};" } else { "use rowmill::Entity;" };
    lines.push(import.to_owned());
    lines
}
