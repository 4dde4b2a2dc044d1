//! What the catalog says of a table.

use super::connection::PostgresConnection;
use crate::backend::postgres::statement::types;
use crate::backend::table_info::TableInfo;
use crate::error::Result;
use crate::ident::{Ident, TableName};
use crate::mapping::column::{Column, Made};
use crate::mapping::column_type::ColumnType;
use crate::mapping::reference::{OnDelete, Reference};
use postgres::Row;
use postgres::types::Type;

/// One row per column, or one without a column for a table that has none. `walk` goes from the
/// domain of a column to its base type and collects what each domain on the way adds.
const COLUMNS: &str = "
WITH RECURSIVE rel AS (
    SELECT oid, relkind FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)
), walk AS (
    SELECT a.attnum, a.atttypid AS typ, a.atttypmod AS modifier, a.attnotnull AS strict,
           NULL::text COLLATE \"C\" AS default_value
    FROM pg_catalog.pg_attribute a JOIN rel ON a.attrelid = rel.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT w.attnum, t.typbasetype,
           CASE WHEN w.modifier = -1 THEN t.typtypmod ELSE w.modifier END,
           w.strict OR t.typnotnull, coalesce(w.default_value, t.typdefault COLLATE \"C\")
    FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ AND t.typtype = 'd'
)
SELECT rel.relkind IN ('r', 'p') AS is_table, a.attname::text, w.typ, w.modifier, w.strict,
       coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), w.default_value) AS default_value,
       a.attidentity <> '' AS is_identity, a.attgenerated <> '' AS is_computed,
       a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
       t.typtype = 'e' AS is_enum,
       ARRAY(SELECT l.enumlabel::text FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid
             ORDER BY l.enumsortorder) AS labels, tn.nspname::text, t.typname::text,
       e.oid AS element, e.typtype = 'e' AS of_enums, en.nspname::text AS element_schema, e.typname::text AS element_name
FROM rel
LEFT JOIN (
    pg_catalog.pg_attribute a
    JOIN walk w ON w.attnum = a.attnum
    JOIN pg_catalog.pg_type t ON t.oid = w.typ AND t.typtype <> 'd'
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
    LEFT JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace
) ON a.attrelid = rel.oid
ORDER BY a.attnum";

/// Unique indexes that hold for all rows at all times (a deferred one cannot decide a conflict) and
/// other B-tree indexes that do, with their key columns only.
const INDEXES: &str = "
SELECT i.indisunique AS is_unique, i.indisprimary AS is_primary,
       ARRAY(SELECT a.attname::text
             FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam
WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisvalid AND i.indisready
      AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
      AND (i.indisunique OR m.amname = 'btree')
ORDER BY NOT i.indisprimary, i.indexrelid";

/// The foreign keys of other tables that point here, those of a partitioned table once and not
/// again for each of its partitions; and those of one column that point from here. The schema of a
/// table that is found without it is left out.
const FOREIGN_KEYS: &str = "
SELECT c.conname::text AS name, NULL::text AS column_name, NULL::text AS target_schema,
       NULL::text AS target, NULL::text AS target_column, c.confdeltype::text AS on_delete, c.oid
FROM pg_catalog.pg_constraint c
LEFT JOIN pg_catalog.pg_constraint whole
       ON whole.oid = c.conparentid AND whole.confrelid = c.confrelid
WHERE c.confrelid = pg_catalog.to_regclass($1) AND c.contype = 'f' AND whole.oid IS NULL
      AND c.conrelid <> c.confrelid
UNION ALL
SELECT NULL, a.attname::text,
       CASE WHEN pg_catalog.pg_table_is_visible(t.oid) THEN NULL ELSE n.nspname::text END,
       t.relname::text, b.attname::text, c.confdeltype::text, c.oid
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class t ON t.oid = c.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
WHERE c.conrelid = pg_catalog.to_regclass($1) AND c.contype = 'f'
      AND pg_catalog.cardinality(c.conkey) = 1
ORDER BY oid";

/// Reads the catalog; see [`Connection::table_info`](crate::backend::Connection::table_info).
pub(super) fn table_info(
    connection: &mut PostgresConnection,
    table: &TableName,
) -> Result<Option<TableInfo>> {
    let name = table.to_string();
    let mut ask = |sql: &str| {
        connection.with_client(|client, _| client.query_typed(sql, &[(&name, Type::TEXT)]))
    };
    let columns = ask(COLUMNS)?;
    let Some(first) = columns.first() else { return Ok(None) };
    let mut info = TableInfo::new(Vec::with_capacity(columns.len()));
    info.is_table = first.get(0);
    for row in &columns {
        add_column(&mut info, row)?;
    }
    for row in &ask(INDEXES)? {
        if row.get("is_primary") {
            info.key = row.get("columns");
        }
        let indexes = if row.get("is_unique") { &mut info.unique } else { &mut info.indexes };
        indexes.push(row.get("columns"));
    }
    for row in &ask(FOREIGN_KEYS)? {
        add_foreign_key(&mut info, row)?;
    }
    Ok(Some(info))
}

fn add_column(info: &mut TableInfo, row: &Row) -> Result<()> {
    let Some(name) = row.get::<_, Option<String>>("attname") else { return Ok(()) };
    let mut column = Column::new(Ident::new(name.clone())?, column_type(row));
    column.nullable = !row.get::<_, bool>("strict");
    column.generated = row.get("generated");
    column.labels = row.get("labels");
    column.made = made(row);
    if !matches!(column.made, Made::Nowhere | Made::Computed) {
        info.defaults.push(name);
    }
    info.columns.push(column);
    Ok(())
}

fn made(row: &Row) -> Made {
    match row.get::<_, Option<String>>("default_value") {
        _ if row.get("is_computed") => Made::Computed,
        _ if row.get("is_identity") => Made::Identity,
        // What `serial` is short for.
        Some(expression) if expression.starts_with("nextval(") => Made::Identity,
        Some(expression) => Made::Default(expression),
        None => Made::Nowhere,
    }
}

fn add_foreign_key(info: &mut TableInfo, row: &Row) -> Result<()> {
    if let Some(name) = row.get("name") {
        info.referenced_by.push(name);
        return Ok(());
    }
    let schema = row.get::<_, Option<String>>("target_schema").map(Ident::new).transpose()?;
    let table = TableName { schema, table: Ident::new(row.get::<_, String>("target"))? };
    let action = match row.get("on_delete") {
        "r" => OnDelete::Restrict,
        "c" => OnDelete::Cascade,
        "n" => OnDelete::SetNull,
        _ => OnDelete::NoAction,
    };
    let target = Ident::new(row.get::<_, String>("target_column"))?;
    if let Some(column) = info.column_mut(row.get("column_name")) {
        column.references = Some(Reference::new(table, target).on_delete(action));
    }
    Ok(())
}

/// Arrays of types that have no column type of their own travel as text, as those types do.
fn column_type(row: &Row) -> ColumnType {
    let modifier = row.get("modifier");
    let built_in = |oid| types::built_in(&Type::from_oid(oid)?, modifier);
    if let Some(plain) = built_in(row.get("typ")) {
        return plain;
    }
    if let Some(element) = row.get::<_, Option<u32>>("element") {
        let name = || types::qualified(row.get("element_schema"), row.get("element_name"));
        return match built_in(element) {
            Some(element) => ColumnType::Array(Box::new(element)),
            None if row.get("of_enums") => ColumnType::Array(Box::new(ColumnType::Enum(name()))),
            None => ColumnType::Other(format!("{}[]", name())),
        };
    }
    let name = types::qualified(row.get("nspname"), row.get("typname"));
    if row.get("is_enum") { ColumnType::Enum(name) } else { ColumnType::Other(name) }
}
