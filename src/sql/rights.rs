//! Which rights a user lacks.

use super::dialect::Dialect;

impl Dialect {
    /// The query for those of the rights `$2` (`SELECT,INSERT`) that the user lacks on table `$1`, a
    /// quoted name; nothing where there are no rights. A right on some of its columns is enough.
    pub fn missing_table_rights(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(
                "SELECT p FROM pg_catalog.unnest(pg_catalog.string_to_array($2, ',')) AS p \
                 WHERE NOT CASE WHEN p = 'DELETE' \
                 THEN pg_catalog.has_table_privilege($1, p) \
                 ELSE pg_catalog.has_table_privilege($1, p) \
                   OR pg_catalog.has_any_column_privilege($1, p) END",
            ),
            Self::Sqlite => None,
        }
    }

    /// The same for a schema, `$1` being its name as it is.
    pub fn missing_schema_rights(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(
                "SELECT p FROM pg_catalog.unnest(pg_catalog.string_to_array($2, ',')) AS p, \
                 pg_catalog.pg_namespace n \
                 WHERE n.nspname = $1 AND NOT pg_catalog.has_schema_privilege(n.oid, p)",
            ),
            Self::Sqlite => None,
        }
    }

    /// The query for the name of the user, quoted.
    pub fn current_user(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("SELECT pg_catalog.quote_ident(current_user)"),
            Self::Sqlite => None,
        }
    }
}
