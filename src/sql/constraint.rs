//! The constraints of a table that a query can look for in rows that are not in it yet.
//!
//! They stand in the order in which PostgreSQL checks them: domains as a value is read, then the
//! CHECK constraints by their names, the unique indexes by their numbers, the foreign keys last.
//! What is not read here (exclusion constraints and indexes over expressions or over some rows, foreign
//! keys within the table, what triggers say) is for the database to find, row by row.

use crate::ident::{Ident, TableName};
use crate::sqlstate::SqlState;

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Its name, or that of its index.
    pub name: String,
    /// The columns that it is about.
    pub columns: Vec<Ident>,
    /// What it says.
    pub rule: Rule,
}

/// What a constraint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An expression over `VALUE`, which is the one column, of the domain of this name.
    Domain {
        /// The domain, as the database calls it.
        domain: String,
        /// The expression, as the catalog has it.
        expression: String,
    },
    /// An expression over columns, as the catalog has it.
    Check(String),
    /// No two rows have the same values, NULL aside.
    Unique,
    /// No two rows have values of which each meets the other by its operator, qualified.
    Excludes(Vec<String>),
    /// The values are those of a row of another table, NULL aside.
    References {
        /// The other table.
        table: TableName,
        /// Its columns, in the order of ours.
        columns: Vec<Ident>,
        /// The operator by which each of them is compared, qualified.
        operators: Vec<String>,
    },
}

impl Constraint {
    /// The code of a row that breaks it.
    pub fn sqlstate(&self) -> SqlState {
        match self.rule {
            Rule::Domain { .. } | Rule::Check(_) => SqlState::CHECK_VIOLATION,
            Rule::Unique => SqlState::UNIQUE_VIOLATION,
            Rule::Excludes(_) => SqlState::EXCLUSION_VIOLATION,
            Rule::References { .. } => SqlState::FOREIGN_KEY_VIOLATION,
        }
    }

    /// What is said of a row of `table` that breaks it, as the database says it.
    pub fn message(&self, table: &TableName) -> String {
        let (name, table) = (&self.name, table.table.as_str());
        match &self.rule {
            Rule::Domain { domain, .. } => {
                format!("value for domain {domain} violates check constraint \"{name}\"")
            }
            Rule::Check(_) => {
                format!("new row for relation \"{table}\" violates check constraint \"{name}\"")
            }
            Rule::Unique => {
                format!("duplicate key value violates unique constraint \"{name}\"")
            }
            Rule::Excludes(_) => {
                format!("conflicting key value violates exclusion constraint \"{name}\"")
            }
            Rule::References { .. } => format!(
                "insert or update on table \"{table}\" violates foreign key constraint \"{name}\""
            ),
        }
    }
}

/// The query that tells of table `$1` whether it is nothing but a table (no partitions, rules or
/// policies), whether something (a trigger, a rule) may change a row before its constraints are
/// checked, whether it has no rules, so that an INSERT of a row does what COPY does with it, and the
/// columns of its one unique index, where nothing else in the database has a say in whether a row
/// is taken: no other constraint, no trigger, no expression. Elsewhere there are none.
pub const NATURE: &str = "
SELECT c.relkind = 'r' AND NOT c.relhasrules AND NOT c.relrowsecurity,
       c.relhasrules OR EXISTS (
           SELECT 1 FROM pg_catalog.pg_trigger g
           WHERE (g.tgrelid = c.oid
                  OR g.tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p))
                 AND NOT g.tgisinternal AND g.tgenabled <> 'D'
                 AND g.tgtype & 3 = 3 AND g.tgtype & 20 <> 0),
       NOT c.relhasrules,
       CASE WHEN c.relchecks = 0 AND NOT EXISTS (
           SELECT 1 FROM pg_catalog.pg_constraint o
           WHERE o.conrelid = c.oid AND o.contype NOT IN ('p', 'u', 'n')
       ) AND NOT EXISTS (
           SELECT 1 FROM pg_catalog.pg_trigger g
           WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
       ) AND NOT EXISTS (
           SELECT 1 FROM pg_catalog.pg_attribute a
           JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             AND (a.attgenerated <> '' OR t.typtype = 'd')
       ) AND NOT EXISTS (
           SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid
             AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR i.indisexclusion)
       ) AND 1 = (
           SELECT pg_catalog.count(*) FROM pg_catalog.pg_index i
           WHERE i.indrelid = c.oid AND i.indisunique
       ) THEN ARRAY(
           SELECT a.attname::text FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
                AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
           WHERE i.indrelid = c.oid AND i.indisunique
             AND i.indimmediate AND i.indisvalid AND i.indisready AND NOT EXISTS (
               SELECT 1 FROM pg_catalog.pg_collation l
               WHERE l.oid = a.attcollation AND NOT l.collisdeterministic)
       ) ELSE ARRAY[]::text[] END
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)";

/// The query for the constraints of table `$1`: kind (0 domain, 1 check, 2 unique, or with operators
/// exclusion, 3 foreign key), name, columns, expression, schema, table (the domain's name for kind 0),
/// columns and operators.
///
/// A constraint that was never validated is left out: rows that are there may break it, and what is
/// equal to them is not refused. So are NULLs that count as equal and collations by which unequal
/// texts are.
pub const CONSTRAINTS: &str = "
WITH RECURSIVE rel AS (
    SELECT oid FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)
), walk AS (
    SELECT a.attnum, a.attname, a.atttypid AS typ, 0 AS depth
    FROM pg_catalog.pg_attribute a JOIN rel ON a.attrelid = rel.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT w.attnum, w.attname, t.typbasetype, w.depth + 1
    FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ AND t.typtype = 'd'
)
SELECT kind, name::text, columns, expression, table_schema, table_name, table_columns, operators
FROM (
    SELECT 0 AS kind, w.attnum::bigint AS place, -w.depth AS depth, c.conname AS name,
           ARRAY[w.attname::text] AS columns,
           pg_catalog.pg_get_expr(c.conbin, 0) AS expression, NULL::text AS table_schema,
           pg_catalog.format_type(w.typ, NULL) AS table_name, NULL::text[] AS table_columns,
           NULL::text[] AS operators, c.conname::text COLLATE \"C\" AS sorted
    FROM walk w JOIN pg_catalog.pg_constraint c ON c.contypid = w.typ AND c.contype = 'c'
    WHERE c.convalidated
    UNION ALL
    SELECT 1, 0, 0, c.conname,
           ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY AS k (n, o)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n
                 ORDER BY k.o),
           pg_catalog.pg_get_expr(c.conbin, c.conrelid), NULL, NULL, NULL, NULL,
           c.conname::text COLLATE \"C\"
    FROM pg_catalog.pg_constraint c JOIN rel ON c.conrelid = rel.oid
    WHERE c.contype = 'c' AND c.convalidated AND c.conkey IS NOT NULL
    UNION ALL
    SELECT 2, i.indexrelid::bigint, 0, x.relname,
           ARRAY(SELECT a.attname::text
                 FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (n, o)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
                 WHERE k.o <= i.indnkeyatts ORDER BY k.o),
           NULL, NULL, NULL, NULL, NULL, NULL
    FROM pg_catalog.pg_index i JOIN rel ON i.indrelid = rel.oid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indisunique AND NOT i.indisexclusion AND i.indisvalid AND i.indisready
          AND i.indpred IS NULL AND i.indexprs IS NULL
          AND coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false'
          AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(i.indcollation::oid[]) AS n (c)
                          JOIN pg_catalog.pg_collation l ON l.oid = n.c
                          WHERE NOT l.collisdeterministic)
    UNION ALL
    SELECT 2, c.conindid::bigint, 0, c.conname,
           ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY AS k (n, o)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n
                 ORDER BY k.o),
           NULL, NULL, NULL, NULL,
           ARRAY(SELECT pg_catalog.format('OPERATOR(%I.%s)', s.nspname, o.oprname)
                 FROM pg_catalog.unnest(c.conexclop) WITH ORDINALITY AS k (n, o)
                 JOIN pg_catalog.pg_operator o ON o.oid = k.n
                 JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace ORDER BY k.o),
           NULL
    FROM pg_catalog.pg_constraint c JOIN rel ON c.conrelid = rel.oid
    JOIN pg_catalog.pg_index i ON i.indexrelid = c.conindid
    WHERE c.contype = 'x' AND i.indpred IS NULL AND i.indexprs IS NULL
    UNION ALL
    SELECT 3, 0, 0, c.conname,
           ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY AS k (n, o)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n
                 ORDER BY k.o),
           NULL, n.nspname::text, p.relname::text,
           ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY AS k (n, o)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n
                 ORDER BY k.o),
           ARRAY(SELECT pg_catalog.format('OPERATOR(%I.%s)', s.nspname, o.oprname)
                 FROM pg_catalog.unnest(c.conpfeqop) WITH ORDINALITY AS k (n, o)
                 JOIN pg_catalog.pg_operator o ON o.oid = k.n
                 JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace ORDER BY k.o),
           (SELECT min(g.tgname)::text COLLATE \"C\" FROM pg_catalog.pg_trigger g
            WHERE g.tgconstraint = c.oid AND g.tgrelid = c.conrelid)
    FROM pg_catalog.pg_constraint c JOIN rel ON c.conrelid = rel.oid
    JOIN pg_catalog.pg_class p ON p.oid = c.confrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
    WHERE c.contype = 'f' AND c.convalidated AND c.confmatchtype = 's'
          AND c.confrelid <> c.conrelid AND NOT p.relrowsecurity
) AS found
ORDER BY kind, place, depth, sorted";
