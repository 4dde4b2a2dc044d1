//! The constraints of a table that a query can look for in rows that are not in it yet.
//!
//! They stand in the order in which PostgreSQL checks them: domains as a value is read, then the
//! CHECK constraints by their names, the unique indexes by their numbers, the foreign keys last.
//! What is not read here (exclusion constraints over expressions or some rows, foreign keys within the
//! table, what triggers say) is for the database to find, row by row.

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
    /// The one column, which the database makes from others, has a value.
    NotNull,
    /// No two rows have the same values, NULL aside.
    Unique,
    /// No two rows have the same values of these expressions, NULL aside, of those for which the
    /// predicate holds; all as the catalog has them.
    UniqueOver {
        /// The expressions.
        keys: Vec<String>,
        /// The predicate.
        predicate: Option<String>,
    },
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

/// A column that the database makes from others of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeColumn {
    /// Its name.
    pub name: Ident,
    /// Its type, as the catalog has it.
    pub column_type: String,
    /// An expression over the others, as the catalog has it.
    pub expression: String,
    /// The others.
    pub made_of: Vec<Ident>,
}

impl Rule {
    /// Whether it is that no two rows have the same values.
    pub fn is_unique(&self) -> bool {
        matches!(self, Self::Unique | Self::UniqueOver { .. })
    }
}

impl Constraint {
    /// The code of a row that breaks it.
    pub fn sqlstate(&self) -> SqlState {
        match self.rule {
            Rule::Domain { .. } | Rule::Check(_) => SqlState::CHECK_VIOLATION,
            Rule::NotNull => SqlState::NOT_NULL_VIOLATION,
            Rule::Unique | Rule::UniqueOver { .. } => SqlState::UNIQUE_VIOLATION,
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
            Rule::NotNull => format!(
                "null value in column \"{name}\" of relation \"{table}\" violates not-null constraint"
            ),
            Rule::Unique | Rule::UniqueOver { .. } => {
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

/// The query for the constraints of table `$1`: kind (0 domain, 1 check, or without an expression not
/// null, 2 unique, or with operators exclusion, 3 foreign key), name, columns, expression (the predicate
/// for kind 2), schema, table (the domain's name for kind 0), columns (the expressions of a unique index
/// that has some) and operators. Before them, as kind -1, the columns that are made from others: name,
/// those others, expression, and the type in place of the table.
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
    SELECT -1 AS kind, a.attnum::bigint AS place, 0 AS depth, a.attname AS name,
           ARRAY(SELECT DISTINCT o.attname::text FROM pg_catalog.pg_depend p
                 JOIN pg_catalog.pg_attribute o ON o.attrelid = p.refobjid AND o.attnum = p.refobjsubid
                 WHERE p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = rel.oid
                   AND p.refobjsubid > 0 AND p.refobjsubid <> a.attnum
                   AND (p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                        OR p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = rel.oid
                           AND p.objsubid = a.attnum)) AS columns,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression, NULL::text AS table_schema,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS table_name,
           NULL::text[] AS table_columns, NULL::text[] AS operators, NULL::text COLLATE \"C\" AS sorted
    FROM pg_catalog.pg_attribute a JOIN rel ON a.attrelid = rel.oid
    JOIN pg_catalog.pg_attrdef d ON d.adrelid = rel.oid AND d.adnum = a.attnum
    WHERE a.attgenerated <> '' AND NOT a.attisdropped
    UNION ALL
    SELECT 0, w.attnum, -w.depth, c.conname,
           ARRAY[w.attname::text], pg_catalog.pg_get_expr(c.conbin, 0), NULL,
           pg_catalog.format_type(w.typ, NULL), NULL, NULL, c.conname::text COLLATE \"C\"
    FROM walk w JOIN pg_catalog.pg_constraint c ON c.contypid = w.typ AND c.contype = 'c'
    WHERE c.convalidated
    UNION ALL
    SELECT 1, a.attnum - 10000, 0, a.attname, ARRAY[a.attname::text], NULL, NULL, NULL, NULL, NULL, NULL
    FROM pg_catalog.pg_attribute a JOIN rel ON a.attrelid = rel.oid
    WHERE a.attgenerated <> '' AND a.attnotnull AND NOT a.attisdropped
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
                 WHERE k.o <= i.indnkeyatts ORDER BY k.o)
           || CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN
              ARRAY(SELECT a.attname::text FROM pg_catalog.pg_depend p
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid
                 WHERE p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = i.indexrelid
                   AND p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = i.indrelid
                   AND p.refobjsubid > 0) END,
           pg_catalog.pg_get_expr(i.indpred, i.indrelid), NULL, NULL,
           CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN
              ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, false)
                 FROM pg_catalog.generate_series(1, i.indnkeyatts::int) AS k ORDER BY k) END,
           NULL, NULL
    FROM pg_catalog.pg_index i JOIN rel ON i.indrelid = rel.oid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indisunique AND NOT i.indisexclusion AND i.indisvalid AND i.indisready
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
