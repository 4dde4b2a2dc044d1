//! Which table the rows of another one refer to: by it a reject is put down to that of its parent.
//!
//! A row is told from all others by the values of some columns, each named with its table:
//! `{"public.airports.id":"7"}`. A rejected row has such a name of its own, and one for the row
//! that it refers to; where the second is the first of another reject, that one is the cause.

use super::dialect::Dialect;
use super::ledger::LedgerTables;

/// The query for the name of table `$1` with its schema.
const FULL_NAME: &str = "
SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass($1)";

/// The query for the foreign keys of table `$1`: name, column, the other table with its schema, and
/// its column; the columns of a key one after the other.
const REFERENCES: &str = "
SELECT c.conname::text, a.attname::text, n.nspname || '.' || p.relname, b.attname::text
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class p ON p.oid = c.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey))
    WITH ORDINALITY AS k (mine, theirs, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.mine
JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.theirs
WHERE c.contype = 'f' AND c.conrelid = pg_catalog.to_regclass($1)
ORDER BY c.conname, c.oid, k.place";

/// The same on SQLite, whose foreign keys have numbers and whose names are in any case.
const REFERENCES_BY_NUMBER: &str = "
SELECT CAST(f.id AS text), f.\"from\", lower(f.\"table\"),
       lower(coalesce(f.\"to\", (SELECT i.name FROM pragma_table_info(f.\"table\") AS i
                                 WHERE i.pk = f.seq + 1)))
FROM pragma_foreign_key_list($1) AS f ORDER BY f.id, f.seq";

impl Dialect {
    /// The query for the name of table `$1` with its schema, where there are schemas.
    pub fn full_name(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(FULL_NAME),
            Self::Sqlite => None,
        }
    }

    /// The query for the foreign keys of table `$1`: name or number, column, the other table, its
    /// column.
    pub fn references(self) -> &'static str {
        match self {
            Self::PostgreSql => REFERENCES,
            Self::Sqlite => REFERENCES_BY_NUMBER,
        }
    }

    /// Whether an error of a foreign key says which one it was.
    pub fn names_broken_reference(self) -> bool {
        matches!(self, Self::PostgreSql)
    }
}

impl LedgerTables {
    /// Puts the rejects of job `$1` down to those of the rows that they refer to, the newest of each;
    /// of all its batches, or of those numbered.
    pub fn link_rejects(&self, batches: Option<&[u32]>) -> String {
        let Self { reject, job, dialect, .. } = self;
        let among = batches.map_or(String::new(), |batches| {
            let numbers: Vec<_> = batches.iter().map(ToString::to_string).collect();
            format!(" AND c.batch IN ({})", numbers.join(", "))
        });
        // One reference that is named, or those that may be meant, as a list.
        let is_meant = match dialect {
            Dialect::PostgreSql => "p.row_key = c.refers_to",
            Dialect::Sqlite => "p.row_key IN (SELECT value FROM json_each(c.refers_to))",
        };
        format!(
            "UPDATE {reject} AS c SET caused_by = (SELECT j.name || CASE WHEN j.params = '{{}}' \
             THEN '' ELSE ' ' || j.params END || ' row ' || CAST(p.input_row AS text) \
             FROM {reject} AS p JOIN {job} AS j ON j.id = p.job_id \
             WHERE {is_meant} AND p.resolved_at IS NULL \
             ORDER BY p.job_id DESC, p.input_row DESC LIMIT 1) \
             WHERE c.job_id = $1 AND c.refers_to IS NOT NULL AND c.caused_by IS NULL \
             AND c.resolved_at IS NULL{among} \
             AND EXISTS (SELECT 1 FROM {reject} AS p WHERE {is_meant} AND p.resolved_at IS NULL)"
        )
    }
}
