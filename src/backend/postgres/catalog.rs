//! What the catalog says of a table.

use super::connection::PostgresConnection;
use crate::backend::postgres::statement::types;
use crate::backend::table_info::TableInfo;
use crate::error::Result;
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use postgres::Row;
use postgres::types::Type;

/// One row per column, or one without a column for a table that has none. `walk` goes from the
/// domain of a column to its base type and collects what each domain on the way adds.
const COLUMNS: &str = "
WITH RECURSIVE rel AS (
    SELECT oid, relkind FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)
), walk AS (
    SELECT a.attnum, a.atttypid AS typ, a.atttypmod AS modifier, a.attnotnull AS strict,
           false AS has_default
    FROM pg_catalog.pg_attribute a JOIN rel ON a.attrelid = rel.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT w.attnum, t.typbasetype,
           CASE WHEN w.modifier = -1 THEN t.typtypmod ELSE w.modifier END,
           w.strict OR t.typnotnull, w.has_default OR t.typdefault IS NOT NULL
    FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ AND t.typtype = 'd'
)
SELECT rel.relkind IN ('r', 'p') AS is_table, a.attname::text, w.typ, w.modifier, w.strict,
       w.has_default OR (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' AS has_default,
       a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
       t.typtype = 'e' AS is_enum, tn.nspname::text, t.typname::text,
       e.oid AS element, en.nspname::text AS element_schema, e.typname::text AS element_name
FROM rel
LEFT JOIN (
    pg_catalog.pg_attribute a
    JOIN walk w ON w.attnum = a.attnum
    JOIN pg_catalog.pg_type t ON t.oid = w.typ AND t.typtype <> 'd'
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
    LEFT JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace
) ON a.attrelid = rel.oid
ORDER BY a.attnum";

/// Unique indexes that hold for all rows at all times (a deferred one cannot decide a conflict),
/// with their key columns only; and the foreign keys of other tables, those of a partitioned
/// table once and not again for each of its partitions.
const CONSTRAINTS: &str = "
SELECT 0 AS kind, CASE WHEN i.indisprimary THEN 0 ELSE 1 END AS rank, i.indexrelid AS id,
       NULL::text AS name,
       ARRAY(SELECT a.attname::text
             FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
FROM pg_catalog.pg_index i
WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indisready
      AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
UNION ALL
SELECT 1, 0, c.oid, c.conname::text, ARRAY[]::text[]
FROM pg_catalog.pg_constraint c
LEFT JOIN pg_catalog.pg_constraint whole
       ON whole.oid = c.conparentid AND whole.confrelid = c.confrelid
WHERE c.confrelid = pg_catalog.to_regclass($1) AND c.contype = 'f' AND whole.oid IS NULL
      AND c.conrelid <> c.confrelid
ORDER BY kind, rank, id";

/// Reads the catalog; see [`Connection::table_info`](crate::backend::Connection::table_info).
pub(super) fn table_info(
    connection: &mut PostgresConnection,
    table: &TableName,
) -> Result<Option<TableInfo>> {
    let name = table.to_string();
    let columns =
        connection.with_client(|client, _| client.query_typed(COLUMNS, &[(&name, Type::TEXT)]))?;
    let Some(first) = columns.first() else { return Ok(None) };
    let is_table = first.get(0);
    let constraints = connection
        .with_client(|client, _| client.query_typed(CONSTRAINTS, &[(&name, Type::TEXT)]))?;
    let mut info = TableInfo::new(Vec::with_capacity(columns.len()));
    info.is_table = is_table;
    for row in &columns {
        add_column(&mut info, row)?;
    }
    for row in &constraints {
        match row.get::<_, i32>("kind") {
            0 => info.unique.push(row.get("columns")),
            _ => info.referenced_by.push(row.get("name")),
        }
    }
    Ok(Some(info))
}

fn add_column(info: &mut TableInfo, row: &Row) -> Result<()> {
    let Some(name) = row.get::<_, Option<String>>("attname") else { return Ok(()) };
    let mut column = Column::new(Ident::new(name.clone())?, column_type(row));
    column.nullable = !row.get::<_, bool>("strict");
    column.generated = row.get("generated");
    info.columns.push(column);
    if row.get("has_default") {
        info.defaults.push(name);
    }
    Ok(())
}

/// The elements of an array carry their type with them, so only arrays of built-in types can be
/// packed; the others travel as text.
fn column_type(row: &Row) -> ColumnType {
    let modifier = row.get("modifier");
    let built_in = |oid| types::built_in(&Type::from_oid(oid)?, modifier);
    if let Some(plain) = built_in(row.get("typ")) {
        return plain;
    }
    if let Some(element) = row.get::<_, Option<u32>>("element") {
        return match built_in(element) {
            Some(element) => ColumnType::Array(Box::new(element)),
            None => ColumnType::Other(format!(
                "{}[]",
                types::qualified(row.get("element_schema"), row.get("element_name"))
            )),
        };
    }
    let name = types::qualified(row.get("nspname"), row.get("typname"));
    if row.get("is_enum") { ColumnType::Enum(name) } else { ColumnType::Other(name) }
}
