//! The declared columns held against the catalog's.

use super::target::Target;
use crate::backend::Connection;
use crate::backend::table_info::TableInfo;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::layout::Layout;
use crate::sql::dialect::Dialect;

/// The layout in which rows are packed for a target whose table is `info`, or is created from the
/// declared columns where there is no table yet. `rewrites` says that the database may change a row
/// before it checks it: then a NULL may be none any more.
///
/// # Errors
/// `Schema` if the table is missing and not to be created, or does not fit: a column is missing, is
/// made by the database, has another type, or has neither a value nor a default; the key is not
/// unique; `replace` would touch what points to the table.
pub fn layout(
    target: &Target,
    info: Option<&TableInfo>,
    dialect: Dialect,
    rewrites: bool,
) -> Result<Layout> {
    let key = target.key_positions();
    let Some(info) = info else {
        return new_table(target);
    };
    check_table(target, info)?;
    let columns = target.columns.iter().map(|declared| {
        let mut column = column(target, info, dialect, declared)?;
        column.nullable |= rewrites && declared.nullable;
        Ok(column)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    if !rewrites {
        check_unmentioned(target, info)?;
    }
    Ok(Layout::new(with_key(columns, &key), key))
}

/// Refuses what is declared of duplicates where rows of one key could not be told.
///
/// # Errors
/// `Config` without a key; `Schema` where the table takes keys of other bytes as equal, by a collation
/// that ignores case, say; `Database` or `Disconnect`.
pub(super) fn check_duplicates(target: &Target, connection: &mut dyn Connection) -> Result<()> {
    if target.key.is_empty() {
        let message = "rows are duplicates by their key, and no key is declared";
        return Err(Error::new(ErrorKind::Config, message).with_hint("declare one"));
    }
    let dialect = connection.capabilities().dialect;
    let name = match dialect {
        Dialect::PostgreSql => target.table.to_string(),
        Dialect::Sqlite => target.table.plain(),
    };
    let mut loose = Vec::new();
    connection.query(dialect.loose_columns(), &[name.as_str().into()], &mut |row| {
        loose.push(String::unpack(row.cell(0)?)?);
        Ok(())
    })?;
    match target.key.iter().find(|name| loose.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let message =
                "its key takes different texts as equal, so that duplicates cannot be told";
            Err(at(refused(target, message).with_hint("leave duplicates out"), name))
        }
    }
}

/// The layout for a table that is created from the declared columns.
///
/// # Errors
/// `Schema` if it is not to be created.
pub fn new_table(target: &Target) -> Result<Layout> {
    if !target.create {
        return Err(refused(target, "the table does not exist")
            .with_hint("create it, or say create = true"));
    }
    let key = target.key_positions();
    Ok(Layout::new(with_key(target.columns.clone(), &key), key))
}

fn with_key(mut columns: Vec<Column>, key: &[usize]) -> Vec<Column> {
    for &index in key {
        columns[index].nullable = false;
    }
    columns
}

fn check_table(target: &Target, info: &TableInfo) -> Result<()> {
    if !info.is_table {
        return Err(refused(target, "not a table, but a view or the like")
            .with_hint("name the table that is behind it"));
    }
    if target.mode.needs_key() && !info.has_unique(&target.key) {
        let message = format!("no unique index is on exactly the key ({})", target.key.join(", "));
        return Err(refused(target, message)
            .with_hint("create one, for instance as the primary key, or name another key"));
    }
    let replaced = target.mode == super::mode::Mode::Replace;
    if replaced && !info.referenced_by.is_empty() {
        let message = format!("foreign keys point to it ({})", info.referenced_by.join(", "));
        return Err(refused(target, message).with_hint(
            "mode replace would delete what they point to; use mode mirror with a key",
        ));
    }
    Ok(())
}

fn column(
    target: &Target,
    info: &TableInfo,
    dialect: Dialect,
    declared: &Column,
) -> Result<Column> {
    let name = declared.name.as_str();
    let Some(actual) = info.column(name) else {
        return Err(at(refused(target, format!("it has no column {name:?}")), name));
    };
    if actual.generated {
        let message = format!("the database itself makes the values of column {name:?}");
        return Err(at(refused(target, message).with_hint("leave the column out"), name));
    }
    let Some(column_type) = fitting(dialect, &declared.column_type, &actual.column_type) else {
        let message = format!(
            "the type is {} in the table and {} in the job",
            actual.column_type, declared.column_type
        );
        let hint = "declare the column as it is, or change the table";
        return Err(at(refused(target, message).with_hint(hint), name));
    };
    let mut column = Column::new(actual.name.clone(), column_type);
    column.nullable = actual.nullable && declared.nullable;
    column.labels.clone_from(&actual.labels);
    Ok(column)
}

fn check_unmentioned(target: &Target, info: &TableInfo) -> Result<()> {
    let mentioned = |column: &Column| target.columns.iter().any(|mine| mine.name == column.name);
    let needed = info.columns.iter().find(|column| {
        let given = column.nullable || column.generated;
        !given
            && !mentioned(column)
            && !info.defaults.iter().any(|name| name == column.name.as_str())
    });
    let Some(column) = needed else { return Ok(()) };
    let name = column.name.as_str();
    let message =
        format!("its column {name:?} has neither a default nor NULL, and the job does not name it");
    Err(at(refused(target, message), name))
}

/// The type in which values declared as one type are packed for a column of another; `None` if
/// some could be lost.
fn fitting(dialect: Dialect, declared: &ColumnType, actual: &ColumnType) -> Option<ColumnType> {
    use ColumnType::{
        Bool, Char, Enum, Float4, Float8, Int2, Int4, Int8, Json, Jsonb, Numeric, Other, Text,
        Varchar,
    };
    if dialect == Dialect::Sqlite {
        // SQLite keeps the value as it comes; what is declared says more than its column does.
        let same = dialect.type_name(declared) == dialect.type_name(actual);
        let truth = matches!((declared, actual), (Bool, Int2 | Int4 | Int8));
        return (same || truth).then(|| declared.clone());
    }
    let fits = declared == actual
        || match (declared, actual) {
            (Int2, Int4 | Int8 | Numeric(None) | Float4 | Float8)
            | (Int4, Int8 | Numeric(None) | Float8)
            | (Int8 | Numeric(Some(_)), Numeric(None))
            | (Float4, Float8)
            | (Numeric(None), Numeric(Some(_)))
            | (Text, Varchar(_) | Char(_) | Enum(_) | Other(_))
            | (Varchar(_) | Char(_), Text | Varchar(None))
            | (Varchar(None), Varchar(_) | Char(_))
            | (Enum(_), Enum(_))
            // A domain: its base type is what the table has, and a value that is none of that type
            // is refused when it is packed.
            | (Other(_), _)
            | (Json, Jsonb) => true,
            (Varchar(Some(mine)), Varchar(Some(theirs))) => theirs >= mine,
            (Numeric(Some((p, s))), Numeric(Some((theirs, scale)))) => {
                scale >= s
                    && i32::from(*theirs) - i32::from(*scale) >= i32::from(*p) - i32::from(*s)
            }
            (ColumnType::Array(mine), ColumnType::Array(theirs)) => {
                return fitting(dialect, mine, theirs)
                    .map(|element| ColumnType::Array(Box::new(element)));
            }
            _ => false,
        };
    fits.then(|| actual.clone())
}

pub(super) fn refused(target: &Target, message: impl Into<String>) -> Error {
    let table = target.table.plain();
    Error::new(ErrorKind::Schema, message).locate(|place| place.table = Some(table))
}

fn at(error: Error, column: &str) -> Error {
    error.locate(|place| place.column = Some(column.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{Ident, TableName};
    use crate::sink::mode::Mode;

    fn column(name: &str, sql: &str) -> Column {
        Column::new(Ident::new(name).unwrap(), ColumnType::parse(sql).unwrap())
    }

    fn target(mode: Mode) -> Target {
        let columns = vec![column("id", "integer"), column("name", "text")];
        Target::new(TableName::parse("t").unwrap(), columns, vec!["id".into()], mode).unwrap()
    }

    fn info(columns: Vec<Column>) -> TableInfo {
        let mut info = TableInfo::new(columns);
        info.unique = vec![vec!["id".into()]];
        info
    }

    fn refusal(target: &Target, info: &TableInfo) -> String {
        layout(target, Some(info), Dialect::PostgreSql, false).unwrap_err().to_string()
    }

    #[test]
    fn rows_are_packed_as_the_wider_type_of_the_table() {
        let info = info(vec![column("name", "varchar(9)"), column("id", "bigint").not_null()]);
        let layout =
            layout(&target(Mode::Upsert), Some(&info), Dialect::PostgreSql, false).unwrap();
        assert_eq!(layout.columns[0], column("id", "bigint").not_null());
        assert_eq!(layout.columns[1], column("name", "varchar(9)"));
        assert_eq!(layout.key, [0]);
    }

    #[test]
    fn a_type_that_could_lose_values_is_refused_by_name() {
        let narrow = info(vec![column("id", "smallint"), column("name", "text")]);
        assert_eq!(
            refusal(&target(Mode::Append), &narrow),
            "the type is smallint in the table and integer in the job [table t, column id]: \
             declare the column as it is, or change the table"
        );
        let other = info(vec![column("id", "integer"), column("name", "date")]);
        assert!(refusal(&target(Mode::Append), &other).contains("is date in the table"));
    }

    #[test]
    fn a_key_without_a_unique_index_is_refused() {
        let mut info = info(vec![column("id", "integer"), column("name", "text")]);
        info.unique = vec![vec!["id".into(), "name".into()]];
        assert!(refusal(&target(Mode::Upsert), &info).contains("no unique index"));
        assert!(layout(&target(Mode::Append), Some(&info), Dialect::PostgreSql, false).is_ok());
    }

    #[test]
    fn replace_is_refused_where_foreign_keys_point_to_the_table() {
        let mut info = info(vec![column("id", "integer"), column("name", "text")]);
        info.referenced_by = vec!["orders_t_fkey".into()];
        assert!(refusal(&target(Mode::Replace), &info).contains("orders_t_fkey"));
        assert!(layout(&target(Mode::Mirror), Some(&info), Dialect::PostgreSql, false).is_ok());
    }

    #[test]
    fn a_needed_column_that_the_job_does_not_name_is_refused() {
        let mut info = info(vec![
            column("id", "integer"),
            column("name", "text"),
            column("made", "date").not_null(),
        ]);
        assert!(refusal(&target(Mode::Append), &info).contains("\"made\" has neither"));
        info.defaults = vec!["made".into()];
        assert!(layout(&target(Mode::Append), Some(&info), Dialect::PostgreSql, false).is_ok());
    }

    #[test]
    fn where_a_trigger_may_fill_a_column_the_database_decides() {
        let mut info = info(vec![
            column("id", "integer").not_null(),
            column("name", "text").not_null(),
            column("made", "date").not_null(),
        ]);
        info.unique = vec![vec!["id".into()]];
        let target = target(Mode::Append);
        let layout = layout(&target, Some(&info), Dialect::PostgreSql, true).unwrap();
        assert!(!layout.columns[0].nullable && layout.columns[1].nullable);
    }

    #[test]
    fn a_missing_table_is_created_only_where_the_job_says_so() {
        let mut target = target(Mode::Append);
        let error = layout(&target, None, Dialect::Sqlite, false).unwrap_err();
        assert!(error.to_string().contains("does not exist"));
        target.create = true;
        let layout = layout(&target, None, Dialect::Sqlite, false).unwrap();
        assert!(!layout.columns[0].nullable && layout.columns[1].nullable);
    }

    #[test]
    fn on_sqlite_the_declared_type_is_kept_where_the_storage_is_the_same() {
        let declared = ColumnType::parse("numeric(15,2)").unwrap();
        assert_eq!(fitting(Dialect::Sqlite, &declared, &ColumnType::Text), Some(declared.clone()));
        assert_eq!(fitting(Dialect::Sqlite, &declared, &ColumnType::Int8), None);
    }
}
