//! Creating and dropping the tables of entities.

use super::order::{Turn, by_references};
use crate::backend::Connection;
use crate::error::Result;
use crate::ident::Ident;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::table_shape::TableShape;
use crate::sql::dialect::Dialect;
use crate::sql::shape;

/// Creates all tables, in the transaction of `connection`.
pub(super) fn create(connection: &mut dyn Connection, tables: &[TableShape]) -> Result<()> {
    lock(connection)?;
    create_unlocked(connection, tables)
}

/// Creates the tables that are missing, in the transaction of `connection`.
pub(super) fn create_missing(connection: &mut dyn Connection, tables: &[TableShape]) -> Result<()> {
    lock(connection)?;
    let mut missing = Vec::new();
    for table in tables {
        if connection.table_info(&table.table)?.is_none() {
            missing.push(table.clone());
        }
    }
    create_unlocked(connection, &missing)
}

/// Drops all tables and the enums that are left without a user, in the transaction of `connection`.
pub(super) fn drop(connection: &mut dyn Connection, tables: &[TableShape]) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    lock(connection)?;
    let dialect = connection.capabilities().dialect;
    let order: Vec<_> =
        by_references(tables).iter().map(|turn| &tables[turn.table].table).collect();
    for statement in shape::drop_tables(dialect, &order) {
        connection.run(&statement)?;
    }
    if let Some(sql) = dialect.find_unused_type() {
        for (name, _) in enums(tables) {
            if is_there(connection, sql, name)? {
                connection.run(&format!("DROP TYPE {name}"))?;
            }
        }
    }
    Ok(())
}

/// All statements, for a database that has nothing yet.
pub(super) fn statements(dialect: Dialect, tables: &[TableShape]) -> Result<Vec<String>> {
    let mut statements = Vec::new();
    if dialect.find_schema().is_some() {
        statements.extend(schemas(tables).into_iter().map(create_schema));
    }
    if dialect.find_type().is_some() {
        let enums = enums(tables);
        statements.extend(enums.into_iter().map(|(name, labels)| shape::create_enum(name, labels)));
    }
    statements.extend(table_statements(dialect, tables)?);
    Ok(statements)
}

fn create_unlocked(connection: &mut dyn Connection, tables: &[TableShape]) -> Result<()> {
    let dialect = connection.capabilities().dialect;
    // What cannot be created is told before anything is.
    let statements = table_statements(dialect, tables)?;
    if let Some(sql) = dialect.find_schema() {
        for schema in schemas(tables) {
            if !is_there(connection, sql, schema.as_str())? {
                connection.run(&create_schema(schema))?;
            }
        }
    }
    if let Some(sql) = dialect.find_type() {
        for (name, labels) in enums(tables) {
            if !is_there(connection, sql, name)? {
                connection.run(&shape::create_enum(name, labels))?;
            }
        }
    }
    statements.iter().try_for_each(|statement| connection.run(statement))
}

/// The tables, in order, and at the end the foreign keys of circles.
fn table_statements(dialect: Dialect, tables: &[TableShape]) -> Result<Vec<String>> {
    let (mut statements, mut later) = (Vec::new(), Vec::new());
    for Turn { table, mut apart } in by_references(tables) {
        let table = &tables[table];
        if dialect == Dialect::Sqlite {
            // There a table may refer to one that is not there yet, and gets no foreign key later.
            apart.clear();
        }
        statements.extend(shape::create(dialect, table, &apart)?);
        later.extend(apart.iter().filter_map(|column| {
            let reference = table.column(column)?.references.as_ref()?;
            Some(shape::add_foreign_key(&table.table, column, reference))
        }));
    }
    statements.append(&mut later);
    Ok(statements)
}

fn lock(connection: &mut dyn Connection) -> Result<()> {
    match connection.capabilities().dialect.lock_schema() {
        Some(sql) => connection.run(sql),
        None => Ok(()),
    }
}

fn is_there(connection: &mut dyn Connection, sql: &str, name: &str) -> Result<bool> {
    let mut found = false;
    connection.query(sql, &[name.into()], &mut |_| {
        found = true;
        Ok(())
    })?;
    Ok(found)
}

fn create_schema(schema: &Ident) -> String {
    format!("CREATE SCHEMA {schema}")
}

/// The schemas that tables name, each once.
fn schemas(tables: &[TableShape]) -> Vec<&Ident> {
    let mut schemas: Vec<_> =
        tables.iter().filter_map(|shape| shape.table.schema.as_ref()).collect();
    schemas.sort();
    schemas.dedup();
    schemas
}

/// The enums of the columns with their labels, each once.
fn enums(tables: &[TableShape]) -> Vec<(&str, &[String])> {
    let mut enums: Vec<(&str, &[String])> = Vec::new();
    for Column { column_type, labels, .. } in tables.iter().flat_map(|shape| &shape.columns) {
        let element = match column_type {
            ColumnType::Array(element) => element,
            plain => plain,
        };
        if let ColumnType::Enum(name) = element
            && !labels.is_empty()
            && !enums.iter().any(|(known, _)| known == name)
        {
            enums.push((name, labels));
        }
    }
    enums
}
