//! A table as a struct.

use super::enumeration::{Enumeration, name_of};
use super::field::Field;
use super::names::{Names, commented, literal};
use super::rust_type::{RustType, TimeTypes};
use crate::backend::table_info::TableInfo;
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::reference::Reference;

/// How many columns a [`Key`](crate::mapping::key::Key) can have.
const MAX_KEY_COLUMNS: usize = 4;

/// A table that is written as a struct.
#[derive(Debug)]
pub(super) struct EntityText<'a> {
    /// Its name in Rust.
    pub(super) rust: String,
    pub(super) table: &'a TableName,
    fields: Vec<Field<'a>>,
    /// The columns of which there is no Rust type.
    left_out: Vec<&'a Column>,
    /// `unique(a, b)` and `index(a, b)`.
    indexes: Vec<String>,
}

/// The tables that are written, by their Rust names.
pub(super) type Written<'a> = [(String, &'a TableName, &'a TableInfo)];

impl<'a> EntityText<'a> {
    pub(super) fn new(
        (rust, table, info): &(String, &'a TableName, &'a TableInfo),
        written: &Written<'a>,
        enumerations: &[Enumeration],
        times: TimeTypes,
    ) -> Self {
        let key = key_of(info);
        let mut columns: Vec<_> = info.columns.iter().collect();
        // The order of the struct is that of the key.
        columns.sort_by_key(|column| {
            key.iter().position(|name| name == column.name.as_str()).unwrap_or(usize::MAX)
        });
        let (mut fields, mut left_out, mut names) = (Vec::new(), Vec::new(), Names::default());
        for column in columns {
            let Some(rust) = rust_type(column, info, enumerations, times) else {
                left_out.push(column);
                continue;
            };
            fields.push(Field {
                name: names.field(column.name.as_str()),
                column,
                rust,
                is_key: key.iter().any(|name| name == column.name.as_str()),
                index: index_of(info, key, column.name.as_str()),
                target: column.references.as_ref().and_then(|to| target(to, written)),
            });
        }
        let indexes = shared_indexes(info, key, &fields);
        Self { rust: rust.clone(), table, fields, left_out, indexes }
    }

    /// The features of rowmill that its types need.
    pub(super) fn features(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter_map(|field| field.rust.feature)
    }

    /// Its source.
    pub(super) fn source(&self) -> Vec<String> {
        let Self { rust, table, indexes, .. } = self;
        let mut attributes = vec![format!("table = {}", literal(&table.plain()))];
        attributes.extend(indexes.iter().cloned());
        let mut lines = vec![
            format!("/// A row of `{}`.", commented(&table.plain())),
            "#[derive(Clone, Debug, PartialEq, Entity)]".to_owned(),
        ];
        lines.extend(attributes.iter().map(|attribute| format!("#[entity({attribute})]")));
        lines.push(format!("pub struct {rust} {{"));
        lines.extend(self.fields.iter().flat_map(Field::source));
        lines.extend(self.left_out.iter().map(|column| {
            let name = commented(column.name.as_str());
            format!("    // Left out, since no Rust type holds a {}: {name}", column.column_type)
        }));
        lines.push("}".to_owned());
        lines
    }
}

/// The columns that tell one row from all others: the primary key, else the first unique index
/// whose columns are never NULL.
fn key_of(info: &TableInfo) -> &[String] {
    let is_never_null = |columns: &&Vec<String>| {
        columns.iter().all(|name| info.column(name).is_some_and(|column| !column.nullable))
    };
    let key = if info.key.is_empty() {
        info.unique.iter().find(is_never_null).map_or(&[][..], Vec::as_slice)
    } else {
        &info.key
    };
    // A longer key is unique all the same, but no tuple.
    if key.len() > MAX_KEY_COLUMNS { &[] } else { key }
}

fn rust_type(
    column: &Column,
    info: &TableInfo,
    enumerations: &[Enumeration],
    times: TimeTypes,
) -> Option<RustType> {
    let name = name_of(&column.column_type);
    let enumeration = enumerations.iter().find(|known| Some(known.sql.as_str()) == name);
    let rust = enumeration.map(|known| known.rust.as_str());
    let mut found = RustType::of(&column.column_type, times, rust)?;
    // The length that the database does not hold it to.
    let length = info.lengths.iter().find(|(name, _)| name == column.name.as_str());
    if let Some((_, length)) = length {
        found.attribute.get_or_insert_with(|| format!("length = {length}"));
    }
    Some(found)
}

fn index_of(info: &TableInfo, key: &[String], column: &str) -> Option<&'static str> {
    let alone = |columns: &Vec<String>| *columns == [column] && *columns != key;
    if info.unique.iter().any(alone) {
        return Some("unique");
    }
    info.indexes.iter().any(alone).then_some("index")
}

fn shared_indexes(info: &TableInfo, key: &[String], fields: &[Field<'_>]) -> Vec<String> {
    let unique = info.unique.iter().map(|columns| ("unique", columns));
    let plain = info.indexes.iter().map(|columns| ("index", columns));
    let shared = unique.chain(plain).filter(|(_, columns)| columns.len() > 1 && *columns != key);
    shared
        .filter_map(|(kind, columns)| {
            let name = |column: &String| {
                let field = fields.iter().find(|field| field.column.name.as_str() == column)?;
                Some(field.name.clone())
            };
            let names = columns.iter().map(name).collect::<Option<Vec<_>>>()?;
            Some(format!("{kind}({})", names.join(", ")))
        })
        .collect()
}

/// The entity that a foreign key refers to, where it is written too and its key is that column.
fn target(reference: &Reference, written: &Written<'_>) -> Option<String> {
    let Reference { table, column, .. } = reference;
    let is_key = |info: &TableInfo, column: &Ident| key_of(info) == [column.as_str()];
    let found = written.iter().find(|(_, name, info)| *name == table && is_key(info, column));
    found.map(|(rust, ..)| rust.clone())
}
