//! Where the rows of a table lie.

use super::connection::PostgresConnection;
use crate::backend::table_storage::{StoragePart, TableStorage};
use crate::error::Result;
use crate::ident::{Ident, TableName};
use postgres::Row;
use postgres::types::Type;

/// The tables that have rows of a table, itself included. What is counted of changes is counted
/// where they are made: a standby knows nothing of them, nor does a server that is told not to
/// count. The counters are lost when the server crashes, and then begin anew at another time.
const PARTS: &str = "
WITH RECURSIVE tree (oid) AS (
    SELECT oid FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)
    UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
)
SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, c.oid,
       pg_catalog.pg_relation_filenode(c.oid) AS file, c.reltuples::float8 AS tuples,
       c.relpages::int8 AS pages, am.amname = 'heap' AS is_heap,
       pg_catalog.pg_relation_size(c.oid) AS bytes,
       coalesce(pg_catalog.pg_relation_size(nullif(c.reltoastrelid, 0)), 0) AS outside,
       pg_catalog.current_setting('block_size')::int8 AS block_size,
       CASE WHEN pg_catalog.current_setting('track_counts')::bool
                 AND NOT pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.format('%s inserted, %s updated, %s deleted, counted since %s',
                s.n_tup_ins, s.n_tup_upd, s.n_tup_del,
                coalesce(d.stats_reset::text, 'the beginning')) END AS changes,
       s.n_mod_since_analyze AS changed_rows
FROM tree JOIN pg_catalog.pg_class c USING (oid)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
LEFT JOIN pg_catalog.pg_stat_database d ON d.datname = pg_catalog.current_database()
ORDER BY c.oid";

const QUANTILES: &str = "
SELECT s.histogram_bounds::text::text[] AS bounds
FROM pg_catalog.pg_stats s
JOIN pg_catalog.pg_class c ON c.relname = s.tablename
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = s.schemaname
WHERE c.oid = pg_catalog.to_regclass($1) AND s.attname = $2
ORDER BY s.inherited DESC LIMIT 1";

/// Asks the catalog; see
/// [`Connection::table_storage`](crate::backend::Connection::table_storage).
pub(super) fn table_storage(
    connection: &mut PostgresConnection,
    table: &TableName,
    key: Option<&Ident>,
) -> Result<Option<TableStorage>> {
    let name = table.to_string();
    let rows =
        connection.with_client(|client, _| client.query_typed(PARTS, &[(&name, Type::TEXT)]))?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut storage = TableStorage { is_tree: rows.len() > 1, ..TableStorage::default() };
    for row in &rows {
        storage.parts.extend(part(row)?);
    }
    if let Some(key) = key {
        let key = key.as_str();
        let bounds = connection.with_client(|client, _| {
            client.query_typed(QUANTILES, &[(&name, Type::TEXT), (&key, Type::TEXT)])
        })?;
        let bounds = bounds.first().and_then(|row| row.get::<_, Option<Vec<String>>>("bounds"));
        storage.quantiles = bounds.unwrap_or_default();
    }
    Ok(Some(storage))
}

/// `None` for what has no rows of its own: a partitioned table, a view.
fn part(row: &Row) -> Result<Option<StoragePart>> {
    let kind: String = row.get("kind");
    if !matches!(kind.as_str(), "r" | "m" | "f") {
        return Ok(None);
    }
    let table = TableName {
        schema: Some(Ident::new(row.get::<_, String>("schema"))?),
        table: Ident::new(row.get::<_, String>("name"))?,
    };
    let mut part = StoragePart::new(table);
    part.number = row.get::<_, u32>("oid").into();
    part.file = row.get::<_, Option<u32>>("file").map(u64::from);
    let size = |name| u64::try_from(row.get::<_, Option<i64>>(name).unwrap_or(0)).unwrap_or(0);
    part.bytes = size("bytes");
    part.outside_bytes = size("outside");
    part.changes = row.get("changes");
    let changed: Option<i64> = row.get("changed_rows");
    part.changed_rows = changed.and_then(|rows| u64::try_from(rows).ok());
    let blocks = part.bytes / size("block_size").max(1);
    let is_heap = row.get::<_, Option<bool>>("is_heap") == Some(true);
    part.blocks = (is_heap && kind != "f").then_some(blocks);
    part.rows = estimate(row.get("tuples"), size("pages"), blocks);
    Ok(Some(part))
}

/// The rows of a table that had `tuples` rows on `pages` pages when it was last looked at: as many
/// to a page as then, as the planner takes it to be. `None` if it never was, or has changed so much
/// since that nothing can be said.
fn estimate(tuples: f64, pages: u64, blocks: u64) -> Option<u64> {
    if blocks == 0 {
        return Some(0);
    }
    let is_known = tuples >= 0.0 && pages > 0 && pages <= blocks * 2 && blocks <= pages * 2;
    is_known.then(|| (tuples / pages as f64 * blocks as f64) as u64)
}
