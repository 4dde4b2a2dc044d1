//! Emptying a table at once, and dropping indexes that are built anew behind its rows.

use super::dialect::Dialect;
use crate::ident::TableName;

/// What keeps `TRUNCATE` of a table, and `CREATE INDEX` on it, from being what `DELETE` of all its rows
/// is, or the user from doing it: the kinds of [`Dialect::rebuild_obstacles`].
pub mod obstacle {
    /// The user has not the rights of the owner; the name is that of the owner, quoted.
    pub const OWNER: &str = "owner";
    /// The user may not create in the schema of the table; the name is that of the schema, quoted.
    pub const SCHEMA: &str = "schema";
    /// It is partitioned; the name is its own.
    pub const PARTITIONED: &str = "partitioned";
    /// Another table inherits from it.
    pub const HEIR: &str = "heir";
    /// A trigger on `DELETE`, which `TRUNCATE` does not fire.
    pub const TRIGGER: &str = "trigger";
    /// A rule for `DELETE`.
    pub const RULE: &str = "rule";
    /// Policies hold for the user, so that rows are hidden from it; the name is that of the table.
    pub const POLICIES: &str = "policies";
    /// A publication that tells of `DELETE` and not of `TRUNCATE`.
    pub const PUBLICATION: &str = "publication";
}

const OBSTACLES: &str = "
WITH t AS (
    SELECT c.oid, c.relname, c.relkind, c.relowner, c.relnamespace, c.relispartition, n.nspname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = pg_catalog.to_regclass($1)
), line AS (
    SELECT t.oid FROM t UNION
    SELECT a.relid::oid FROM t CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(t.oid) a
)
SELECT 'owner'::text, pg_catalog.quote_ident(r.rolname) FROM t
JOIN pg_catalog.pg_roles r ON r.oid = t.relowner
WHERE NOT pg_catalog.pg_has_role(t.relowner, 'USAGE')
UNION ALL
SELECT 'schema', pg_catalog.quote_ident(t.nspname) FROM t
WHERE NOT pg_catalog.has_schema_privilege(t.relnamespace, 'CREATE')
UNION ALL
SELECT 'partitioned', t.relname::text FROM t WHERE t.relkind = 'p'
UNION ALL
SELECT 'heir', h.relname::text FROM t
JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
JOIN pg_catalog.pg_class h ON h.oid = i.inhrelid
WHERE t.relkind <> 'p'
UNION ALL
SELECT 'trigger', g.tgname::text FROM t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid
WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgtype & 8 <> 0
UNION ALL
SELECT 'rule', w.rulename::text FROM t JOIN pg_catalog.pg_rewrite w ON w.ev_class = t.oid
WHERE w.ev_type = '4' AND w.ev_enabled IN ('O', 'A')
UNION ALL
SELECT 'policies', t.relname::text FROM t WHERE pg_catalog.row_security_active(t.oid)
UNION ALL
SELECT 'publication', p.pubname::text FROM t CROSS JOIN pg_catalog.pg_publication p
WHERE p.pubdelete AND (NOT p.pubtruncate OR p.pubviaroot AND t.relispartition) AND EXISTS (
    SELECT FROM pg_catalog.pg_publication_tables b
    JOIN pg_catalog.pg_namespace n ON n.nspname = b.schemaname
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = b.tablename
    JOIN line ON line.oid = c.oid WHERE b.pubname = p.pubname)";

/// An index keeps rows out if it is unique or of a constraint, and may refuse a row by what it computes: then
/// a row that is refused must be refused as ever, so it stays. What `CREATE INDEX` would not bring back stays,
/// too. Predicates that only ask for NULL and truth cannot fail.
const INDEXES: &str = r"
SELECT x.relname::text, pg_catalog.format('DROP INDEX %I.%I', n.nspname, x.relname),
       pg_catalog.format('SET LOCAL default_tablespace = %L; %s', coalesce(s.spcname, ''),
                         pg_catalog.pg_get_indexdef(x.oid)),
       CASE
       WHEN i.indisunique OR i.indisexclusion THEN 'it keeps rows out'
       WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'it is not valid'
       WHEN i.indexprs IS NOT NULL THEN 'it is over an expression'
       WHEN EXISTS (
           SELECT FROM pg_catalog.regexp_matches(i.indpred::text, '\{([A-Z]+)', 'g') AS node
           WHERE node[1] NOT IN ('NULLTEST', 'BOOLEANTEST', 'BOOLEXPR', 'VAR')
       ) THEN 'its predicate computes'
       WHEN i.indisclustered THEN 'its table is clustered by it'
       WHEN i.indisreplident THEN 'it is the replica identity'
       WHEN x.relispartition OR EXISTS (
           SELECT FROM pg_catalog.pg_depend d
           WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = x.oid
                 AND d.deptype NOT IN ('a', 'n')
              OR d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = x.oid
       ) THEN 'something else hangs on it'
       WHEN EXISTS (
           SELECT FROM pg_catalog.pg_description d
           WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = x.oid
       ) THEN 'it has a comment'
       WHEN NOT pg_catalog.has_tablespace_privilege(s.oid, 'CREATE')
       THEN 'the user may not create in its tablespace'
       END
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = x.reltablespace
WHERE i.indrelid = pg_catalog.to_regclass($1)
ORDER BY x.oid";

const INDEXES_OF_SQLITE: &str = r#"
SELECT l.name, 'DROP INDEX "' || replace(l.name, '"', '""') || '"', s.sql,
       CASE WHEN l."unique" THEN 'it keeps rows out'
            WHEN l.partial THEN 'its predicate computes'
            WHEN EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name) AS x WHERE x.cid = -2)
            THEN 'it is over an expression' END
FROM pragma_index_list($1) AS l
JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name
ORDER BY l.seq DESC"#;

impl Dialect {
    /// The query for what stands against emptying table `$1` at once and building its indexes anew: a kind
    /// ([`obstacle`]) and a name; nothing where nothing can.
    pub fn rebuild_obstacles(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(OBSTACLES),
            Self::Sqlite => None,
        }
    }

    /// The query for the indexes of table `$1`: name, the statement that drops it, those that make it again
    /// as it is, and why it must not be dropped all the same; NULL where it may.
    pub fn indexes_to_rebuild(self) -> &'static str {
        match self {
            Self::PostgreSql => INDEXES,
            Self::Sqlite => INDEXES_OF_SQLITE,
        }
    }

    /// What keeps all others from a table until the transaction ends, those that read it too.
    pub fn lock_alone(self, table: &TableName) -> Option<String> {
        match self {
            Self::PostgreSql => Some(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")),
            Self::Sqlite => None,
        }
    }

    /// What takes [`wait_briefly_for_locks`](Self::wait_briefly_for_locks) back.
    pub fn wait_for_locks_as_ever(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("SET LOCAL lock_timeout TO DEFAULT"),
            Self::Sqlite => None,
        }
    }

    /// The query for the processes of others that hold a lock on table `$1`: one text, NULL where there is
    /// none.
    pub fn lock_holders(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(
                "SELECT pg_catalog.string_agg(holder, ', ') FROM (\
                 SELECT DISTINCT coalesce('process ' || l.pid, 'a prepared transaction') AS holder \
                 FROM pg_catalog.pg_locks l WHERE l.granted \
                 AND l.relation = pg_catalog.to_regclass($1) AND l.database = (\
                 SELECT d.oid FROM pg_catalog.pg_database d \
                 WHERE d.datname = pg_catalog.current_database()) \
                 AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() ORDER BY 1 LIMIT 3) AS h",
            ),
            Self::Sqlite => None,
        }
    }

    /// What empties a table at once and counts nothing, where that is another statement than `DELETE`.
    pub fn empty_at_once(self, table: &TableName) -> Option<String> {
        match self {
            Self::PostgreSql => Some(format!("TRUNCATE TABLE {table}")),
            // Its DELETE of all rows does that already.
            Self::Sqlite => None,
        }
    }

    /// What marks all rows of a table as old enough for everybody, and its blocks as such, and counts its
    /// rows for the planner; outside of a transaction, and not where somebody has the table locked.
    pub fn freeze(self, table: &TableName) -> Option<String> {
        match self {
            Self::PostgreSql => Some(format!("VACUUM (FREEZE, ANALYZE, SKIP_LOCKED) {table}")),
            Self::Sqlite => None,
        }
    }
}
