//! Which rights a user lacks.

use super::dialect::Dialect;

impl Dialect {
    /// The query for those rights that the user lacks on `count` tables: for each a quoted name and
    /// the rights (`SELECT,INSERT`), `$1` and `$2`, `$3` and `$4`, and so on. It yields the place of the
    /// table, from 0, and a right; nothing where there are no rights. A right on some of the columns
    /// is enough.
    pub fn missing_table_rights(self, count: usize) -> Option<String> {
        let lacks = "CASE WHEN p IN ('DELETE', 'TRUNCATE') \
             THEN NOT pg_catalog.has_table_privilege(v.name, p) \
             ELSE NOT (pg_catalog.has_table_privilege(v.name, p) \
               OR pg_catalog.has_any_column_privilege(v.name, p)) END";
        (self == Self::PostgreSql).then(|| asked(count, "", lacks))
    }

    /// The same for schemas, whose names are as they are.
    pub fn missing_schema_rights(self, count: usize) -> Option<String> {
        let schemas = " JOIN pg_catalog.pg_namespace n ON n.nspname = v.name";
        let lacks = "NOT pg_catalog.has_schema_privilege(n.oid, p)";
        (self == Self::PostgreSql).then(|| asked(count, schemas, lacks))
    }

    /// The query for the name of the user, quoted.
    pub fn current_user(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("SELECT pg_catalog.quote_ident(current_user)"),
            Self::Sqlite => None,
        }
    }
}

/// What is asked of `count` names, each with its rights.
fn asked(count: usize, join: &str, lacks: &str) -> String {
    let asked = (0..count).map(|place| {
        let (name, rights) = (2 * place + 1, 2 * place + 2);
        format!("({place}, CAST(${name} AS text), CAST(${rights} AS text))")
    });
    format!(
        "SELECT v.place, p FROM (VALUES {}) AS v (place, name, rights){join} \
         CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.string_to_array(v.rights, ',')) AS p \
         WHERE {lacks} ORDER BY v.place",
        asked.collect::<Vec<_>>().join(", ")
    )
}
