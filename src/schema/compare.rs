//! The table of an entity, held against the catalog.

use super::difference::{Difference, DifferenceKind};
use super::fits::fits;
use crate::backend::Connection;
use crate::backend::table_info::TableInfo;
use crate::error::Result;
use crate::ident::Ident;
use crate::mapping::column::{Column, Made};
use crate::mapping::reference::Reference;
use crate::mapping::table_shape::TableShape;
use crate::sql::dialect::Dialect;

/// All differences between the tables of entities and those of the database.
pub(super) fn compare(
    connection: &mut dyn Connection,
    shapes: &[TableShape],
) -> Result<Vec<Difference>> {
    let dialect = connection.capabilities().dialect;
    let mut differences = Vec::new();
    for shape in shapes {
        match connection.table_info(&shape.table)? {
            Some(info) => compare_table(dialect, shape, &info, &mut differences),
            None => {
                let missing = Difference::of_table(&shape.table, DifferenceKind::MissingTable);
                differences.push(missing);
            }
        }
    }
    Ok(differences)
}

fn compare_table(
    dialect: Dialect,
    shape: &TableShape,
    info: &TableInfo,
    differences: &mut Vec<Difference>,
) {
    for column in &shape.columns {
        let kinds = match info.column(column.name.as_str()) {
            Some(found) => compare_column(dialect, shape, info, column, found),
            None => vec![DifferenceKind::MissingColumn],
        };
        differences.extend(
            kinds.into_iter().map(|kind| Difference::of_column(&shape.table, &column.name, kind)),
        );
    }
    // A view has no indexes, and nothing can be said of what it needs.
    if info.is_table {
        differences.extend(unwritten(shape, info));
        differences.extend(indexes(shape, info));
    }
}

fn compare_column(
    dialect: Dialect,
    shape: &TableShape,
    info: &TableInfo,
    column: &Column,
    found: &Column,
) -> Vec<DifferenceKind> {
    let mut kinds = Vec::new();
    if !fits(dialect, &column.column_type, &found.column_type) {
        let (declared, found) = (column.column_type.sql(), found.column_type.sql());
        kinds.push(DifferenceKind::Type(declared, found));
    } else if !found.labels.is_empty() && !column.labels.is_empty() && found.labels != column.labels
    {
        kinds.push(DifferenceKind::Labels(column.labels.clone(), found.labels.clone()));
    }
    // SQLite's keys can be NULL unless they are declared not to be, which nobody means. What a view
    // says of NULL means nothing.
    let is_key = shape.key.contains(&column.name);
    if found.nullable && !column.nullable && info.is_table && !is_key {
        kinds.push(DifferenceKind::CanBeNull);
    }
    // A view has no foreign keys.
    if info.is_table {
        kinds.extend(reference(column.references.as_ref(), found.references.as_ref()));
    }
    if !column.generated {
        if column.nullable && !found.nullable {
            kinds.push(DifferenceKind::CannotBeNull);
        }
        if found.generated {
            kinds.push(DifferenceKind::NotWritable);
        }
    }
    kinds
}

/// How a foreign key is not what the entity says. One that the entity does not know of is no
/// difference.
fn reference(declared: Option<&Reference>, found: Option<&Reference>) -> Option<DifferenceKind> {
    let declared = declared?;
    let target = |to: &Reference| format!("{}.{}", to.table.plain(), to.column.as_str());
    let Some(found) = found else {
        return Some(DifferenceKind::MissingReference(target(declared)));
    };
    // A table that is found without its schema has none in the catalog's answer.
    let schemas = declared.table.schema.as_ref().zip(found.table.schema.as_ref());
    let same_schema = schemas.is_none_or(|(declared, found)| declared == found);
    if !same_schema || declared.table.table != found.table.table || declared.column != found.column
    {
        Some(DifferenceKind::Reference(target(declared), target(found)))
    } else if declared.on_delete == found.on_delete {
        None
    } else {
        Some(DifferenceKind::OnDelete(declared.on_delete, found.on_delete))
    }
}

/// The columns that a row of the entity leaves out, and without which there is no row.
fn unwritten(shape: &TableShape, info: &TableInfo) -> Vec<Difference> {
    let is_written = |name: &Ident| match shape.column(name) {
        // What somebody else makes is his to answer for.
        Some(column) => !column.generated || column.made == Made::Elsewhere,
        None => false,
    };
    info.columns
        .iter()
        .filter(|column| !column.nullable && column.made == Made::Nowhere)
        .filter(|column| !is_written(&column.name))
        .map(|column| Difference::of_column(&shape.table, &column.name, DifferenceKind::Unwritten))
        .collect()
}

/// The indexes that are missing, that of the key first.
fn indexes(shape: &TableShape, info: &TableInfo) -> Vec<Difference> {
    let names = |columns: &[Ident]| -> Vec<String> {
        columns.iter().map(|column| column.as_str().to_owned()).collect()
    };
    let mut kinds = Vec::new();
    let key = names(&shape.key);
    if !key.is_empty() && !info.has_unique(&key) {
        kinds.push(DifferenceKind::MissingUnique(key));
    }
    for index in &shape.indexes {
        let columns = names(&index.columns);
        let serves = |there: &Vec<String>| there.starts_with(&columns);
        if index.unique && !info.has_unique(&columns) {
            kinds.push(DifferenceKind::MissingUnique(columns));
        } else if !index.unique && !info.indexes.iter().chain(&info.unique).any(serves) {
            kinds.push(DifferenceKind::MissingIndex(columns));
        }
    }
    kinds.into_iter().map(|kind| Difference::of_table(&shape.table, kind)).collect()
}
